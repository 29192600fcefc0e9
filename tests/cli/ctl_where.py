# SPDX-License-Identifier: Apache-2.0
"""Where and when a job may run, as its submitter says: sites, --now, --after; the real daemon."""

import copy
import json
import pathlib
import tempfile
import time
import unittest

import daemon_support
import rig


def two_sites():
    """The small estate twice: `pool`, whose heat is wanted, and `barn`, whose heat is not."""
    scenario = copy.deepcopy(daemon_support.SCENARIO)
    barn = copy.deepcopy(scenario["estate"]["sites"][0])
    barn["name"] = "barn"
    barn["racks"][0]["hosts"][0]["name"] = "h9"
    scenario["estate"]["sites"].append(barn)
    return scenario


class TwoSites(daemon_support.MemRig):
    def __init__(self):
        rig.Rig.__init__(self, daemon_support.BUILD, two_sites(), speed=1, plant="csv",
                         config={"store": "mem"})


class Where(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.rig = TwoSites()
        cls.rig.__enter__()
        cls.addClassCleanup(cls.rig.__exit__, None, None, None)

    def hsched(self, *words, status=0):
        done = self.rig.hsched(*words, check=False)
        self.assertEqual(done.returncode, status, f"{words}\n{done.stdout}\n{done.stderr}")
        return done

    def submit(self, *words):
        return self.hsched("submit", "--duration", "1h", *words, "--", "true").stdout.strip()

    def explain(self, job):
        return json.loads(self.hsched("explain", job, "-o", "json").stdout)

    def shown(self, job):
        return json.loads(self.hsched("show", job, "-o", "json").stdout)

    def wait_for(self, job, *states):
        until = time.monotonic() + 30
        while time.monotonic() < until:
            if self.shown(job)["state"] in states:
                return
            time.sleep(0.1)
        self.fail(f"job {job} is {self.shown(job)['state']}, not one of {states}")

    def test_a_barred_site_gets_nothing(self):
        for site, other in (("pool", "barn"), ("barn", "pool")):
            for words in (["--not-site", site], ["--site", other],
                          ["--site", "pool,barn", "--not-site", site]):
                with self.subTest(words=words):
                    told = self.explain(self.submit(*words, "--earliest", "now+2h"))
                    self.assertEqual(told["planned_host"].split("/")[0], other)

    def test_a_site_barred_by_its_script_gets_nothing(self):
        with tempfile.TemporaryDirectory(prefix="hsched-cli-") as folder:
            script = pathlib.Path(folder) / "job.sh"
            script.write_text("#!/bin/sh\n#HSCHED duration=1h\n#HSCHED not-site=pool\n"
                              "#HSCHED earliest=now+2h\ntrue\n", encoding="utf-8")
            job = self.hsched("submit", script).stdout.strip()
        self.assertRegex(self.explain(job)["planned_host"], "^barn/")

    def test_with_every_site_barred_it_is_refused(self):
        done = self.hsched("submit", "--duration", "1h", "--not-site", "pool,barn", "true", status=2)
        self.assertNotEqual(done.stderr, "")
        done = self.hsched("submit", "--duration", "1h", "--not-site", "nowhere", "true", status=2)
        self.assertIn("no site 'nowhere'", done.stderr)

    def test_now_starts_whatever_heat_costs(self):
        job = self.submit("--now", "--due", "now+20h")
        self.wait_for(job, "starting", "running")
        self.assertTrue(self.shown(job)["now"])

    def test_now_on_a_site_starts_there(self):
        job = self.submit("--now", "--not-site", "pool")
        self.wait_for(job, "starting", "running")
        self.assertRegex(self.shown(job)["host"], "^barn/")

    def test_now_that_must_wait_says_so_and_what_it_costs(self):
        done = self.hsched("submit", "--dry-run", "--duration", "1h", "--earliest", "now+2h", "--now",
                           "--", "true")
        self.assertIn("as soon as it can", done.stderr)

    def test_a_job_that_follows_another_names_it(self):
        first = self.submit("--earliest", "now+2h")
        job = self.submit("--after", f"afterok:{first}", "--not-site", "pool")
        told = self.explain(job)
        self.assertEqual([(it["code"], it["object"]) for it in told["reasons"]],
                         [("dependency", f"job {first}")])
        self.assertRegex(told["reasons"][0]["text"], r"planned to end at 2026-01-05T13:")
        self.assertEqual([(it["code"], it["object"]) for it in told["constraints"]],
                         [("after", f"job {first}")])
        self.assertEqual(told["constraints"][0]["text"],
                         f"it waits for job {first}, which is waiting")
        self.assertRegex(told["constraints"][0]["would_host"], "^barn/")
        self.assertRegex(self.hsched("explain", job).stdout, rf"it waits for job {first}\b")
        self.hsched("cancel", first)
        self.wait_for(job, "cancelled")
        self.assertIn(f"job {first}, which it was to follow", self.shown(job)["why"])


if __name__ == "__main__":
    unittest.main()
