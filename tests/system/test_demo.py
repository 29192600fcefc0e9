#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`./dev demo` as README.md shows it: under 90 s, its report complete, its promises kept."""
import json
import os
import pathlib
import subprocess
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("HSCHED_BUILD", ROOT / "build"))
FIGURES = ("it_wh", "captured_heat_wh", "useful_heat_wh", "rejected_heat_wh", "lost_heat_wh", "stored_heat_wh",
           "balance_residual_ratio", "demand_heat_wh", "recovery_ratio", "used_ratio", "coverage_ratio",
           "backup_heat_wh", "cost_cur", "gco2", "jobs_total", "jobs_done", "jobs_late", "late_s_max", "suspends")
SITE_FIGURES = ("demand_heat_wh", "useful_heat_wh", "recovery_ratio", "coverage_ratio", "backup_heat_wh")


class Demo(unittest.TestCase):
    """One run, looked at from several sides."""

    @classmethod
    def setUpClass(cls):
        began = time.monotonic()
        # the synthetic day, so that this run is the same on every machine
        cls.done = subprocess.run([sys.executable, "-B", ROOT / "tests/support/demo.py", "--build", BUILD, "--synthetic"],
                                  capture_output=True, text=True, timeout=300, check=False)
        cls.wall_s = time.monotonic() - began
        print(cls.done.stdout, cls.done.stderr, sep="\n", file=sys.stderr)
        if cls.done.returncode != 0:
            raise AssertionError(f"demo: exit {cls.done.returncode}")
        cls.report = json.loads((BUILD / "demo" / "report.json").read_text())
        cls.heat, cls.asap = cls.report["policies"]

    def test_takes_less_than_90_s(self):
        self.assertLess(self.wall_s, 90)

    def test_says_that_hosts_and_data_are_not_real(self):
        self.assertIn("SIMULATED", self.done.stderr)
        self.assertIn("SYNTHETIC", self.done.stderr)
        self.assertIn("simulated hosts; synthetic data", self.done.stdout)

    def test_report_has_every_figure_for_both_controllers(self):
        self.assertEqual(self.report["api"], "hsched.sim/v1")
        self.assertEqual([p["name"] for p in self.report["policies"]], ["heat", "asap"])
        for policy in self.report["policies"]:
            for key in FIGURES:
                self.assertIsNotNone(policy.get(key), f"{policy['name']}: {key}")
            self.assertEqual([s["name"] for s in policy["sites"]], ["pool", "office", "homes"])
            for site in policy["sites"]:
                for key in SITE_FIGURES:
                    self.assertIsNotNone(site.get(key), f"{policy['name']}: {site['name']}: {key}")

    def test_heat_balances(self):
        for policy in self.report["policies"]:
            self.assertLessEqual(abs(policy["balance_residual_ratio"]), 0.001, policy["name"])

    def test_both_ran_the_same_day(self):
        self.assertEqual(self.heat["jobs_total"], self.asap["jobs_total"])
        self.assertAlmostEqual(self.heat["demand_heat_wh"] / self.asap["demand_heat_wh"], 1, delta=0.02)

    def test_all_work_is_done_and_no_more_of_it_late(self):
        self.assertEqual(self.heat["jobs_done"], self.heat["jobs_total"])
        self.assertLessEqual(self.heat["jobs_late"], self.asap["jobs_late"])

    def test_heat_following_recovers_more_and_costs_less(self):
        self.assertGreater(self.heat["recovery_ratio"], self.asap["recovery_ratio"] + 0.02)
        self.assertLess(self.heat["backup_heat_wh"], self.asap["backup_heat_wh"])
        self.assertLess(self.heat["cost_cur"], self.asap["cost_cur"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
