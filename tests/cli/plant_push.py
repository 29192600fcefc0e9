#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""POST /v1/readings: what is taken, what is refused and why; good ones among bad ones go on."""
import json
import time
import unittest

import daemon_support

DEMAND = "pool/main/basin/demand_heat_w"


class Push(unittest.TestCase):
    def setUp(self):
        estate = json.loads(json.dumps(daemon_support.ESTATE))
        estate["sites"][0]["loops"][0]["points"] = {"supply_c": {"modbus": "plc", "address": 1}}
        self.rig = daemon_support.MemRig(speed=60)
        (self.rig.dir / "estate.json").write_text(json.dumps(estate))
        self.rig.config["plant"] = {"modbus": [{"name": "plc", "host": "127.0.0.1", "port": 1}]}
        (self.rig.dir / "hschedd.json").write_text(json.dumps(self.rig.config))
        self.addCleanup(self.rig.__exit__, None, None, None)
        self.rig.__enter__()

    def post(self, body):
        status, _, answer = self.rig.ask("POST", "/v1/readings", body)
        return status, answer

    def now(self):
        return self.rig.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def value(self, point=DEMAND):
        return next(r for r in self.rig.get("/v1/loops")["items"][0]["readings"] if r["point"] == point)

    def wait_value(self, value, quality="good"):
        deadline = time.monotonic() + 10
        while (self.value()["value"], self.value()["quality"]) != (value, quality):
            self.assertLess(time.monotonic(), deadline, self.value())
            time.sleep(0.05)

    def test_readings__in_each_form(self):
        self.assertEqual(self.post({"point": DEMAND, "value": 9000, "at": self.now()})[0], 200)
        self.wait_value(9000)
        status, answer = self.post([{"point": DEMAND, "value": 9100}])
        self.assertEqual((status, answer["kind"], answer["taken"], answer["refused"]), (200, "ReadingsTaken", 1, []))
        self.wait_value(9100)
        self.assertEqual(self.post({"readings": [{"point": DEMAND, "value": None}]})[1]["taken"], 1)
        self.wait_value(9100, "not-a-number")  # never zero
        self.assertEqual(self.post([{"point": DEMAND, "value": -5}])[1]["taken"], 1)
        self.wait_value(9100, "out-of-range")

    def test_bad_ones__are_named_and_the_others_taken(self):
        status, answer = self.post([
            {"point": DEMAND, "value": 8000}, {"point": "pool/main/sauna/demand_heat_w", "value": 1},
            {"point": DEMAND, "value": "12kW"}, {"point": DEMAND}, {"point": DEMAND, "value": 1, "at": "now+2h"},
            {"point": DEMAND, "value": 1, "at": "2039-01-01T00:00:00Z"}, {"point": "pool/main/supply_c", "value": 40},
            {"point": "pool/main/heartbeat", "value": 1}, {"value": 1}, 7, {"point": DEMAND, "value": 1, "unit": "kW"}])
        self.assertEqual((status, answer["taken"], [r["item"] for r in answer["refused"]]), (200, 1, list(range(1, 11))))
        texts = [r["text"] for r in answer["refused"]]
        for text, want in zip(texts, ("there is no sink 'sauna'", "value must be a number", "value is missing",
                                      "at must be like", "lies in the future", "is read from modbus 'plc'",
                                      "is told to the plant", "must be an object", "must be an object",
                                      "unknown field 'unit'")):
            self.assertIn(want, text)
        self.assertEqual(answer["refused"][5]["error"], "conflict")
        self.wait_value(8000)

    def test_nothing_taken__is_an_error(self):
        self.assertEqual(self.post([{"point": "x", "value": 1}])[0], 404)
        for body in ("", "[", "[]", "7", '{"readings": 5}', '{"readings": []}'):
            status, answer = self.post(body)
            self.assertEqual((status, answer["error"]), (400, "invalid"), body)


if __name__ == "__main__":
    unittest.main(verbosity=2)
