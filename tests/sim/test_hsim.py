# SPDX-License-Identifier: Apache-2.0
"""hsim on synthetic data (made here, by formula and a seed; no measured series): figures that can
be worked out by hand, same seed same bytes, exit statuses, and what it says of bad input."""

import json
import math
import os
import pathlib
import random
import subprocess
import tempfile
import time
import unittest

HSIM = os.environ["HSIM"]
START = 1767571200  # 2026-01-05T00:00:00Z
IDLE_W, MAX_W, VCPUS, PINNED = 120.0, 520.0, 32, 8


def stamp(at_s):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_s))


def write_heat(path, days, mean_kw):
    """Hourly demand from two days before the start: a day's wave with two peaks."""
    rows = ["time_utc,heat_kw"]
    for hour in range(-48, 24 * days):
        wave = 1 + 0.5 * math.sin(hour * math.pi / 12) + 0.3 * math.sin(hour * math.pi / 6)
        rows.append(f"{stamp(START + 3600 * hour)},{mean_kw * wave:.4f}")
    path.write_text("\n".join(rows) + "\n")


def write_price(path, days):
    rows = ["time_utc,eur_mwh"]
    for hour in range(-48, 24 * (days + 2)):
        rows.append(f"{stamp(START + 3600 * hour)},{120 + 60 * math.sin(hour * math.pi / 12):.3f}")
    path.write_text("\n".join(rows) + "\n")


def write_jobs(path, days, per_day, seed):
    rng = random.Random(seed)
    rows = ["arrival_s,run_s,cpus"]
    for at_s in sorted(rng.randrange(86400 * days) for _ in range(per_day * days)):
        rows.append(f"{at_s},{rng.randrange(600, 14400)},{rng.choice([1, 2, 4, 8, 16])}")
    path.write_text("\n".join(rows) + "\n")


def make_site(name, n_hosts):
    return {"name": name, "aux_elec_ratio": 0.08,
            "electricity": {"price_cur_per_mwh": 150, "gco2_per_kwh": 300},
            "loops": [{"name": "main", "capture_ratio": 0.8, "supply_c": 50,
                       "tank": {"volume_l": 1500, "nodes": 1, "min_c": 40, "max_c": 60,
                                "loss_w_per_k": 5, "ambient_c": 18},
                       "rejection": {"limit_w": 20000, "elec_ratio": 0.03},
                       "sinks": [{"name": "building", "kind": "space-heating-low-temperature",
                                  "supply_min_c": 35, "heat_limit_w": 50000,
                                  "backup": {"kind": "gas-boiler", "efficiency_ratio": 0.9,
                                             "price_cur_per_mwh": 80, "gco2_per_kwh": 202}}]}],
            "racks": [{"name": "r1", "loop": "main", "cooling": "direct-to-chip", "limit_w": 10000,
                       "hosts": [{"name": "h", "count": n_hosts, "uri": "sim:", "vcpus": VCPUS,
                                  "memory_mib": 131072, "idle_w": IDLE_W, "max_w": MAX_W,
                                  "pinned_vcpus": PINNED}]}]}


def make_scenario(folder, days, per_day):
    write_heat(folder / "heat.csv", days, 1.5)
    write_price(folder / "price.csv", days)
    write_jobs(folder / "jobs.csv", days, per_day, 42)
    scenario = {
        "$comment": "synthetic", "start": stamp(START), "days": days, "slot_s": 900, "seed": 3,
        "estate": {"api": "hsched.estate/v1", "estate": "synthetic", "cell": "main",
                   "slot_s": 900, "currency": "EUR", "carbon_price_cur_per_t": 50,
                   "sites": [make_site("pool", 3), make_site("school", 2)]},
        "heat": [{"sink": "pool/main/building", "csv": "heat.csv", "column": "heat_kw"},
                 {"sink": "school/main/building", "csv": "heat.csv", "column": "heat_kw",
                  "scale": 0.5}],
        "price": [{"site": site, "csv": "price.csv", "column": "eur_mwh"}
                  for site in ("pool", "school")],
        "jobs": [{"csv": "jobs.csv", "slack_ratio": 2, "min_slack_s": 14400,
                  "interruptible_ratio": 0.5}],
        "policies": ["asap"]}
    write_scenario(folder, scenario)
    return scenario


def write_scenario(folder, scenario):
    (folder / "scenario.json").write_text(json.dumps(scenario, indent=1))


class Hsim(unittest.TestCase):
    def setUp(self):
        temp = tempfile.TemporaryDirectory()
        self.addCleanup(temp.cleanup)
        self.folder = pathlib.Path(temp.name)

    def call(self, *args):
        return subprocess.run([HSIM, *args], capture_output=True, text=True, check=False)

    def run_scenario(self, *args):
        done = self.call("run", str(self.folder / "scenario.json"), *args)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def list_jobs(self):
        done = self.call("jobs", str(self.folder / "scenario.json"))
        self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_synthetic_week_has_the_figures_worked_out_by_hand(self):
        make_scenario(self.folder, 7, 60)
        jobs = self.list_jobs()
        got = json.loads(self.run_scenario())["policies"][0]
        watt_per_vcpu = (MAX_W - IDLE_W) / VCPUS
        base_w = 5 * (IDLE_W + watt_per_vcpu * PINNED)
        work_wh = sum(job["vcpus"] * watt_per_vcpu * int(job["env"]["HSCHED_SIM_RUN_S"]) / 3600
                      for job in jobs)
        self.assertGreater(len(jobs), 300)
        self.assertEqual(got["name"], "asap")
        self.assertEqual(got["jobs_total"], len(jobs))
        self.assertEqual(got["jobs_done"], len(jobs))
        self.assertAlmostEqual(got["it_wh"], base_w * 7 * 24 + work_wh, delta=1)
        self.assertAlmostEqual(got["captured_heat_wh"], 0.8 * got["it_wh"], delta=1)
        self.assertLess(abs(got["balance_residual_ratio"]), 1e-6)
        self.assertAlmostEqual(got["demand_heat_wh"], 1.5 * 1500 * 7 * 24, delta=100)
        self.assertAlmostEqual(got["backup_heat_wh"], got["demand_heat_wh"] - got["useful_heat_wh"],
                               delta=1)
        for name in ("demand_heat_wh", "useful_heat_wh", "backup_heat_wh"):
            self.assertAlmostEqual(sum(site[name] for site in got["sites"]), got[name], delta=1)
        self.assertEqual([site["name"] for site in got["sites"]], ["pool", "school"])
        self.assertIsNone(got["value_captured_ratio"])
        self.assertGreater(got["cost_cur"], 0)

    def test_same_seed_gives_the_same_bytes(self):
        make_scenario(self.folder, 1, 30)
        first = self.run_scenario("--policies", "asap,heat")
        self.assertEqual(first, self.run_scenario("--policies", "asap,heat"))
        report = json.loads(first)
        self.assertEqual([p["name"] for p in report["policies"]], ["asap", "heat"])

    def test_heat_does_the_same_work_and_keeps_the_balance(self):
        make_scenario(self.folder, 2, 40)
        asap, heat = json.loads(self.run_scenario("--policies", "asap,heat"))["policies"]
        self.assertEqual(heat["jobs_total"], asap["jobs_total"])
        self.assertEqual(heat["jobs_done"], asap["jobs_done"])
        self.assertAlmostEqual(heat["it_wh"], asap["it_wh"], delta=1)
        self.assertLess(abs(heat["balance_residual_ratio"]), 1e-6)
        self.assertAlmostEqual(asap["cost_cur"] - heat["cost_cur"],
                               heat["saving_heat_cur"] + heat["saving_electricity_cur"], places=6)
        self.assertLess(heat["cost_cur"], asap["cost_cur"])

    def test_jobs_are_requests_as_a_user_writes_them(self):
        make_scenario(self.folder, 1, 30)
        job = self.list_jobs()[0]
        self.assertEqual(set(job), {"name", "vcpus", "memory_mib", "duration", "due",
                                    "interruptible", "env", "submit"})
        self.assertEqual(job["memory_mib"], 2048 * job["vcpus"])
        self.assertRegex(job["submit"], r"^2026-01-05T\d\d:\d\d:\d\dZ$")
        self.assertRegex(job["duration"], r"^(\d+[hms])+$")

    def assert_refused(self, status, *parts):
        done = self.call("run", str(self.folder / "scenario.json"))
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEqual(done.stdout, "")
        for part in parts:
            self.assertIn(part, done.stderr)

    def test_bad_scenarios_say_where_and_what_would_be_right(self):
        scenario = make_scenario(self.folder, 1, 30)
        for key, value, parts in [
                ("seeds", 3, ("scenario.json:", "/seeds", "'seed'")),
                ("start", "soon", ("/start", "RFC 3339")),
                ("start", "2027-01-05T00:00:00Z", ("/heat/0", "covers 2026-01-03", "shift_s")),
                ("events", [{"at": "2026-01-05T10:00:00Z"}], ("/events/0", "'kind' is missing")),
                ("heat", scenario["heat"][:1], ("/heat", "school/main/building")),
                ("heat", [*scenario["heat"], scenario["heat"][0]], ("/heat/2", "is listed twice")),
                ("policies", ["asap", "asp"], ("scenario.json:", "/policies/1", "no controller 'asp'; there are heat, ")),
                ("policies", ["asap", "heat", "asap"], ("/policies/2", "'asap' is listed twice")),
                ("jobs", [{"swf": "a.swf", "csv": "jobs.csv"}], ("/jobs/0", "one trace"))]:
            write_scenario(self.folder, {**scenario, key: value})
            self.assert_refused(6, *parts)
        write_scenario(self.folder, scenario)
        (self.folder / "jobs.csv").write_text("arrival_s,run_s,cpus\n1,600,1\n2,soon,1\n")
        self.assert_refused(6, "jobs.csv:3", "'soon'")
        (self.folder / "heat.csv").write_text("time_utc,heat_w\n2026-01-05T00:00:00Z,1\n")
        self.assert_refused(6, "/heat/0", "heat.csv", "'heat_w'")
        (self.folder / "scenario.json").write_text("{")
        self.assert_refused(6, "scenario.json:1")

    def test_malformed_swf_lines_say_where(self):
        scenario = make_scenario(self.folder, 1, 30)
        write_scenario(self.folder, {**scenario, "jobs": [{"swf": "log.swf"}]})
        for line, part in [("1 0 0 100", "the line has 4 fields; a record is 18 numbers"),
                           ("1 0 0 x" + " -1" * 14, "field 4, 'x', is no number")]:
            (self.folder / "log.swf").write_text("; a log\n" + line + "\n")
            self.assert_refused(6, "log.swf:2", part)

    def test_records_left_out_are_counted(self):
        scenario = make_scenario(self.folder, 1, 30)
        write_scenario(self.folder, {**scenario, "jobs": [{"csv": "some.csv", "max_run_s": 1000}]})
        (self.folder / "some.csv").write_text("arrival_s,run_s,cpus\n1,-1,1\n2,5000,1\n86000,900,1\n3,60,1\n")
        done = self.call("jobs", str(self.folder / "scenario.json"))
        self.assertEqual(len(done.stdout.splitlines()), 1)
        self.assertIn("left out: 1 without a run time or processors, 1 over max_run_s, 1 due after the end", done.stderr)

    def test_usage_errors_exit_2(self):
        make_scenario(self.folder, 1, 30)
        path = str(self.folder / "scenario.json")
        for args, part in [((), "name a verb"), (("fly",), "no verb 'fly'"), (("run",), "usage"),
                           (("run", path, "--policies", "asp"), "no controller 'asp'; there are heat, "),
                           (("run", path, "--policies", "asap,carbon,asap"), "'asap' is listed twice"),
                           (("run", path, "--policies", ",".join(["asap"] * 20 + ["nonsense"])), "twice"),
                           (("run", path, "--speed"), "hsim: unrecognized option '--speed'"), (("jobs",), "usage")]:
            done = self.call(*args)
            self.assertEqual(done.returncode, 2, args)
            self.assertIn(part, done.stderr)
        self.assertEqual(self.call("--help").returncode, 0)
        for verb in ("run", "compare", "replay", "jobs", "forecast"):
            self.assertEqual(self.call(verb, "--help").returncode, 0, verb)
        self.assertEqual(self.call("run", str(self.folder / "absent.json")).returncode, 6)

    def test_a_report_that_cannot_be_written_fails(self):
        make_scenario(self.folder, 1, 30)
        done = self.call("run", str(self.folder / "scenario.json"), "-o",
                         str(self.folder / "absent" / "report.json"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot write", done.stderr)


if __name__ == "__main__":
    unittest.main()
