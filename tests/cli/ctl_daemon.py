# SPDX-License-Identifier: Apache-2.0
"""hsched against the real daemon: what it prints, and every exit status a daemon can cause."""

import csv
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import daemon_support

LISTS = {"jobs": "JobList", "sites": "SiteList", "loops": "LoopList", "hosts": "HostList",
         "vms": "VmList"}


class Daemon(unittest.TestCase):
    """One daemon for all: no test minds the jobs of another."""

    @classmethod
    def setUpClass(cls):
        cls.rig = daemon_support.MemRig()
        cls.rig.__enter__()
        cls.addClassCleanup(cls.rig.__exit__, None, None, None)
        cls.folder = tempfile.TemporaryDirectory(prefix="hsched-cli-")
        cls.addClassCleanup(cls.folder.cleanup)

    def hsched(self, *words, status=0):
        done = self.rig.hsched(*words, check=False)
        self.assertEqual(done.returncode, status, f"{words}\n{done.stdout}\n{done.stderr}")
        return done

    def file(self, name, text):
        path = pathlib.Path(self.folder.name) / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    def submit(self, *words):
        done = self.hsched("submit", *words)
        self.assertRegex(done.stdout, r"^\d+\n$")
        return done.stdout.strip()

    def test_status_0_an_id_that_can_be_used(self):
        job = self.submit("--duration", "1h", "--name", "first", "--env", "A=1", "--", "sleep", "5")
        shown = json.loads(self.hsched("show", job, "-o", "json").stdout)
        self.assertEqual((shown["kind"], shown["id"], shown["name"], shown["duration_s"]),
                         ("Job", int(job), "first", 3600))
        self.assertEqual(shown["env"], {"A": "1"})
        self.assertRegex(self.hsched("show", job).stdout, r"Duration +1h\n")
        self.assertRegex(self.hsched("explain", job).stdout, rf"^job {job} ")

    def test_every_field_is_taken(self):
        job = self.submit(
            "--name", "all", "--vcpus", "2", "--memory", "1G", "--duration", "1h30m", "--limit",
            "3h", "--earliest", "now+2h", "--due", "now+20h", "--class", "deferrable",
            "--interruptible", "--min-run", "30m", "--priority", "5", "--team", "film", "--site",
            "pool", "--env", "A=1", "--now=no", "--", "true")
        shown = json.loads(self.hsched("show", job, "-o", "json").stdout)
        for key, value in (("vcpus", 2), ("memory_mib", 1024), ("duration_s", 5400),
                           ("limit_s", 10800), ("class", "deferrable"), ("interruptible", True),
                           ("min_run_s", 1800), ("priority", 5), ("team", "film"),
                           ("sites", ["pool"]), ("now", False), ("state", "waiting")):
            self.assertEqual(shown[key], value, key)
        self.assertTrue(shown["earliest"].startswith("2026-01-05T12:0"))
        self.assertRegex(self.hsched("jobs", "--team", "film", "-o", "name").stdout, rf"\b{job}\n")

    def test_a_waiting_job_is_explained(self):
        done = self.hsched("submit", "--duration", "1h", "--earliest", "now+2h", "true")
        job = done.stdout.strip()
        for text in (done.stderr, self.hsched("explain", job).stdout):
            self.assertRegex(text, r"because +it may not start before 2026-01-05T12:0")
            self.assertRegex(text, r"planned +Mon 12:[01]\dZ to Mon 13:[01]\dZ on pool/h1\n")
            self.assertRegex(text, r"latest +start by Tue ")
            self.assertRegex(text, r"heat +now -?\d+\.\d EUR/MWh, at the planned start")
            self.assertRegex(text, r"unless +an earlier --earliest")

    def test_an_explanation_is_data(self):
        job = self.submit("--duration", "1h", "--earliest", "now+2h", "--due", "now+9h", "true")
        told = json.loads(self.hsched("explain", job, "-o", "json").stdout)
        self.assertAlmostEqual(sum(slot["run_s"] for slot in told["slots"]), 3600)
        self.assertAlmostEqual(sum(slot["net_cur"] for slot in told["slots"]),
                               told["electricity_cur"] - told["heat_cur"])
        self.assertEqual(set(told["alternatives"][0]),
                         {"code", "text", "start", "end", "host", "loop", "cost_cur", "extra_cur"})
        extras = [it["extra_cur"] for it in told["alternatives"]]
        self.assertEqual(extras, sorted(extras))
        for bound in told["constraints"]:
            self.assertEqual(set(bound), {"code", "text", "object", "change", "saving_cur",
                                          "would_start", "would_host"})
        self.assertRegex(self.hsched("explain", job).stdout, r"next best \w+ \d\d:\d\dZ on pool/h1: ")

    def test_every_loop_says_how_far_its_heat_reaches(self):
        listed = json.loads(self.hsched("loops", "-o", "json").stdout)["items"][0]
        planned = json.loads(self.hsched("plan", "-o", "json").stdout)
        for loop in (listed, planned["loops"][0]):
            self.assertLessEqual({"ride_through_s", "ride_through_p90_s", "headroom_it_w",
                                  "free_it_w", "full_in_s", "empty_in_s", "hours"}, set(loop))
            self.assertGreaterEqual(len(loop["hours"]), 47)
            self.assertEqual(set(loop["hours"][0]),
                             {"at", "heat_price_cur_per_mwh", "demand_heat_w", "tank_wh",
                              "headroom_it_w", "free_it_w"})
        self.assertIsInstance(planned["misses"], list)
        self.assertIn("RIDE-THROUGH", self.hsched("loops", "-o", "wide").stdout)

    def test_a_plan_comes_with_a_bound(self):
        planned = json.loads(self.hsched("plan", "-o", "json").stdout)
        bound = planned["bound"]
        self.assertEqual(set(bound), {"at", "cost_cur", "bound_cur", "gap_ratio", "guided"})
        self.assertLessEqual(bound["bound_cur"], bound["cost_cur"] + 1e-6)

    def test_a_job_that_cannot_be_in_time_is_missed_by_name(self):
        done = self.rig.hsched("submit", "--duration", "3h", "--due", "now+1h", "true", check=False)
        job = done.stdout.strip()
        misses = json.loads(self.hsched("plan", "-o", "json").stdout)["misses"]
        mine = [miss for miss in misses if miss["name"] == job]
        self.assertEqual([(miss["kind"], miss["cause"], miss["unit"]) for miss in mine],
                         [("job", "too-long", "s")])
        self.assertRegex(self.hsched("plan").stdout, rf"job +{job} +too-long +it will end ")
        self.hsched("cancel", job)

    def test_a_dry_run_plans_and_submits_nothing(self):
        before = self.hsched("jobs", "-o", "name").stdout
        done = self.hsched("submit", "--dry-run", "--duration", "1h", "--earliest", "now+4h", "true")
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, r"planned +Mon 14:0\dZ to Mon 15:0\dZ on pool/h1")
        self.assertRegex(done.stderr, r"cost +0\.\d+ EUR")
        self.assertEqual(self.hsched("jobs", "-o", "name").stdout, before)

    def test_status_2_the_daemon_refuses_a_value(self):
        for words, sentence in (
                (["--class", "deferable", "true"], "did you mean 'deferrable'?"),
                (["--site", "nowhere", "true"], "no site 'nowhere'"),
                (["--vcpus", "4000", "true"], "4000 vCPUs"),
                (["--duration", "2h", "--limit", "1h", "true"], "hsched: limit: is shorter")):
            with self.subTest(words=words):
                self.assertIn(sentence, self.hsched("submit", *words, status=2).stderr)

    def test_status_3_not_found(self):
        for words in (["show", "999999"], ["explain", "999999"], ["logs", "999999"],
                      ["cancel", "999999"], ["forecast", "pool/nowhere"]):
            with self.subTest(words=words):
                self.assertIn("no ", self.hsched(*words, status=3).stderr)

    def test_status_4_a_stranger_is_denied(self):
        if os.geteuid() != 0:
            self.skipTest("only root can become somebody else")
        hsched = daemon_support.rig.program(daemon_support.BUILD, "hsched")
        prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", str(hsched)]
        if subprocess.run([*prefix, "--version"], capture_output=True, check=False).returncode != 0:
            self.skipTest("the build folder is closed to other users")
        done = subprocess.run([*prefix, "--socket", self.rig.socket, "jobs"], text=True,
                              capture_output=True, timeout=30, check=False)
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertNotEqual(done.stderr, "")

    def test_status_5_no_daemon(self):
        done = self.hsched("--socket", self.folder.name + "/none", "jobs", status=5)
        self.assertIn(self.folder.name + "/none", done.stderr)

    def test_status_6_a_bad_script(self):
        script = self.file("bad.sh", "#!/bin/sh\n#HSCHED duration=90\ntrue\n")
        self.assertIn("bad.sh:2: duration:", self.hsched("submit", script, status=6).stderr)

    def test_status_7_cancelling_what_is_over(self):
        job = self.submit("--duration", "1h", "--earliest", "now+2h", "--", "true")
        self.assertIn(f"job {job} is cancelled", self.hsched("cancel", job).stderr)
        self.assertNotEqual(self.hsched("cancel", job, status=7).stderr, "")
        self.assertEqual(self.hsched("jobs", "--state", "cancelled", "-o", "name").stdout.split()
                         .count(job), 1)

    def test_status_8_a_due_time_that_cannot_be_met(self):
        for words in ([], ["--dry-run"]):
            done = self.hsched("submit", *words, "--duration", "2h", "--due", "now+1h", "true",
                               status=8)
            self.assertRegex(done.stdout, r"^$" if words else r"^\d+\n$")
            self.assertIn("accepted, but it", done.stderr)

    def test_lists_have_their_kind_and_one_object_a_line(self):
        self.submit("--duration", "1h", "--now", "--", "true")
        for command, kind in LISTS.items():
            with self.subTest(command=command):
                answer = json.loads(self.hsched(command, "-o", "json").stdout)
                self.assertEqual((answer["api"], answer["kind"]), ("hsched/v1", kind))
                lines = self.hsched(command, "-o", "jsonl").stdout.splitlines()
                self.assertEqual(len(lines), len(answer["items"]))
                self.assertTrue(all(isinstance(json.loads(line), dict) for line in lines))
                names = self.hsched(command, "-o", "name").stdout.splitlines()
                self.assertEqual(len(names), len(answer["items"]))

    def test_csv_columns_are_fields_of_the_items(self):
        self.submit("--duration", "1h", "--now", "--", "true")
        for command in LISTS:
            with self.subTest(command=command):
                items = json.loads(self.hsched(command, "-o", "json").stdout)["items"]
                rows = list(csv.DictReader(io.StringIO(self.hsched(command, "-o", "csv").stdout)))
                self.assertEqual(len(rows), len(items))
                for key in rows[0]:
                    self.assertIn(key, items[0], command)

    def test_nothing_in_a_pipe_is_coloured(self):
        self.submit("--duration", "1h", "--now", "--", "true")
        for command in [*LISTS, "plan", "report", "forecast pool/main", "show 1", "explain 1"]:
            for form in ("table", "wide"):
                with self.subTest(command=command, form=form):
                    done = self.hsched(*command.split(), "-o", form)
                    self.assertNotIn("\x1b", done.stdout + done.stderr)
                    self.assertNotEqual(done.stdout, "")

    def test_a_forecast_and_a_plan_reach_ahead(self):
        points = self.hsched("forecast", "pool/main", "--hours", "3", "-o", "jsonl").stdout
        self.assertEqual(len(points.splitlines()), 12)
        whole = self.hsched("forecast", "pool/main", "-o", "jsonl").stdout
        self.assertEqual(len(whole.splitlines()), 192)
        job = self.submit("--duration", "1h", "--earliest", "now+2h", "--", "true")
        self.assertIn(job, self.hsched("plan", "-o", "name").stdout.split())
        self.assertEqual(json.loads(self.hsched("plan", "-o", "json").stdout)["kind"], "Plan")

    def test_a_console_can_be_read(self):
        job = self.submit("--duration", "1h", "--now", "--", "true")
        self.assertIn(f"job {job}", self.hsched("logs", job).stdout)


class History(unittest.TestCase):
    """A daemon that has three weeks of made-up heat to learn from, on a site in Berlin."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="hsched-cli-")
        cls.addClassCleanup(cls.folder.cleanup)
        demo = daemon_support.ROOT / "docs" / "examples" / "demo"
        subprocess.run([sys.executable, demo / "generate.py", "--out", cls.folder.name], check=True,
                       stdout=subprocess.DEVNULL)
        scenario = daemon_support.rig.read_scenario(pathlib.Path(cls.folder.name) / "scenario.json")
        cls.rig = daemon_support.rig.Rig(daemon_support.BUILD, scenario, speed=1,
                                         policies=demo / "policies.d",
                                         config={"store": "mem", "heat_history": True})
        cls.rig.start = cls.rig.start_daemon
        cls.rig.__enter__()
        cls.addClassCleanup(cls.rig.__exit__, None, None, None)

    def forecast(self, *words):
        return self.rig.hsched("forecast", *words).stdout

    def test_a_forecast_has_quantiles_and_accuracy(self):
        answer = json.loads(self.forecast("office/main", "-o", "json"))
        self.assertEqual((answer["timezone"], len(answer["points"])), ("Europe/Berlin", 192))
        for point, slot in zip(answer["points"], answer["sinks"][0]["slots"]):
            self.assertEqual(point["utc_offset_s"], 3600)
            self.assertLessEqual(0, point["p10_w"])
            self.assertLessEqual(point["p10_w"], point["p50_w"])
            self.assertLessEqual(point["p50_w"], point["p90_w"])
            self.assertEqual((slot["at"], slot["p50_w"]), (point["at"], point["p50_w"]))
        self.assertGreater(max(point["p50_w"] for point in answer["points"]), 2000)
        sink = answer["sinks"][0]
        self.assertEqual(sink["name"], "office/main/building")
        self.assertGreater(sink["how"]["history_h"], 480)
        self.assertIn(sink["how"]["model"], sink["how"]["chain"])
        for block in sink["accuracy"]:
            self.assertGreater(block["n"], 1500)
            self.assertLess(block["nmae"], 1)
            self.assertTrue(0.6 < block["coverage_80_ratio"] < 0.95, block)

    def test_a_forecast_is_words_and_a_table_on_the_clocks_of_the_site(self):
        text = self.forecast("office/main")
        self.assertRegex(text, r"FROM \(Europe/Berlin\) +P10 kW +P50 kW +P90 kW +OUTDOOR")
        self.assertRegex(text, r"\nTue 01:00 +\d")  # the day begins at 00:00 UTC
        self.assertRegex(text, r"1-6 h ahead: +off by \d+% of the mean")
        self.assertRegex(text, r" \d+% of hours fell in the 80% interval \(\d+ judged\)")
        self.assertTrue(all(len(line) <= 80 for line in text.splitlines()), text)

    def test_a_model_is_shown_by_sink_and_loop(self):
        text = self.forecast("office/main", "--model")
        for part in ("office/main/building\n", "\n  who speaks", "\n  heat loss", "\n  tank loss"):
            self.assertIn(part, text)
        names = self.forecast("office/main", "--model", "-o", "name").split()
        self.assertEqual(names[0], "ua_w_per_k")

    def test_a_wrong_name_is_answered_with_the_nearest(self):
        for name, nearest in (("ofice/main", "office/main"), ("office/cellar", "office/main"),
                              ("office/main/bilding", "office/main/building")):
            done = self.rig.hsched("forecast", name, check=False)
            self.assertEqual(done.returncode, 3)
            self.assertIn(f"did you mean '{nearest}'", done.stderr)
            self.assertIn("'hsched ", done.stderr)


class Store(unittest.TestCase):
    def test_status_1_the_store_is_down_and_nothing_was_taken(self):
        with daemon_support.RedisRig() as rig:
            rig.hsched("submit", "--duration", "1h", "true")
            rig.end(rig.processes[0])
            done = rig.hsched("submit", "--duration", "1h", "true", check=False)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertEqual(done.stdout, "")
            self.assertRegex(done.stderr, r"try again in \d+ s")


if __name__ == "__main__":
    unittest.main()
