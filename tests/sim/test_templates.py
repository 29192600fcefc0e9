# SPDX-License-Identifier: Apache-2.0
"""A site of a template, a name, a rack and hosts runs in hsim; what was assumed is told.

Labelled synthetic: heat is a sine of the day, jobs are drawn with a fixed seed.
"""
import csv
import datetime
import json
import math
import os
import pathlib
import random
import subprocess
import tempfile
import unittest

HSIM = os.environ["HSIM"]
START = int(datetime.datetime(2024, 1, 8, tzinfo=datetime.timezone.utc).timestamp())
DAYS = 2
SINKS = {
    "office": ["heating", "hot-water"], "school": ["heating", "hot-water"],
    "clinic": ["heating", "hot-water"], "care-home": ["hot-water", "heating"],
    "warehouse": ["process", "heating"], "mixed-use": ["heating", "hot-water"],
    "leisure-centre": ["basin", "hot-water"], "apartment-block": ["hot-water", "heating"],
    "hospital": ["heating", "hot-water"], "laundry": ["process"], "campus": ["heating", "hot-water"],
    "municipal": ["heating", "hot-water"], "home": ["hot-water", "heating"], "greenhouse": ["beds"],
    "district": ["network"]}


def write_csv(path, head, rows):
    with path.open("w", newline="") as out:
        csv.writer(out).writerows([head, *rows])


def stamp(at_s):
    return datetime.datetime.fromtimestamp(at_s, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Templates(unittest.TestCase):
    def setUp(self):
        temp = tempfile.TemporaryDirectory()
        self.addCleanup(temp.cleanup)
        self.folder = pathlib.Path(temp.name)
        write_csv(self.folder / "heat.csv", ["time_utc", "heat_kw"],
                  [[stamp(START + 3600 * h), f"{1.2 + 0.8 * math.cos(h * math.pi / 12):.3f}"]
                   for h in range(-24 * 28, 24 * (DAYS + 3))])
        rng = random.Random(11)
        write_csv(self.folder / "jobs.csv", ["arrival_s", "run_s", "cpus"],
                  [[at_s, rng.randrange(1200, 9000), rng.choice([2, 4, 8])]
                   for at_s in sorted(rng.randrange(86400) for _ in range(25))])

    def run_it(self, site, sinks, policies):
        scenario = {
            "$comment": "synthetic", "start": stamp(START), "days": DAYS, "slot_s": 900, "seed": 1,
            "estate": {"estate": "synthetic", "sites": [site]},
            "heat": [{"sink": sink, "csv": "heat.csv", "column": "heat_kw"} for sink in sinks],
            "jobs": [{"csv": "jobs.csv", "slack_ratio": 2, "min_slack_s": 14400, "interruptible_ratio": 0.5}],
            "policies": policies}
        path = self.folder / "scenario.json"
        path.write_text(json.dumps(scenario, indent=1))
        done = subprocess.run([HSIM, "run", str(path)], capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return {policy["name"]: policy for policy in json.loads(done.stdout)["policies"]}, done.stderr

    def site(self, template, **more):
        rack = {"name": "r1", **more,
                "hosts": [{"name": "h", "count": 3, "uri": "sim:", "vcpus": 16, "memory_mib": 65536,
                           "idle_w": 100, "max_w": 500}]}
        return {"name": "here", "template": template, "racks": [rack]}

    def check(self, policy):
        """Jobs get done, and every Wh captured is somewhere."""
        self.assertEqual(policy["jobs_done"], policy["jobs_total"])
        self.assertGreater(policy["useful_heat_wh"], 0)
        self.assertLess(abs(policy["balance_residual_ratio"]), 1e-6)

    def test_every_template_runs_with_one_series_per_sink(self):
        for template, names in SINKS.items():
            with self.subTest(template=template):
                got, err = self.run_it(self.site(template, cooling="direct-to-chip"),
                                       [f"here/heat/{name}" for name in names], ["asap"])
                self.check(got["asap"])
                self.assertIn("assumed, neither given nor measured: here electricity/price_cur_per_mwh", err)
                # 1500 W of hosts x 0.65 captured is never more than the template's rejection takes
                self.assertNotIn("rejection", err.split("assumed")[0])

    def test_a_cold_loop_serves_through_a_heat_pump_and_pays_for_it(self):
        """Rooms at 35 °C from a loop at 28 °C: COP = 0.45 x 308.15 / 7 = 19.8, so 5.05 % is electricity."""
        got, _ = self.run_it(self.site("district", cooling="air-to-water") | {"loops": [{
            "name": "heat", "sinks": [{"name": "network", "kind": "space-heating-low-temperature"}]}]},
            ["here/heat/network"], ["asap"])
        self.check(got["asap"])
        given = got["asap"]["useful_heat_wh"] + got["asap"]["lift_elec_wh"]
        self.assertAlmostEqual(got["asap"]["lift_elec_wh"] / given, 7 / (0.45 * 308.15), delta=0.01)

    def test_heat_runs_on_a_template_and_is_no_dearer_than_asap(self):
        got, _ = self.run_it(self.site("leisure-centre", cooling="immersion"),
                             ["here/heat/basin", "here/heat/hot-water"], ["asap", "heat"])
        self.check(got["heat"])
        self.assertEqual(got["heat"]["jobs_late"], 0)
        self.assertLess(got["heat"]["cost_cur"], got["asap"]["cost_cur"] * 1.02)

    def test_what_the_file_says_stays_and_what_cannot_work_is_noted(self):
        site = self.site("school", cooling="air-to-water")
        site["loops"] = [{"name": "heat", "supply_c": 50, "rejection": {"limit_w": 100}}]
        site["electricity"] = {"price_cur_per_mwh": 90}
        _, err = self.run_it(site, ["here/heat/heating", "here/heat/hot-water"], ["asap"])
        self.assertIn("note: rack 'here/r1': cooling air-to-water hands over heat at 30 °C at most, loop 'here/heat' "
                      "wants 50 °C", err)
        self.assertIn("loop 'here/heat': rejection/limit_w is 100 W, with redundancy n its racks ask for 750 W", err)
        self.assertNotIn("price_cur_per_mwh 200", err)
        self.assertIn("gco2_per_kwh 281", err)


if __name__ == "__main__":
    unittest.main()
