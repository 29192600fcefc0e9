# SPDX-License-Identifier: Apache-2.0
"""The bounds: never above an on-time controller on a synthetic scenario (always runs), and equal to
an independent program's on the shared ones (three of them; all with HSCHED_TEST_LONG=1).

`bound` has one optimum that matters: its cost and its heat must agree. `bound_useful` has many
optima of the same useful heat, so only its heat is compared: its cost is whatever a solver's corner
costs, and the reference's is from another solver. Prints the largest deviation of each."""

import json
import os
import pathlib
import subprocess
import tempfile
import time
import unittest

from test_hsim import make_scenario, write_scenario

HSIM = os.environ["HSIM"]
SHARED = pathlib.Path(os.environ.get("HSCHED_TEST_SHARED", "/nonexistent")) / "scenarios"
TOLERANCE = 0.003
SHORT = {"d1-winter-campus", "d4-summer", "d8-unequal-sites"}
if os.environ.get("HSCHED_TEST_SHORT"):  # a sanitizer's run: the figures are the same there
    SHORT = {"d8-unequal-sites"}
OF_BOUND = ["it_wh", "captured_heat_wh", "useful_heat_wh", "demand_heat_wh", "recovery_ratio",
            "used_ratio", "coverage_ratio", "erf", "cost_cur", "jobs_total"]
OF_USEFUL = ["it_wh", "captured_heat_wh", "useful_heat_wh", "demand_heat_wh", "recovery_ratio",
             "coverage_ratio", "backup_heat_wh", "jobs_total"]


def run(path, policies):
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "report.json"
        done = subprocess.run([HSIM, "run", str(path), "--policies", policies, "-o", str(out)],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        return {p["name"]: p for p in json.loads(out.read_text())["policies"]}, done.stderr


class Synthetic(unittest.TestCase):
    """Data made by formula and a seed (test_hsim.make_scenario), measured nowhere."""

    def setUp(self):
        temp = tempfile.TemporaryDirectory()
        self.addCleanup(temp.cleanup)
        self.folder = pathlib.Path(temp.name)
        self.scenario = make_scenario(self.folder, 3, 40)

    def run_here(self, policies):
        return run(self.folder / "scenario.json", policies)[0]

    def test_nobody_in_time_beats_the_bounds(self):
        got = self.run_here("bound_jobs,bound,asap,heat,bound_useful")
        bound, useful = got["bound"], got["bound_useful"]
        for name in ("asap", "heat"):
            self.assertEqual(got[name]["jobs_late"], 0)
            self.assertGreater(got[name]["cost_cur"], bound["cost_cur"])
            self.assertGreaterEqual(got[name]["cost_cur"], got["bound_jobs"]["cost_cur"])
            self.assertLessEqual(got[name]["recovery_ratio"], useful["recovery_ratio"])
        self.assertGreaterEqual(got["bound_jobs"]["cost_cur"], bound["cost_cur"] - 1e-4)
        self.assertLessEqual(bound["useful_heat_wh"], useful["useful_heat_wh"] + 1)
        self.assertAlmostEqual(bound["it_wh"], got["asap"]["it_wh"], delta=1)
        for name in ("jobs_done", "jobs_late", "moves", "wait_s_mean", "is_later_than_asap"):
            self.assertIsNone(bound[name])

    def test_shares_are_of_what_the_bounds_leave(self):
        got = self.run_here("heat,bound_useful,bound,asap")
        asap, bound, heat = got["asap"], got["bound"], got["heat"]
        self.assertAlmostEqual(heat["value_captured_ratio"],
                               (asap["cost_cur"] - heat["cost_cur"])
                               / (asap["cost_cur"] - bound["cost_cur"]))
        self.assertAlmostEqual(heat["recovery_points_captured_ratio"],
                               (heat["recovery_ratio"] - asap["recovery_ratio"])
                               / (got["bound_useful"]["recovery_ratio"] - asap["recovery_ratio"]))
        self.assertEqual(asap["value_captured_ratio"], 0)
        self.assertEqual(bound["value_captured_ratio"], 1)
        self.assertIs(heat["is_later_than_asap"], False)
        self.assertIsNone(self.run_here("asap,heat")["heat"]["value_captured_ratio"])

    def test_work_that_cannot_be_in_time_is_said(self):
        rows = ["arrival_s,run_s,cpus"] + ["0,7200,24"] * 8  # five hosts of 24 free vCPUs
        (self.folder / "jobs.csv").write_text("\n".join(rows) + "\n")
        jobs = [{"csv": "jobs.csv", "slack_ratio": 0.2, "min_slack_s": 0}]
        write_scenario(self.folder, {**self.scenario, "jobs": jobs})
        got, words = run(self.folder / "scenario.json", "asap,bound")
        self.assertGreater(got["asap"]["jobs_late"], 0)
        self.assertIn("no schedule is in time", got["bound"]["note"])
        self.assertIn("no schedule is in time", words)
        self.assertIsNone(got["asap"]["value_captured_ratio"])

    def test_a_due_time_before_the_work_can_be_done_is_said(self):
        """Due times by a requested time that is shorter than the run: 1200 s for 7200 s of work."""
        rows = ["arrival_s,run_s,cpus,requested_s", "450,7200,24,1000", "900,3600,8,3600", "40000,600,8,1200"]
        (self.folder / "jobs.csv").write_text("\n".join(rows) + "\n")
        jobs = [{"csv": "jobs.csv", "slack_ratio": 0.2, "min_slack_s": 0, "estimate": "requested"}]
        write_scenario(self.folder, {**self.scenario, "jobs": jobs})
        got, words = run(self.folder / "scenario.json", "asap,bound,bound_useful,bound_jobs")
        self.assertEqual(got["asap"]["jobs_late"], 1)
        for name in ("bound", "bound_useful", "bound_jobs"):
            self.assertIn("no schedule is in time", got[name]["note"])
            self.assertAlmostEqual(got[name]["it_wh"], got["asap"]["it_wh"], delta=1)
        self.assertIsNone(got["asap"]["value_captured_ratio"])

    def test_a_lost_host_draws_nothing(self):
        events = [{"kind": "host-lost", "object": "pool/h-1", "at": "2026-01-05T10:00:00Z",
                   "for": "40h"}]
        write_scenario(self.folder, {**self.scenario, "events": events})
        got = self.run_here("asap,bound")
        self.assertLess(got["bound"]["cost_cur"], got["asap"]["cost_cur"])
        # what asap's restarts lost is work that a schedule which expects the fault need not do
        self.assertAlmostEqual(got["bound"]["it_wh"],
                               got["asap"]["it_wh"] - got["asap"]["lost_work_wh"], delta=1)

    def test_heat_pump_lift_is_refused(self):
        sink = self.scenario["estate"]["sites"][0]["loops"][0]["sinks"][0]
        sink["lift"] = "heat-pump"
        write_scenario(self.folder, self.scenario)
        done = subprocess.run([HSIM, "run", str(self.folder / "scenario.json"), "--policies",
                               "bound"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 6, done.stderr)
        self.assertIn("pool/main/building", done.stderr)
        self.assertIn("heat-pump", done.stderr)


@unittest.skipUnless(SHARED.is_dir(), f"the shared scenarios are not at {SHARED}")
class Shared(unittest.TestCase):
    def compare(self, path, got, want, names):
        worst = ("", 0.0)
        for name in names:
            self.assertIsNotNone(got[name], name)
            share = abs(got[name] - want[name]) / abs(want[name]) if want[name] else abs(got[name])
            worst = max(worst, (name, share), key=lambda pair: pair[1])
            self.assertLessEqual(share, TOLERANCE, f"{path.stem} {got['name']} {name}: got "
                                 f"{got[name]}, the reference has {want[name]}")
        return f"{got['name']} {worst[0]} off by {100 * worst[1]:.4f} %"

    def test_bounds_are_the_reference_program_s(self):
        for reference in sorted(SHARED.glob("*.reference.json")):
            path = reference.with_name(reference.name.replace(".reference.json", ".json"))
            if path.stem not in SHORT and not os.environ.get("HSCHED_TEST_LONG"):
                continue
            begun = time.monotonic()
            got = run(path, "asap,bound,bound_useful")[0]
            want = {p["name"]: p for p in json.loads(reference.read_text())["policies"]}
            words = [self.compare(path, got["bound"], want["bound"], OF_BOUND),
                     self.compare(path, got["bound_useful"], want["bound_useful"], OF_USEFUL)]
            cost = abs(got["bound_useful"]["cost_cur"] / want["bound_useful"]["cost_cur"] - 1)
            print(f"{path.stem}: worst {', '.join(words)} (its cost, one of many, by "
                  f"{100 * cost:.2f} %), {time.monotonic() - begun:.1f} s")
            for policy in want.values():
                if policy.get("jobs_late") == 0:
                    self.assertGreater(policy["cost_cur"], got["bound"]["cost_cur"], policy["name"])


if __name__ == "__main__":
    unittest.main()
