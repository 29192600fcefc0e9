#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A pump that stands: within a sense period rejection is asked for, just enough is shed, and all goes on after it."""
import json
import subprocess
import time
import unittest

from daemon_support import BUILD, ESTATE, RedisRig

SENSE_S = 10  # plan s; docs/operate.md, Interlocks


class Interlock(unittest.TestCase):
    def setUp(self):
        self.rig = RedisRig(speed=60, config={"plant": {"kind": "redis"}})
        estate = json.loads(json.dumps(ESTATE))
        estate["sites"][0]["loops"][0]["rejection"] = {"limit_w": 400}
        (self.rig.dir / "estate.json").write_text(json.dumps(estate))
        self.addCleanup(self.rig.__exit__, None, None, None)
        self.rig.__enter__()

    def say(self, leaf, value):
        at = self.rig.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        subprocess.run(["redis-cli", "-s", str(self.rig.redis_socket), "XADD", "hs:{main}:readings", "*", "point",
                        "pool/main/" + leaf, "value", str(value), "at", at], check=True, stdout=subprocess.DEVNULL)

    def loop(self):
        return self.rig.get("/v1/loops")["items"][0]

    def states(self):
        return sorted(job["state"] for job in self.rig.get("/v1/jobs")["items"])

    def until(self, check):
        deadline = time.monotonic() + 30
        while not check():
            self.say("basin/demand_heat_w", 9000)  # plan time runs fast: it would soon be silent
            self.assertLess(time.monotonic(), deadline, self.rig.log_tail("hschedd.log"))
            time.sleep(0.05)

    def journal(self):
        lines = [json.loads(line[line.index("{"):]) for line
                 in self.rig.redis("XRANGE", "hs:{main}:journal", "-", "+").splitlines() if "{" in line]
        return [(line["kind"], line["subject"], line["text"]) for line in lines if "subject" in line]

    def test_a_standing_pump(self):
        for i in range(2):  # 600 W of host in all, 480 W of it heat
            self.rig.ask("POST", "/v1/jobs", {"name": f"j{i}", "vcpus": 8, "memory_mib": 512, "duration": "20h",
                                              "class": "deferrable", "interruptible": True, "due": "now+20h"})
        self.say("pump_ok", 1)
        self.until(lambda: self.states() == ["running"] * 2 and self.loop()["state"] == "normal")
        began = self.rig.now()
        self.say("pump_ok", 0)
        self.until(lambda: self.loop()["rejection_wanted"])
        self.assertLess((self.rig.now() - began).total_seconds(), 6 * SENSE_S)  # the test's own looks included
        self.until(lambda: self.states() == ["running", "suspended"])
        loop = self.loop()
        self.assertEqual((loop["state"], loop["cause"]), ("sink-unavailable", "pump out of order"))
        self.assertEqual([(i["kind"], i["text"]) for i in loop["interlocks"]], [("pump", "pump out of order")])
        self.assertEqual(loop["cap_elec_w"], 500)
        shown = subprocess.run([BUILD / "ctl" / "hsched", "loops", "--socket", self.rig.socket], text=True,
                               capture_output=True, timeout=30, check=True).stdout
        self.assertIn("pool/main has been in sink-unavailable since ", shown)
        self.assertIn(": pump out of order; its heat is to be rejected", shown)
        self.say("pump_ok", 1)
        self.until(lambda: self.loop()["state"] == "normal" and self.states() == ["running"] * 2)
        self.assertIsNone(self.loop()["cap_elec_w"])
        self.rig.daemon.kill()
        self.rig.daemon.wait()
        said = self.journal()
        for line in (("interlock", "pool/main", "pump begins: pump out of order"),
                     ("loop", "pool/main", "normal -> sink-unavailable: pump out of order"),
                     ("loop", "pool/main", "heat that nobody takes is to be rejected"),
                     ("interlock", "pool/main", "pump is over"),
                     ("loop", "pool/main", "heat need not be rejected any more")):
            self.assertIn(line, said)


class Planless(Interlock):
    """The same without any plan: `planner: thermostat`."""

    def setUp(self):
        super().setUp()
        self.rig.daemon.kill()
        self.rig.daemon.wait()
        config = json.loads((self.rig.dir / "hschedd.json").read_text())
        (self.rig.dir / "hschedd.json").write_text(json.dumps(dict(config, planner="thermostat")))
        self.rig.start_daemon()

    def test_a_standing_pump(self):
        super().test_a_standing_pump()
        self.rig.start_daemon()
        self.assertEqual(self.rig.get("/v1/plan").get("placements", []), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
