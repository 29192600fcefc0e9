#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A host that does not answer: its job is started nowhere else until somebody says that it is off.

The host falls silent over a restart of hschedd: its URI then names a socket that nobody serves. The
same with a libvirt daemon that really stops, and real guests: tests/system/test_unreachable.py."""
import copy
import getpass
import json
import os
import subprocess
import time
import unittest

from daemon_support import BUILD, ESTATE, SCENARIO, rig

SILENT = "qemu+unix:///session?socket=/nonexistent/libvirt-sock"
WATCHED_S = 2.0


class Fences(unittest.TestCase):
    variant = "hschedd"

    def setUp(self):
        self.estate = copy.deepcopy(ESTATE)
        self.hosts = self.estate["sites"][0]["racks"][0]["hosts"]
        self.hosts.append({**self.hosts[0], "name": "h2"})
        self.rig = rig.Rig(BUILD, {**SCENARIO, "estate": self.estate}, speed=1, plant="csv")
        self.rig.hschedd = self.variant
        self.rig.__enter__()
        self.addCleanup(self.rig.__exit__, None, None, None)
        self.job = self.rig.submit("--now", "--duration", "1h", "--", "true")
        self.until("it does not run", lambda: self.rig.job(self.job)["state"] == "running")
        self.home = self.rig.job(self.job)["host"]
        self.other = ({"pool/h1", "pool/h2"} - {self.home}).pop()

    def until(self, what, is_so, timeout_s=15):
        deadline = time.monotonic() + timeout_s
        while not is_so():
            if time.monotonic() > deadline:
                self.fail(f"{what}:\n{self.rig.log_tail('hschedd.log')}")
            time.sleep(0.05)

    def restart(self, uri, whose=None):
        """hschedd killed and started again; the job's host (or @whose) is at @uri then."""
        whose = whose or self.home
        self.rig.daemon.kill()
        self.rig.daemon.wait()
        for host in self.hosts:
            if f"pool/{host['name']}" == whose:
                host["uri"] = uri
        (self.rig.dir / "estate.json").write_text(json.dumps(self.estate))
        self.rig.start_daemon()
        answers = ({self.home, self.other} - {whose}).pop()
        self.until("the other host is not up", lambda: self.host(answers)["state"] == "up")

    def host(self, name):
        return next(host for host in self.rig.get("/v1/hosts")["items"] if host["name"] == name)

    def machines(self):
        """Hosts that keep a machine of the job which is not over."""
        files = (self.rig.dir / "state" / "hosts").rglob(f"sim-{self.job}.json")
        return sorted("/".join(path.parts[-3:-1]) for path in files if not json.loads(path.read_text())["over"])

    def redis(self, *args):
        return subprocess.check_output(["redis-cli", "-s", str(self.rig.redis_socket), *args], text=True)

    def journal(self):
        return self.redis("xrange", "hs:{main}:journal", "-", "+")

    def watch_machines(self):
        """Hosts on which the job had a machine in the next seconds."""
        seen = set()
        deadline = time.monotonic() + WATCHED_S
        while time.monotonic() < deadline:
            seen.update(self.machines())
            time.sleep(0.05)
        return seen

    def watch(self):
        """The same, and the job as it is then."""
        return self.watch_machines(), self.rig.job(self.job)


class Unknown(Fences):
    def test_job_of_a_silent_host__is_started_nowhere_else(self):
        self.restart(SILENT)
        seen, job = self.watch()
        print(f"promise 8: {len(seen - {self.home})} starts elsewhere in {WATCHED_S:.0f} s, simulated hosts")
        self.assertEqual(seen, {self.home})
        self.assertEqual((job["state"], job["host"]), ("running", self.home))
        self.assertEqual(job["reasons"][0]["code"], "host-unknown")
        host = self.host(self.home)
        self.assertEqual(host["state"], "unknown")
        self.assertTrue(host["silent_since"])
        said = self.rig.hsched("hosts").stderr
        self.assertIn(f"hsched host confirm-down {self.home}", said)
        self.assertIn("may run there still", self.rig.hsched("show", self.job).stdout)
        self.assertIn("may run there still", self.rig.hsched("explain", self.job).stdout)

    def test_confirm_down__is_asked_for_and_written_down(self):
        answers = self.rig.hsched("host", "confirm-down", self.home, "--yes", check=False)
        self.assertEqual(answers.returncode, 7, "refused for a host that answers")
        self.assertIn("answers", answers.stderr)
        self.assertEqual(self.rig.hsched("host", "confirm-down", "pool/h9", "--yes", check=False).returncode, 3)
        self.restart(SILENT)
        asked = self.rig.hsched("host", "confirm-down", self.home, check=False)
        self.assertEqual(asked.returncode, 2)
        self.assertIn(f"job {self.job} waits again", asked.stderr)
        self.assertIn("--yes", asked.stderr)
        self.assertEqual(self.rig.job(self.job)["host"], self.home)
        self.rig.hsched("host", "confirm-down", self.home, "--yes", "--why", "its fuse blew")
        self.until("it does not run elsewhere", lambda: self.rig.job(self.job)["state"] == "running")
        self.assertEqual(self.rig.job(self.job)["host"], self.other)
        self.assertEqual(self.host(self.home)["state"], "down")
        self.assertIn(f"confirmed down by {getpass.getuser()}, uid {os.getuid()}", self.journal())
        self.assertIn("its fuse blew", self.redis("hget", "hs:{main}:hosts", self.home))

        # over a restart, and when the host comes back with what was left on it
        self.restart(SILENT)
        self.assertEqual(self.host(self.home)["state"], "down")
        self.assertEqual(self.rig.job(self.job)["host"], self.other)
        self.restart("sim:")
        self.until("its copy is left", lambda: self.machines() == [self.other])
        self.until("the host is still fenced", lambda: self.redis("hlen", "hs:{main}:hosts").strip() == "0")
        self.until("an intent is left", lambda: self.redis("hlen", "hs:{main}:intents").strip() == "0")
        self.assertEqual((self.rig.job(self.job)["state"], self.rig.job(self.job)["host"]), ("running", self.other))
        self.assertIn("came back though that host was confirmed down", self.journal())


    def test_host_that_left_the_estate__can_be_confirmed_down(self):
        rack = self.estate["sites"][0]["racks"][0]
        rack["hosts"] = [host for host in self.hosts if f"pool/{host['name']}" != self.home]
        self.restart(SILENT)
        seen, job = self.watch()
        self.assertEqual((seen, job["state"], job["host"]), ({self.home}, "running", self.home))
        self.assertEqual(job["reasons"][0]["code"], "host-unknown")
        self.assertIn(f"hsched host confirm-down {self.home}", self.rig.hsched("explain", self.job).stdout)
        self.assertEqual(self.rig.hsched("host", "confirm-down", "pool/h9", "--yes", check=False).returncode, 3)
        asked = self.rig.hsched("host", "confirm-down", self.home, check=False)
        self.assertIn(f"job {self.job} waits again", asked.stderr)
        self.rig.hsched("host", "confirm-down", self.home, "--yes")
        self.until("it does not run elsewhere", lambda: (self.rig.job(self.job)["state"], self.rig.job(self.job)["host"])
                   == ("running", self.other))
        self.assertIn("has left the estate and was confirmed down", self.journal())

        # it comes back after all, with what was left on it
        rack["hosts"] = self.hosts
        self.restart("sim:")
        self.until("its copy is left", lambda: self.machines() == [self.other])
        self.until("the host is still fenced", lambda: self.redis("hlen", "hs:{main}:hosts").strip() == "0")

    def test_orphan__stays_until_every_host_was_looked_at(self):
        """A tag on the silent one might show that the store was rolled back."""
        self.rig.daemon.kill()
        self.redis("hdel", "hs:{main}:jobs", str(self.job))
        self.restart(SILENT, whose=self.other)
        self.until("it is not said", lambda: f"left alone until '{self.other}' answers" in self.journal())
        self.assertEqual(self.watch_machines(), {self.home})
        self.rig.hsched("host", "confirm-down", self.other, "--yes")
        self.restart(SILENT, whose=self.other)
        self.until("it is left", lambda: self.machines() == [])
        self.assertIn("no record knows its job: removed", self.journal())


class Removed(Fences):
    variant = "hschedd_no_unknown"

    def test_without_the_guard__it_is_started_elsewhere(self):
        self.restart(SILENT)
        seen, _ = self.watch()
        print(f"promise 8 without its guard: {len(seen - {self.home})} starts elsewhere in {WATCHED_S:.0f} s")
        self.assertEqual(seen, {self.home, self.other})


if __name__ == "__main__":
    unittest.main(verbosity=2)
