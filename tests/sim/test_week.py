#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A whole winter week on simulated hosts: the daemon's own decisions beside first come, first served.

The synthetic week always runs; the measured ones need HSCHED_TEST_SHARED and are skipped without.
Figures are printed, so that a change of them is seen even where no bound breaks."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
HSIM = os.environ.get("HSIM", str(ROOT / "build" / "scheduler" / "sim" / "hsim"))
DATA = pathlib.Path(os.environ.get("HSCHED_TEST_SHARED", "/nonexistent")) / "data"
DAYS = 1 if os.environ.get("HSCHED_TEST_SHORT") else 7


def run_week(data=None, jobs=None):
    """(heat, asap) of the demo's estate over the week; @jobs replaces its list of work."""
    with tempfile.TemporaryDirectory(prefix="hsched-week-") as name:
        folder = pathlib.Path(name)
        command = [sys.executable, ROOT / "docs/examples/demo/generate.py", "--out", folder, "--days", str(DAYS)]
        subprocess.run(command + (["--data", data] if data else []), check=True, stdout=subprocess.DEVNULL)
        path = folder / "scenario.json"
        if jobs:
            scenario = json.loads(path.read_text())
            scenario["jobs"] = [jobs]
            path.write_text(json.dumps(scenario))
        subprocess.run([HSIM, "run", path, "--policies", "heat,asap", "-o", folder / "report.json"], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        heat, asap = json.loads((folder / "report.json").read_text())["policies"]
    for run in (heat, asap):
        print(f"{run['name']:5} {run['jobs_done']}/{run['jobs_total']} done, {run['jobs_late']} late, recovery "
              f"{run['recovery_ratio']:.3f}, coverage {run['coverage_ratio']:.3f}, cost {run['cost_cur']:.2f} EUR, "
              f"{run['suspends']} suspends")
    return heat, asap


class Week(unittest.TestCase):
    def check_service(self, heat, asap):
        """Heat-following does the same work, no later, and its heat adds up."""
        self.assertGreater(heat["jobs_total"], 50)
        self.assertEqual(heat["jobs_done"], asap["jobs_done"])
        self.assertLessEqual(heat["jobs_late"], asap["jobs_late"])
        for run in (heat, asap):
            self.assertLessEqual(abs(run["balance_residual_ratio"]), 0.001)

    def check_gain(self, heat, asap):
        self.assertGreater(heat["useful_heat_wh"], asap["useful_heat_wh"])
        self.assertLess(heat["backup_heat_wh"], asap["backup_heat_wh"])
        self.assertLess(heat["cost_cur"], asap["cost_cur"])

    def test_synthetic_week(self):
        heat, asap = run_week()
        self.check_service(heat, asap)
        self.check_gain(heat, asap)

    @unittest.skipUnless(DATA.is_dir(), f"no measured data at {DATA}")
    def test_measured_week(self):
        heat, asap = run_week(DATA)
        self.check_service(heat, asap)
        self.check_gain(heat, asap)

    @unittest.skipUnless(DATA.is_dir(), f"no measured data at {DATA}")
    def test_measured_week_with_a_queue_that_asks_for_days(self):
        # requested times here are 14 times the run: no bound on cost yet, only on service
        self.check_service(*run_week(DATA, {
            "swf": str(DATA / "jobs_wagap_2013.swf.gz"), "offset_s": 44 * 86400, "scale_cpus": 12, "slack_ratio": 1,
            "min_slack_s": 6 * 3600, "interruptible_ratio": 0.5, "max_run_s": 4 * 3600}))


if __name__ == "__main__":
    unittest.main(verbosity=2)
