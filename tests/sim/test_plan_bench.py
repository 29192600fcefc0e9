# SPDX-License-Identifier: Apache-2.0
"""./dev bench plan and insert on a small made-up case: the fields, and what is checked on the way."""
import json
import os
import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "bench"))
import planbench  # noqa: E402

SMALL = ("--jobs", "200", "--loops", "4", "--hosts", "40", "--slots", "96")
PLAN = {"bench", "jobs", "loops", "hosts", "slots", "utilisation", "seed", "threads", "cold_ms", "warm_p50_ms", "warm_p99_ms",
        "cost", "bound", "gap_ratio", "certificate_ms", "misses", "misses_asap", "feasible"}


def bench(*args):
    done = subprocess.run([sys.executable, ROOT / "tests/bench/bench.py", "--build", os.environ["HSCHED_BUILD"], *args],
                          capture_output=True, text=True, check=False, timeout=200)
    return done, [json.loads(line) for line in done.stdout.splitlines()]


class PlanBench(unittest.TestCase):
    def test_plan(self):
        done, lines = bench("plan", *SMALL, "--steps", "2", "--seeds", "2")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual([line["seed"] for line in lines], [1, 2])
        for line in lines:
            self.assertLessEqual(PLAN, set(line))
            self.assertEqual((line["bench"], line["jobs"], line["utilisation"], line["feasible"]), ("plan", 200, 0.5, True))
            self.assertLessEqual(line["misses"], line["misses_asap"])
            self.assertGreater(line["cost_asap"], line["cost"])
            if line["bound"] is not None:
                self.assertLessEqual(line["bound"], line["cost"])
                self.assertAlmostEqual(line["gap_ratio"], (line["cost"] - line["bound"]) / line["bound"])

    def test_insert(self):
        done, lines = bench("insert", *SMALL)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual((lines[0]["bench"], lines[0]["jobs"], lines[0]["feasible"]), ("insert", 200, True))
        self.assertLessEqual(lines[0]["p50_us"], lines[0]["p99_us"])

    def test_a_case_that_cannot_be_made(self):
        done, lines = bench("plan", "--jobs", "10", "--loops", "4")
        self.assertEqual((done.returncode, lines), (1, []))
        self.assertIn("no such case", done.stderr)

    def test_the_fitted_exponent_is_that_of_the_points(self):
        self.assertAlmostEqual(planbench.fit([(x, 3 * x ** 1.25) for x in (1, 2, 4, 8)]), 1.25)


if __name__ == "__main__":
    unittest.main()
