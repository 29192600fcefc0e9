#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""hschedd, `hsim serve` and mbpoll over real sockets: the same values, and no wrong figure when it breaks."""
import datetime
import json
import math
import os
import re
import shutil
import subprocess
import time
import unittest

import daemon_support
from daemon_support import BUILD, rig

START = "2026-01-05T00:00:00Z"
SPEED = 3600
HOURS = 24 * 7 if os.environ.get("HSCHED_TEST_LONG") else 10
POINTS = {  # of the loop, the sink and the rack
    "loop": {
        "captured_heat_wh": {"modbus": "plc", "address": 1, "type": "uint32"},
        "tank/0.9_c": {"modbus": "plc", "table": "input", "address": 11, "type": "int16", "scale": 0.1,
                       "sentinels": [-32768], "min": 10, "max": 95, "rate_per_s": 0.05},
        "tank/0.1_c": {"modbus": "plc", "table": "input", "address": 12, "type": "float32",
                       "min": 10, "max": 95},
        "pump_ok": {"modbus": "plc", "table": "discrete", "address": 5},
        "heartbeat": {"modbus": "plc", "address": 100, "write": True}},
    "sink": {
        "demand_heat_w": {"modbus": "plc", "address": 21, "type": "float32", "word_order": "ABCD", "max": 40000,
                          "max_age": "10m"},
        "useful_heat_wh": {"modbus": "plc", "address": 23, "type": "uint64"}},
    "rack": {"elec_w": {"modbus": "plc", "address": 101, "type": "uint16", "write": True}},
}


def make_estate():
    estate = json.loads(json.dumps(daemon_support.ESTATE))
    site = estate["sites"][0]
    loop = site["loops"][0]
    loop["tank"] = {"volume_l": 2000, "nodes": 3, "min_c": 35, "max_c": 60, "loss_w_per_k": 6, "ambient_c": 18}
    loop["points"] = POINTS["loop"]
    loop["sinks"][0]["points"] = POINTS["sink"]
    site["racks"][0]["points"] = POINTS["rack"]
    return estate


class PlantRig(daemon_support.MemRig):
    """A served plant, and a daemon that reads it."""

    def __init__(self, *faults, hours=HOURS, device=None):
        rig.Rig.__init__(self, BUILD, {"estate": make_estate(), "start": START, "heat": []}, speed=SPEED,
                         config={"store": "mem", "heat_history": False})
        rows = ["hour,heat_kw"] + [f"2026-01-{4 + h // 24:02}T{h % 24:02}:00:00Z,{3 + 2 * math.sin(h / 4):.3f}"
                                   for h in range(24 * 12)]
        (self.dir / "heat.csv").write_text("\n".join(rows) + "\n")
        (self.dir / "scenario.json").write_text(json.dumps({
            "estate": "estate.json", "start": START, "days": 8, "slot_s": 900, "policies": ["asap"], "jobs": [],
            "heat": [{"sink": "pool/main/basin", "csv": "heat.csv", "column": "heat_kw"}]}))
        command = [rig.program(BUILD, "hsim"), "serve", self.dir / "scenario.json", "--speed", SPEED, "--for",
                   f"{hours}h", "--period", "60s", "--modbus", "plc=127.0.0.1:0,base=1,word_order=CDAB"]
        for fault in faults:
            command += ["--fault", fault]
        with (self.dir / "serve.log").open("wb") as log, (self.dir / "truth.json").open("wb") as out:
            self.server = subprocess.Popen(list(map(str, command)), stdout=out, stderr=log,
                                           preexec_fn=rig.die_with_parent)
        self.processes.append(self.server)
        self.wait_for("hsim serve", lambda: "modbus plc on" in self.log_tail("serve.log"), self.server, "serve.log")
        self.port = int(re.search(r"127\.0\.0\.1:(\d+)", self.log_tail("serve.log"))[1])
        self.config["plant"] = {"modbus": [{"name": "plc", "host": "127.0.0.1", "port": self.port, "base": 1,
                                            "word_order": "CDAB", "period": "1m", "timeout_s": 0.5, "write": True,
                                            **(device or {})}]}
        (self.dir / "hschedd.json").write_text(json.dumps(self.config))

    def readings(self):
        return {r["point"]: r for r in self.get("/v1/loops")["items"][0]["readings"]}

    def mbpoll(self, reference, kind, *options):
        """What mbpoll reads there."""
        text = subprocess.check_output(
            ["mbpoll", "-m", "tcp", "-p", str(self.port), "-a", "1", "-r", str(reference), "-t", kind, "-1", *options,
             "127.0.0.1"], text=True, timeout=10)
        return float(re.search(r"^\[\d+\]:\s+(\S+)", text, re.M)[1])

    def log(self):
        return (self.dir / "hschedd.log").read_text()


def at(hours):
    start = datetime.datetime.fromisoformat(START.replace("Z", "+00:00"))
    return (start + datetime.timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Modbus(unittest.TestCase):
    def open(self, *faults, **options):
        self.rig = PlantRig(*faults, **options)
        self.addCleanup(self.rig.__exit__, None, None, None)
        self.rig.__enter__()
        return self.rig

    def wait(self, what, ready, timeout_s=30):
        deadline = time.monotonic() + timeout_s
        while not ready():
            self.assertLess(time.monotonic(), deadline, f"{what}:\n{self.rig.log_tail('hschedd.log')}")
            time.sleep(0.05)

    @unittest.skipUnless(shutil.which("mbpoll"), "no mbpoll")
    def test_values__are_those_that_mbpoll_reads(self):
        plant = self.open(f"freeze@{at(3)}+100d", hours=24 * 7)
        self.wait("time", lambda: plant.now() > rig.parse_time(at(3.5)))
        readings = plant.readings()
        for point, got in (("pool/main/captured_heat_wh", plant.mbpoll(1, "4:int")),
                           ("pool/main/tank/0.9_c", plant.mbpoll(11, "3") / 10),
                           ("pool/main/tank/0.1_c", plant.mbpoll(12, "3:float")),
                           ("pool/main/basin/demand_heat_w", plant.mbpoll(21, "4:float", "-B")),
                           ("pool/main/basin/useful_heat_wh", plant.mbpoll(23, "4:int"))):
            self.assertEqual(readings[point]["quality"], "good", point)
            self.assertAlmostEqual(readings[point]["value"], got, delta=1e-5 * abs(got), msg=point)
            self.assertGreater(got, 0, point)
        self.assertEqual(plant.mbpoll(5, "1"), 1)

    def test_figures__are_the_truth_over_faults_and_losses(self):
        plant = self.open(f"nan:pool/main/tank/0.9_c@{at(2)}+30m", f"swap:pool/main/basin/demand_heat_w@{at(3)}+30m",
                          f"scale:pool/main/tank/0.9_c@{at(4)}+30m", f"disconnect@{at(5)}+1h", f"mute@{at(7)}+30m")
        for _ in range(3):
            plant.hsched("submit", "--duration", "3h", "--vcpus", "5", "--", "work")
        seen = []
        while plant.server.poll() is None:
            for reading in plant.readings().values():
                seen.append(reading)
            time.sleep(0.1)
        truth = json.loads((plant.dir / "truth.json").read_text())
        for reading in seen:  # what is believed is never what the faults made of it
            if reading["value"] is not None and reading["point"].endswith("_c"):
                self.assertTrue(30 <= reading["value"] <= 62, reading)
            if reading["value"] is not None and reading["point"].endswith("demand_heat_w"):
                self.assertTrue(900 <= reading["value"] <= 5100, reading)
        last = plant.readings()
        for point in ("pool/main/captured_heat_wh", "pool/main/basin/useful_heat_wh"):
            self.assertAlmostEqual(last[point]["value"], truth["points"][point], delta=0.02 * truth["points"][point])
        # three jobs of five processors for three hours besides the idle host
        self.assertGreater(truth["points"]["pool/main/captured_heat_wh"], 0.8 * (150 * HOURS + 1000))
        self.assertIn(truth["told"]["pool/main/heartbeat"], (0, 1))
        for text in ("nan is not-a-number", "modbus 'plc' at 127.0.0.1", "nan is stale",
                     "plant: modbus 'plc' at 127.0.0.1:%d: connected" % plant.port):
            self.assertIn(text, plant.log())
        self.assertGreaterEqual(plant.log().count("good again"), 4)

    def test_unknown_device__is_said_with_its_place(self):
        plant = self.open(hours=1)
        plant.config["plant"]["modbus"][0]["name"] = "plx"
        (plant.dir / "bad.json").write_text(json.dumps(plant.config))
        done = subprocess.run([str(rig.program(BUILD, "hschedd")), "--config", str(plant.dir / "bad.json"), "--check"],
                              capture_output=True, text=True, timeout=20, check=False)
        self.assertEqual(done.returncode, 6, done.stderr)
        self.assertIn("estate.json: /sites/0/loops/0/points/captured_heat_wh: no device 'plc' under plant.modbus",
                      done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
