#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Many jobs in one request: all of them or none, and the same answer to the same key in the next life."""
import subprocess
import time
import unittest

from daemon_support import BUILD, RedisRig, rig

JOB = {"name": "part", "vcpus": 1, "memory_mib": 512, "duration": "1h", "script": "#!/bin/sh\ntrue\n",
       "earliest": "2026-01-06T10:00:00Z", "due": "2026-01-07T10:00:00Z"}


class Bulk(unittest.TestCase):
    def setUp(self):
        self.rig = RedisRig()
        self.rig.__enter__()
        self.addCleanup(self.rig.__exit__, None, None, None)

    def post(self, body, key=None, status=201):
        answered, _, answer = self.rig.ask("POST", "/v1/jobs", body, {"Idempotency-Key": key} if key else ())
        self.assertEqual(answered, status, answer)
        return answer

    def ids(self, answer):
        return [item["id"] for item in answer["items"]]

    def begin_again(self):
        self.rig.daemon.kill()
        self.rig.daemon.wait()
        self.rig.start_daemon()

    def test_list__is_taken_whole_and_kept(self):
        ids = self.ids(self.post([dict(JOB, name=f"n{i}") for i in range(300)]))
        self.assertEqual(ids, list(range(ids[0], ids[0] + 300)))
        self.begin_again()
        kept = {job["id"]: job["name"] for job in self.rig.get("/v1/jobs?limit=1000")["items"]}
        self.assertEqual([kept.get(i) for i in ids], [f"n{i}" for i in range(300)])
        self.assertEqual(self.ids(self.post({"items": [JOB]})), [ids[-1] + 1])

    def test_one_bad_item__takes_none_and_is_named(self):
        answer = self.post([JOB, dict(JOB, vcpus=0), JOB, dict(JOB, sites=["nowhere"])], status=400)
        self.assertRegex(answer["text"], r"^item 1: /vcpus: .*\nitem 3: no site 'nowhere'")
        for body, words in (([], "empty"), ({"items": [JOB], "name": "x"}, "no other key"),
                            ([dict(JOB, array="0-9999"), JOB], "over 10000 jobs"), ([7], "item 0: ")):
            self.assertIn(words, self.post(body, status=400)["text"])
        self.assertEqual(self.rig.get("/v1/jobs")["items"], [])

    def test_late_item__is_taken_and_says_so(self):
        items = self.post([JOB, dict(JOB, duration="30h")])["items"]
        self.assertIsNone(items[0]["cannot_meet"])
        self.assertIn("due time cannot be met", items[1]["cannot_meet"])

    def test_array__is_a_job_for_each_and_so_many_at_a_time(self):
        before = self.post(JOB)["id"]
        ids = self.ids(self.post(dict(JOB, array="3-6%2", after=[f"afterok:{before}"])))
        jobs = [self.rig.job(i) for i in ids]
        self.assertEqual([job["name"] for job in jobs], ["part-3", "part-4", "part-5", "part-6"])
        self.assertEqual([job["env"]["HSCHED_ARRAY_INDEX"] for job in jobs], ["3", "4", "5", "6"])
        first = f"afterok:{before}"
        self.assertEqual([job["after"] for job in jobs], [[first], [first], [first, f"afterany:{ids[0]}"],
                                                          [first, f"afterany:{ids[1]}"]])

    def test_thousand_tasks__take_no_20_s(self):
        began = time.monotonic()
        done = subprocess.run([rig.program(BUILD, "hsched"), "--socket", self.rig.socket, "submit", "--array", "0-999",
                               "--earliest", "2026-01-06T10:00:00Z", "--", "true"],
                              capture_output=True, text=True, timeout=60, check=False)
        took_s = time.monotonic() - began
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(done.stdout.split()), 1000)
        self.assertLess(took_s, 5)
        print(f"\n1000 array tasks acknowledged in {took_s:.2f} s")

    def test_key__is_known_in_the_next_life(self):
        one = self.post(JOB, "one")["id"]
        many = self.ids(self.post([JOB, JOB, JOB], "many"))
        self.begin_again()
        self.assertEqual(self.post(JOB, "one")["id"], one)
        self.assertEqual(self.ids(self.post([JOB, JOB, JOB], "many")), many)
        self.assertIn("another request", self.post([JOB], "many", 409)["text"])
        self.assertEqual(len(self.rig.get("/v1/jobs")["items"]), 4)


if __name__ == "__main__":
    unittest.main(verbosity=2)
