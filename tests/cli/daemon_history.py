#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Jobs that are over: out of the daemon's memory, in the store, found again, and let go of in the end."""
import json
import subprocess
import time
import unittest

from daemon_support import BUILD, RedisRig, rig

JOB = {"name": "part", "vcpus": 1, "memory_mib": 512, "duration": "1h", "script": "#!/bin/sh\ntrue\n", "team": "film",
       "earliest": "2026-01-06T10:00:00Z", "due": "2026-01-07T10:00:00Z"}
RECENT = 256  # scheduler/daemon/history.h; twice that leaves memory for sure


class History(unittest.TestCase):
    def begin(self, **history):
        self.rig = RedisRig(config={"history": history} if history else None)
        self.rig.__enter__()
        self.addCleanup(self.rig.__exit__, None, None, None)

    def begin_again(self):
        self.rig.daemon.kill()
        self.rig.daemon.wait()
        self.rig.start_daemon()

    def rows(self, table):
        return int(self.rig.redis("hlen", f"hs:{{main}}:{table}"))

    def submit(self, n, **fields):
        status, _, answer = self.rig.ask("POST", "/v1/jobs", [{**JOB, **fields}] * n)
        self.assertEqual(status, 201, answer)
        return [item["id"] for item in answer["items"]]

    def cancel(self, ids):
        connection = rig.UnixConnection(self.rig.socket, 20)
        for job_id in ids:
            connection.request("POST", f"/v1/jobs/{job_id}/cancel")
            answer = connection.getresponse()
            self.assertEqual((answer.status, json.loads(answer.read())["state"]), (200, "cancelled"))
        connection.close()

    def until(self, what, is_so, timeout_s=15):
        deadline = time.monotonic() + timeout_s
        while not is_so():
            if time.monotonic() > deadline:
                self.fail(f"{what}:\n{self.rig.log_tail('hschedd.log')}")
            time.sleep(0.05)

    def hsched(self, *args):
        done = subprocess.run([rig.program(BUILD, "hsched"), "--socket", self.rig.socket, *args],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_over__leaves_memory_and_is_found_again(self):
        self.begin()
        before = self.submit(1)[0]
        ids = self.submit(2 * RECENT + 30)
        self.cancel(ids)
        live = self.submit(3, team="ops")
        self.assertEqual((self.rows("jobs"), self.rows("history"), self.rows("ends")), (4, len(ids), len(ids)))
        report = self.rig.get("/v1/report")["policies"][0]
        self.begin_again()
        log = self.rig.log_tail("hschedd.log", 100)
        self.assertIn(f"begins with 4 jobs and 0 open intents, {len(ids)} jobs in the history", log)
        again = self.rig.get("/v1/report")["policies"][0]
        self.assertEqual((again["jobs_total"], again["jobs_done"]), (report["jobs_total"], report["jobs_done"]))
        self.assertEqual(again["jobs_total"], len(ids) + 4)

        gone = self.rig.job(ids[0])
        self.assertEqual((gone["state"], gone["name"], gone["script"]), ("cancelled", "part", JOB["script"]))
        self.assertIn(f"job {ids[0]} is cancelled", self.rig.get(f"/v1/jobs/{ids[0]}/explain")["text"])
        self.assertIn("cancelled", self.hsched("show", str(ids[0])))
        self.assertIn("is cancelled", self.hsched("explain", str(ids[0])))
        self.assertEqual(self.rig.ask("POST", f"/v1/jobs/{ids[0]}/cancel")[0], 409)
        self.assertEqual(self.rig.ask("GET", "/v1/jobs/99999")[0], 404)

        self.assertEqual([job["id"] for job in self.rig.jobs()], [before, *ids, *live])
        page = self.rig.get("/v1/jobs?limit=10")
        self.assertEqual({job["id"] for job in page["items"]}, {before, *live, *ids[-6:]})
        self.assertIsNotNone(page["next"])
        self.assertEqual([job["id"] for job in self.rig.get("/v1/jobs?team=ops")["items"]], live)
        self.assertEqual(self.rig.get("/v1/jobs?state=waiting&limit=2")["next"], str(live[1]))
        self.assertEqual(self.hsched("history", "-n", "5", "-o", "name").split(), [str(i) for i in ids[-5:]])

        # others may follow what only the store remembers, in this life and in the next
        after = self.submit(1, after=[f"afterany:{ids[0]}"])[0]
        never = self.submit(1, after=[f"afterok:{ids[1]}"])[0]
        self.until("it is not cancelled", lambda: self.rig.job(never)["state"] == "cancelled")
        self.assertIn(f"job {ids[1]}, which it was to follow, is cancelled", self.rig.job(never)["why"])
        status, _, answer = self.rig.ask("POST", "/v1/jobs", {**JOB, "after": ["afterok:99999"]})
        self.assertEqual((status, answer["text"][:27]), (400, "there is no job 99999 to fo"))
        self.begin_again()
        self.assertNotIn("dependency", [reason["code"] for reason in self.rig.job(after)["reasons"]])

    def test_history__is_bounded_oldest_first(self):
        self.begin(jobs=40)
        ids = self.submit(110)
        self.cancel(ids)
        self.until("it is not bounded", lambda: (self.rows("history"), self.rows("ends")) == (40, 40))
        self.assertEqual(self.rig.redis("hexists", "hs:{main}:history", str(ids[-40])).strip(), "1")
        self.assertEqual(self.rig.redis("hexists", "hs:{main}:history", str(ids[-41])).strip(), "0")
        self.begin_again()
        self.assertEqual(self.rig.ask("GET", f"/v1/jobs/{ids[0]}")[0], 404)
        self.assertEqual(self.rig.job(ids[-1])["state"], "cancelled")
        self.assertEqual([job["id"] for job in self.rig.jobs()], ids[-40:])

    def lose(self, key, is_there=True):
        """The count is damaged (or removed, as an operator may) while hschedd is down."""
        self.rig.daemon.kill()
        self.rig.daemon.wait()
        sealed = self.rig.redis("hget", "hs:{main}:meta", key).rstrip("\n")
        self.assertTrue(sealed, f"there is no meta/{key}")
        if is_there:
            self.rig.redis("hset", "hs:{main}:meta", key, sealed[:-1] + str((int(sealed[-1]) + 1) % 10))
        else:
            self.rig.redis("hdel", "hs:{main}:meta", key)
        self.rig.start_daemon()
        named = [(item["table"], item["key"]) for item in self.rig.get("/healthz")["damaged_records"]]
        self.assertEqual(named, [("meta", key)] if is_there else [])
        if is_there:
            self.assertRegex(self.rig.log_tail("hschedd.log", 100), f"record 'meta/{key}' is damaged: .*; it is left where it is")

    def listed(self):
        return [job["id"] for job in self.rig.jobs("state=cancelled")]

    def test_number_of_the_next_end_is_lost__no_end_is_written_over(self):
        self.begin()
        over = self.submit(12)
        self.cancel(over)
        for is_there in (True, False):
            self.lose("ends_next", is_there)
            self.assertIn(f"ends go on at {len(over) + 1}", self.rig.log_tail("hschedd.log", 100))
            self.assertEqual(self.listed(), over)
            more = self.submit(3)
            self.cancel(more)
            over += more
            self.begin_again()
            self.assertEqual((self.listed(), self.rows("ends"), self.rig.get("/healthz")["damaged"]), (over, len(over), 0))

    def test_number_of_the_oldest_end_is_lost__no_end_is(self):
        self.begin(jobs=10)
        over = self.submit(25)
        self.cancel(over)
        self.until("it is not bounded", lambda: self.rows("ends") == 10)
        self.lose("ends_first")
        self.assertEqual(self.listed(), over[-10:])
        more = self.submit(4)
        self.cancel(more)
        self.until("it is not bounded", lambda: self.rows("ends") == 10)
        self.begin_again()
        self.assertEqual((self.listed(), self.rig.get("/healthz")["damaged"]), (over[-6:] + more, 0))

    def test_number_of_the_next_job_is_lost__none_is_given_twice(self):
        self.begin()
        over = self.submit(3)  # the highest numbers are known to the history only
        self.cancel(over)
        for lives in (1, 2):
            self.lose("next_id")
            over += self.submit(1)
            self.assertEqual(over[-1], lives * 10 ** 9)
            self.cancel(over[-1:])
        self.lose("next_id", is_there=False)
        self.assertEqual(self.submit(1), [over[-1] + 1])
        self.assertEqual(self.listed(), over)

    def test_store_of_before__is_moved_at_start(self):
        self.begin()
        ids = self.submit(20)
        self.rig.daemon.kill()
        self.rig.daemon.wait()
        for job_id in ids[:15]:
            kept = self.rig.read_record("jobs", job_id)
            kept.update(state="done", host="pool/h1", ended="2026-01-05T12:00:00Z")
            self.rig.write_record("jobs", job_id, kept)
        self.rig.start_daemon()
        self.until("they are not moved", lambda: (self.rows("jobs"), self.rows("history")) == (5, 15))
        self.assertEqual(self.rows("files"), 15)
        self.assertEqual(self.rig.get("/v1/report")["policies"][0]["jobs_done"], 15)
        self.assertEqual(self.rig.job(ids[0])["state"], "done")


if __name__ == "__main__":
    unittest.main(verbosity=2)
