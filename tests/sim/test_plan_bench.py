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

IS_SHORT = bool(os.environ.get("HSCHED_TEST_SHORT"))  # a sanitizer's run: slower, and the same code
SMALL = ("--jobs", "200", "--loops", "4", "--hosts", "40", "--slots", "96")
PLAN = {"bench", "jobs", "loops", "hosts", "slots", "utilisation", "seed", "threads", "cold_ms", "warm_p50_ms", "warm_p99_ms",
        "cold_cost", "cold_gap_ratio", "cold_misses", "bound", "certificate_ms", "guided_ms", "guided_cost", "guided_gap_ratio",
        "guided_misses", "warm_gap_ratio", "misses_asap", "feasible"}


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
            for plan in ("cold", "guided"):
                self.assertLessEqual(line[f"{plan}_misses"], line["misses_asap"])
                self.assertGreater(line["cost_asap"], line[f"{plan}_cost"])
                if line["bound"] is not None:
                    self.assertLessEqual(line["bound"], line[f"{plan}_cost"])
                    self.assertAlmostEqual(line[f"{plan}_gap_ratio"], (line[f"{plan}_cost"] - line["bound"]) / line["bound"])

    def test_groups_are_planned_alike_on_any_number_of_threads(self):
        jobs, hosts = ("600", "60") if IS_SHORT else ("2400", "240")
        case = ("--jobs", jobs, "--loops", "12", "--hosts", hosts, "--slots", "96", "--steps", "1", "--seed", "1", "--groups", "3")
        costs = set()
        for threads in ("1", "2"):
            done, lines = bench("plan", *case, "--threads", threads)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertEqual((lines[0]["groups"], lines[0]["threads"]), (3, int(threads)))
            costs.add(lines[0]["guided_cost"])
        self.assertEqual(len(costs), 1)

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
