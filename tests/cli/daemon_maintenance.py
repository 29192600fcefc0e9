#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Maintenance by CLI and HTTP: it holds work back, outlives a kill -9, and ends."""
import json
import subprocess
import time
import unittest

from daemon_support import BUILD, RedisRig


class Maintenance(unittest.TestCase):
    def setUp(self):
        self.rig = RedisRig()
        self.rig.__enter__()
        self.addCleanup(self.rig.__exit__, None, None, None)

    def hsched(self, *args, status=0):
        done = subprocess.run([BUILD / "ctl" / "hsched", *args, "--socket", self.rig.socket], text=True,
                              capture_output=True, timeout=30, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout

    def items(self):
        return json.loads(self.hsched("maintenance", "list", "-o", "json"))["items"]

    def state_of(self, job):
        return self.rig.get(f"/v1/jobs/{job}")["state"]

    def until(self, check):
        deadline = time.monotonic() + 20
        while not check():
            self.assertLess(time.monotonic(), deadline, self.rig.log_tail("hschedd.log"))
            time.sleep(0.1)

    def submit(self):
        return self.rig.ask("POST", "/v1/jobs", {"name": "j", "vcpus": 1, "memory_mib": 512, "duration": "30m",
                                                 "class": "deferrable", "now": True})[2]["id"]

    def test_it_holds_work_back_outlives_a_restart_and_ends(self):
        later = self.hsched("maintenance", "add", "--rack", "pool/r1", "--from", "tomorrow 06:00", "--for", "4h", "--off",
                            "--why", "new pump").strip()
        number = self.hsched("maintenance", "add", "--site", "pool", "--for", "4h").strip()
        self.assertEqual([i["state"] for i in self.items()], ["planned", "under-way"])
        self.assertEqual(self.items()[0]["why"], "new pump")
        self.hsched("maintenance", "end", later)
        job = self.submit()
        time.sleep(1)
        self.assertEqual(self.state_of(job), "waiting")
        self.rig.daemon.kill()
        self.rig.daemon.wait()
        self.rig.start_daemon()
        self.assertEqual([str(i["id"]) for i in self.items()], [number])
        self.assertEqual(self.state_of(job), "waiting")
        self.hsched("maintenance", "end", number)
        self.assertEqual(self.items(), [])
        self.until(lambda: self.state_of(job) == "running")

    def test_both_sides_see_whose_it_is(self):
        self.hsched("maintenance", "add", "--boiler", "pool/main/basin", "--for", "3h", "--owner", "heating",
                    "--contact", "x123", "--escalation", "duty officer", "--why", "burner")
        self.hsched("maintenance", "add", "--host", "pool/h1", "--for", "1h", "--owner", "compute")
        shown = self.hsched("maintenance")
        for text in ("boiler", "pool/main/basin", "heating", "compute", "burner"):
            self.assertIn(text, shown)
        self.assertIn("duty officer", self.hsched("maintenance", "list", "-o", "wide"))
        self.rig.daemon.kill()
        self.rig.daemon.wait()
        self.rig.start_daemon()
        first = next(i for i in self.items() if i["kind"] == "boiler")
        self.assertEqual((first["kind"], first["owner"], first["contact"], first["escalation"]),
                         ("boiler", "heating", "x123", "duty officer"))
        self.until(lambda: "its own heating is out" in (self.rig.dir / "hschedd.log").read_text())
        self.hsched("maintenance", "add", "--boiler", "pool/main", "--for", "1h", status=3)

    def test_what_is_wrong_is_said(self):
        self.hsched("maintenance", "add", "--rack", "pool/r9", "--for", "4h", status=3)
        self.hsched("maintenance", "add", "--rack", "pool/r1", status=2)
        self.hsched("maintenance", "end", "77", status=3)
        status, _, answer = self.rig.ask("POST", "/v1/maintenance", {"kind": "rack", "name": "pool/r1",
                                                                      "from": "now", "until": "now"})
        self.assertEqual((status, "end after it begins" in answer["text"]), (400, True))


if __name__ == "__main__":
    unittest.main()
