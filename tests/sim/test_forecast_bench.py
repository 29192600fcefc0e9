# SPDX-License-Identifier: Apache-2.0
"""./dev bench forecast, without the shared folder: on a SYNTHETIC series, every line labelled so."""

import json
import os
import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEYS = {"bench", "series", "model", "nmae", "nrmse", "mase", "coverage_80_ratio", "us_per_forecast"}


def bench(*args):
    return subprocess.run([sys.executable, ROOT / "tests/bench/bench.py", "--build", os.environ["HSCHED_BUILD"], "forecast", *args],
                          env={**os.environ, "HSCHED_TEST_SHARED": "/nonexistent"}, capture_output=True, text=True,
                          check=False, timeout=200)


class Bench(unittest.TestCase):
    def test_lines(self):
        done = bench("--model", "yesterday")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual({line["data"] for line in lines}, {"synthetic"})
        for weather in ("persisted", "perfect", "issued"):
            of = [line for line in lines if line.get("weather") == weather]
            one = [line for line in of if line["series"] == "synthetic" and line["model"] == "yesterday"]
            self.assertEqual(len(one), 1)
            self.assertLessEqual(KEYS, set(one[0]))
            together = {line["part"]: line for line in of if line["series"] == "all" and line["model"] == "yesterday"}
            self.assertEqual(set(together), {"all", "first", "second"})
            self.assertEqual(together["all"]["geomean_to_yesterday"], 1.0)
        speed = {line["op"]: line for line in lines if "op" in line}
        self.assertEqual(set(speed), {"refresh", "absorb", "absorb_unasked"})
        self.assertEqual((speed["refresh"]["sinks"], speed["refresh"]["slots"], speed["absorb"]["slot_s"]), (100, 192, 900))

    def test_a_series_that_is_not_there(self):
        done = bench("--series", "nowhere")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("'nowhere'", done.stderr)


if __name__ == "__main__":
    unittest.main()
