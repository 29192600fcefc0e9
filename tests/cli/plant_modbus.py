#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""hschedd, `hsim serve` and mbpoll over real sockets: the same values, and no wrong figure when it breaks."""
import json
import re
import shutil
import subprocess
import unittest

from daemon_support import BUILD, rig
from plant_support import HOURS, PlantCase, PlantRig, at

POINTS = {  # of the loop, the sink and the rack
    "loop": {
        "captured_heat_wh": {"modbus": "plc", "address": 1, "type": "uint32"},
        "tank/0.9_c": {"modbus": "plc", "table": "input", "address": 11, "type": "int16", "scale": 0.1,
                       "sentinels": [-32768], "min": 10, "max": 95, "rate_per_s": 1},
        "tank/0.1_c": {"modbus": "plc", "table": "input", "address": 12, "type": "float32",
                       "min": 10, "max": 95},
        "pump_ok": {"modbus": "plc", "table": "discrete", "address": 5},
        "heartbeat": {"modbus": "plc", "address": 100, "write": True}},
    "sink": {
        "demand_heat_w": {"modbus": "plc", "address": 21, "type": "float32", "word_order": "ABCD", "max": 10000,
                          "max_age": "10m"},
        "useful_heat_wh": {"modbus": "plc", "address": 23, "type": "uint64"}},
    "rack": {"elec_w": {"modbus": "plc", "address": 101, "type": "uint16", "write": True}},
}


class ModbusRig(PlantRig):
    def __init__(self, *faults, hours=HOURS):
        super().__init__(POINTS)
        self.start_server("--modbus", "plc=127.0.0.1:0,base=1,word_order=CDAB", hours=hours, faults=faults)
        self.wait_for("hsim serve", lambda: "modbus plc on" in self.log_tail("serve.log"), self.server, "serve.log")
        self.port = int(re.search(r"127\.0\.0\.1:(\d+)", self.log_tail("serve.log"))[1])
        self.set_plant({"modbus": [{"name": "plc", "host": "127.0.0.1", "port": self.port, "base": 1,
                                    "word_order": "CDAB", "period": "1m", "timeout_s": 0.5, "write": True}]})

    def mbpoll(self, reference, kind, *options):
        """What mbpoll reads there."""
        text = subprocess.check_output(
            ["mbpoll", "-m", "tcp", "-p", str(self.port), "-a", "1", "-r", str(reference), "-t", kind, "-1", *options,
             "127.0.0.1"], text=True, timeout=10)
        return float(re.search(r"^\[\d+\]:\s+(\S+)", text, re.M)[1])


class Modbus(PlantCase):
    def open(self, *faults, **options):
        self.rig = ModbusRig(*faults, **options)
        self.addCleanup(self.rig.__exit__, None, None, None)
        self.rig.__enter__()
        return self.rig

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
        self.watch()
        self.assert_counters()
        truth = plant.truth()
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
