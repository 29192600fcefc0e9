#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`hsched plant probe` without a daemon: a register in all word orders, a topic, a stream's tail."""
import json
import math
import os
import shutil
import struct
import subprocess
import threading
import time
import unittest

import daemon_support
from daemon_support import BUILD, rig
from plant_modbus import ModbusRig
from plant_mqtt import BROKER, MqttRig


def probe(*args, timeout=20):
    """hsched plant probe ARGS: exit status, stdout, stderr."""
    path = f"{rig.program(BUILD, 'hschedd').parent}:{os.environ['PATH']}"
    done = subprocess.run([str(rig.program(BUILD, "hsched")), "plant", "probe", *map(str, args)], text=True,
                          capture_output=True, timeout=timeout, check=False, env={**os.environ, "PATH": path})
    return done.returncode, done.stdout, done.stderr


class Registers(unittest.TestCase):
    def setUp(self):
        self.plant = ModbusRig(hours=24 * 7)
        self.addCleanup(self.plant.__exit__, None, None, None)

    def test_register__in_all_four_word_orders(self):
        time.sleep(0.1)
        where = f"modbus://127.0.0.1:{self.plant.port}/holding/21"
        probe(where, "--base", 1)  # the plant's time begins with its first client
        time.sleep(0.3)
        status, out, err = probe(where, "--base", 1, "--count", 2, "-o", "json")
        self.assertEqual(status, 0, err)
        answer = json.loads(out)
        words = answer["registers"]
        raw = struct.pack(">HH", *words)
        orders = {"ABCD": raw, "CDAB": raw[2:] + raw[:2], "BADC": bytes([raw[1], raw[0], raw[3], raw[2]]),
                  "DCBA": raw[::-1]}
        for order, data in orders.items():
            self.assertEqual(answer["numbers"]["uint32"][order], struct.unpack(">I", data)[0])
            self.assertEqual(answer["numbers"]["int32"][order], struct.unpack(">i", data)[0])
            number = struct.unpack(">f", data)[0]
            got = answer["numbers"]["float32"][order]
            if math.isfinite(number):
                self.assertAlmostEqual(got, number, delta=1e-12 * abs(number))
            else:
                self.assertIsNone(got)
        self.assertTrue(900 <= answer["numbers"]["float32"]["ABCD"] <= 5100)  # a demand, by its true order
        status, out, err = probe(where, "--base", 1)
        self.assertEqual(status, 0, err)
        self.assertIn("float64", out)
        self.assertRegex(out, r"from +ABCD +CDAB +BADC +DCBA")

    def test_bits__and_what_is_not_there(self):
        status, out, err = probe(f"modbus://127.0.0.1:{self.plant.port}/1/discrete/5", "--base", 1, "--count", 1)
        self.assertEqual(status, 0, err)
        self.assertIn("discrete", out)
        status, _, err = probe("modbus://127.0.0.1:1/holding/21")
        self.assertEqual(status, 1)
        self.assertIn("127.0.0.1:1: no connection: Connection refused", err)

    def test_bad_targets__are_said(self):
        for target, want in (("modbus://h/holding", "write modbus://HOST"), ("modbus://h/holding/x", "write modbus://"),
                             ("modbus://h/holding/0", "write modbus://"), ("ftp://h/x", "is no target"),
                             ("mqtt://h", "write mqtt://HOST"), ("unix:", "unix:")):
            status, _, err = probe(target, *(("--base", 1) if target.endswith("/0") else ()))
            self.assertEqual(status, 2, f"{target}: {err}")
            self.assertIn(want, err)
        self.assertEqual(probe()[0], 2)
        self.assertEqual(probe("unix:/x", "--count", "many")[0], 2)


@unittest.skipUnless(BROKER and shutil.which("mosquitto_pub"), "no mosquitto")
class Topics(unittest.TestCase):
    def setUp(self):
        self.plant = MqttRig(is_served=False)
        self.addCleanup(self.plant.__exit__, None, None, None)

    def test_topic__with_every_number_and_its_pointer(self):
        self.plant.say("pool/loop", '{"heat": {"w": 21500, "list": [1, 2.5]}, "name": "x"}', "-r")
        status, out, err = probe(f"mqtt://127.0.0.1:{self.plant.port}/pool/#", "--count", 1)
        self.assertEqual(status, 0, err)
        self.assertIn("pool/loop (retained: no reading)", out)
        self.assertRegex(out, r"/heat/w +21500\n")
        self.assertRegex(out, r"/heat/list/1 +2.5\n")

    def test_topic__as_it_comes(self):
        sayer = threading.Timer(0.5, self.plant.say, ("pool/basin", "7.5\x1b[2J"))
        sayer.start()
        status, out, err = probe(f"mqtt://127.0.0.1:{self.plant.port}/pool/basin", "--count", 1, "-o", "json")
        sayer.join()
        self.assertEqual(status, 0, err)
        self.assertEqual(json.loads(out)["payload"], "7.5\x1b[2J")
        self.assertFalse(json.loads(out)["retained"])

    def test_silence__ends(self):
        status, _, err = probe(f"mqtt://127.0.0.1:{self.plant.port}/pool/silent", "--for", "1s")
        self.assertEqual(status, 3, err)
        self.assertIn("nothing was said at 'pool/silent' in 1s", err)
        self.assertEqual(probe("mqtt://127.0.0.1:1/x")[0], 1)


class Streams(unittest.TestCase):
    def test_tail__is_the_newest_entries_oldest_first(self):
        with rig.PrivateRedis() as redis:
            where = f"unix:{redis.redis_socket}"
            self.assertEqual(probe(where)[0], 3)  # no entry yet
            for value in range(5):
                subprocess.run(["redis-cli", "-s", str(redis.redis_socket), "XADD", "hs:{main}:readings", "*", "point",
                                "pool/main/supply_c", "value", str(value), "at", "2026-01-05T10:00:00Z"], check=True,
                               stdout=subprocess.DEVNULL)
            status, out, err = probe(where, "--count", 2)
            self.assertEqual(status, 0, err)
            self.assertRegex(out, r"^\d+-\d  point pool/main/supply_c  value 3  at .*\n\S+  point .* value 4 ")
            self.assertEqual(json.loads(probe(where, "--count", 1, "-o", "json")[1])["value"], "4")
        self.assertEqual(probe(f"unix:{daemon_support.ROOT}/none.sock")[0], 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
