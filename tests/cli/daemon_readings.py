#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Readings that are wrong: the log says which, why and what holds instead; good ones go on."""
import json
import subprocess
import sys
import time
import unittest

from daemon_support import BUILD, ROOT, RedisRig

POINT = "pool/main/basin/demand_heat_w"


class Readings(unittest.TestCase):
    def setUp(self):
        self.rig = RedisRig(speed=60, config={"plant": {"kind": "redis"}})
        self.addCleanup(self.rig.__exit__, None, None, None)
        self.rig.__enter__()
        # what was there before the daemon listens is not for it
        deadline = time.monotonic() + 10
        while self.rig.get("/v1/loops")["items"][0]["demand_heat_w"] != 9000:
            self.assertLess(time.monotonic(), deadline, self.rig.log_tail("hschedd.log"))
            self.add_value("9000")
            time.sleep(0.1)

    def add(self, *fields):
        subprocess.run(["redis-cli", "-s", str(self.rig.redis_socket), "XADD", "hs:{main}:readings", "*", *fields],
                       check=True, stdout=subprocess.DEVNULL)

    def add_value(self, value, point=POINT):
        self.add("point", point, "value", value, "at", self.rig.now().strftime("%Y-%m-%dT%H:%M:%SZ"))

    def assert_logged(self, text):
        deadline = time.monotonic() + 10
        while text not in (self.rig.dir / "hschedd.log").read_text():
            self.assertLess(time.monotonic(), deadline, f"{text!r} is not in:\n" + self.rig.log_tail("hschedd.log"))
            time.sleep(0.05)

    def test_wrong_entries__are_named_with_what_would_be_right(self):
        self.add_value("5", "pool/main/sauna/demand_heat_w")
        self.assert_logged("point 'pool/main/sauna/demand_heat_w': there is no sink 'sauna'; known is basin")
        self.add_value("12kW")
        self.assert_logged("value '12kW' is not a number")
        self.add("point", POINT, "value", "5", "at", "yesterday")
        self.assert_logged("at 'yesterday' must be like 2026-01-05T10:00:00Z")
        self.add("colour", "red")
        self.assert_logged("has no field 'point'; point, value and at are needed")

    def test_bad_values__are_said_and_the_last_good_one_holds(self):
        self.add_value("nan")
        self.assert_logged(f"{POINT}: nan is not-a-number, left out: the last good one, 9000, holds")
        loop = self.rig.get("/v1/loops")["items"][0]
        self.assertEqual(loop["demand_heat_w"], 9000)
        self.assertEqual(next(r["quality"] for r in loop["readings"] if r["point"] == POINT), "not-a-number")
        self.add_value("8000")
        self.assert_logged(f"{POINT}: good again: 8000")
        self.add_value("-5")
        self.assert_logged(f"{POINT}: -5 is out-of-range")


class Bench(unittest.TestCase):
    def test_ingest__runs_and_loses_nothing(self):
        done = subprocess.run([sys.executable, str(ROOT / "tests" / "bench" / "bench.py"), "--build", str(BUILD), "ingest",
                               "--readings", "5000"], capture_output=True, text=True, timeout=100, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        answer = json.loads(done.stdout)
        self.assertGreater(answer["readings_per_s"], 1000)
        self.assertGreater(answer["bare_ratio"], 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
