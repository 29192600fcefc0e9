# SPDX-License-Identifier: Apache-2.0
"""./dev bench worth, without the shared folder: on a SYNTHETIC week, every line labelled so."""

import json
import os
import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def bench(*args):
    return subprocess.run([sys.executable, ROOT / "tests/bench/bench.py", "--build", os.environ["HSCHED_BUILD"], "worth",
                           "--no-perfect", *args],
                          env={**os.environ, "HSCHED_TEST_SHARED": "/nonexistent"}, capture_output=True, text=True,
                          check=False, timeout=200)


class Bench(unittest.TestCase):
    def test_lines(self):
        done = bench("--variants", "free,gathered,asleep")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual({line["data"] for line in lines}, {"synthetic"})
        of = {line["variant"]: line for line in lines if line["scenario"] == "scenario"}
        self.assertEqual([line["variant"] for line in lines if line["scenario"] == "all"], ["free", "gathered", "asleep"])
        for line in of.values():
            self.assertLessEqual(line["bound_cost_cur"], line["heat_cost_cur"])
            saved = line["heat_saving_heat_cur"] + line["heat_saving_electricity_cur"]
            self.assertAlmostEqual(saved, line["asap_cost_cur"] - line["heat_cost_cur"], places=3)
            self.assertFalse(line["heat_is_later"])
        self.assertTrue(of["free"]["is_lowest"])
        # heat that idling made is made otherwise: what is saved is less than idling cost, but it is saved
        self.assertLess(of["asleep"]["heat_cost_cur"], 0.95 * of["gathered"]["heat_cost_cur"])

    def test_a_variant_that_is_not_there(self):
        done = bench("--variants", "nothing")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("'nothing'", done.stderr)


if __name__ == "__main__":
    unittest.main()
