#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What hschedd tells a plant over a real socket: rejection, the heat to come, its heartbeat; only where `write` is on."""
import copy
import json
import re
import unittest

import plant_modbus
from daemon_support import rig
from plant_support import PlantCase, PlantRig

TOLD = {"heartbeat": {"modbus": "plc", "address": 100, "write": True},
        "rejection_wanted": {"modbus": "plc", "address": 102, "write": True},
        "heat_offer_w": {"modbus": "plc", "address": 103, "type": "uint32", "write": True}}


class OutboundRig(PlantRig):
    def __init__(self, over_c, can_write):
        points = copy.deepcopy(plant_modbus.POINTS)
        points["loop"].update(TOLD)
        super().__init__(points)
        estate = json.loads((self.dir / "estate.json").read_text())
        estate["sites"][0]["loops"][0]["over_c"] = over_c
        (self.dir / "estate.json").write_text(json.dumps(estate))
        self.start_server("--modbus", "plc=127.0.0.1:0,base=1,word_order=CDAB", hours=2)
        self.wait_for("hsim serve", lambda: "modbus plc on" in self.log_tail("serve.log"), self.server, "serve.log")
        port = int(re.search(r"127\.0\.0\.1:(\d+)", self.log_tail("serve.log"))[1])
        self.set_plant({"modbus": [{"name": "plc", "host": "127.0.0.1", "port": port, "base": 1, "word_order": "CDAB",
                                    "period": "1m", "timeout_s": 0.5, "write": can_write}]})


class Outbound(PlantCase):
    def run_with(self, over_c, can_write=True):
        self.rig = OutboundRig(over_c, can_write)
        self.addCleanup(self.rig.__exit__, None, None, None)
        self.rig.__enter__()
        self.wait("the server's end", lambda: self.rig.server.poll() is not None)
        return self.rig.truth()["told"], self.rig.log()

    def test_a_cool_loop__is_offered_heat_and_rejects_none(self):
        told, _ = self.run_with(100)
        self.assertEqual(told["pool/main/rejection_wanted"], 0)
        self.assertAlmostEqual(told["pool/main/heat_offer_w"], 0.8 * 150, delta=12)  # an idle host's
        self.assertIn(told["pool/main/heartbeat"], (0, 1))

    def test_a_hot_loop__is_to_reject(self):
        told, log = self.run_with(30)
        self.assertEqual(told["pool/main/rejection_wanted"], 1)
        self.assertIn("normal -> over-temperature", log)

    def test_without_write__nothing_is_told(self):
        told, log = self.run_with(30, can_write=False)
        self.assertFalse(any(value for point, value in told.items() if "elec_w" not in point), told)
        self.assertEqual(log.count("'pool/main/rejection_wanted' cannot be told 0: modbus 'plc' is read only: its write is off"),
                         1, log)


if __name__ == "__main__":
    unittest.main(verbosity=2)
