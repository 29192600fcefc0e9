#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""hschedd killed, stopped, started twice, and left without its Redis."""
import json
import signal
import subprocess
import threading
import time
import unittest

from daemon_support import BUILD, RedisRig, rig

JOB = {"name": "frames", "vcpus": 1, "memory_mib": 512, "duration": "1h", "script": "#!/bin/sh\ntrue\n"}


class Crash(unittest.TestCase):
    def setUp(self):
        self.rig = RedisRig()
        self.rig.__enter__()
        self.addCleanup(self.rig.__exit__, None, None, None)

    def submit(self, **fields):
        status, _, job = self.rig.ask("POST", "/v1/jobs", {**JOB, **fields})
        self.assertEqual(status, 201, job)
        return job["id"]

    def until(self, what, is_so, timeout_s=15):
        deadline = time.monotonic() + timeout_s
        while not is_so():
            if time.monotonic() > deadline:
                self.fail(f"{what}:\n{self.rig.log_tail('hschedd.log')}")
            time.sleep(0.05)

    def listens(self):
        try:
            return self.rig.ask("GET", "/healthz")[0] > 0
        except (OSError, rig.http.client.HTTPException):
            return False

    def kill(self):
        self.rig.daemon.kill()
        self.rig.daemon.wait()

    def redis(self, *args):
        return self.rig.redis(*args)

    def test_kill_9__loses_no_acknowledged_job(self):
        acknowledged = []

        def pour():
            for i in range(400):
                try:
                    status, _, job = self.rig.ask("POST", "/v1/jobs", {**JOB, "name": f"j{i}"})
                except (OSError, rig.http.client.HTTPException):
                    return
                if status == 201:
                    acknowledged.append((job["id"], job["name"]))

        for _ in range(3):
            poured = len(acknowledged)
            threads = [threading.Thread(target=pour) for _ in range(3)]
            for thread in threads:
                thread.start()
            self.until("no job was taken", lambda: len(acknowledged) > poured + 20)
            self.kill()
            for thread in threads:
                thread.join()
            self.rig.start_daemon()
            kept = {job["id"]: job["name"] for job in self.rig.jobs()}
            for job_id, name in acknowledged:
                self.assertEqual(kept.get(job_id), name)
        self.assertEqual(len({job_id for job_id, _ in acknowledged}), len(acknowledged))

    def test_running_job__is_found_again(self):
        job = self.submit(now=True)
        self.until("it does not run", lambda: self.rig.job(job)["state"] == "running")
        started = self.rig.job(job)["started"]
        self.kill()
        self.rig.start_daemon()
        self.until("its host is not up", lambda: self.rig.get("/v1/hosts")["items"][0]["state"] == "up")
        time.sleep(0.3)
        again = self.rig.job(job)
        self.assertEqual((again["state"], again["started"], again["host"]), ("running", started, "pool/h1"))
        self.assertEqual([vm["job"] for vm in self.rig.get("/v1/vms")["items"]], [job])

    def test_job_that_ended_meanwhile__is_done(self):
        job = self.submit(now=True, duration="2s")
        self.until("it does not run", lambda: self.rig.job(job)["state"] == "running")
        self.kill()
        time.sleep(2.5)
        self.rig.start_daemon()
        self.until("it is not done", lambda: self.rig.job(job)["state"] == "done")
        self.assertEqual(self.rig.job(job)["exit_status"], 0)

    def test_job_whose_machine_is_gone__fails_and_says_so(self):
        job = self.submit(now=True)
        self.until("it does not run", lambda: self.rig.job(job)["state"] == "running")
        self.kill()
        for path in (self.rig.dir / "state").rglob("sim-*"):
            path.unlink()
        self.rig.start_daemon()
        self.until("it has not failed", lambda: self.rig.job(job)["state"] == "failed")
        self.assertTrue(self.rig.job(job)["why"])

    def keep_machines(self):
        return {path: path.read_bytes() for path in (self.rig.dir / "state").rglob("sim-*") if path.is_file()}

    def test_acknowledged_cancel__outlives_kill_9(self):
        for _ in range(10):
            job = self.submit(now=True)
            self.until("it does not run", lambda: self.rig.job(job)["state"] == "running")
            machines = self.keep_machines()
            self.assertEqual(self.rig.ask("POST", f"/v1/jobs/{job}/cancel")[0], 200)
            self.kill()
            kept = self.rig.read_record("jobs", job) or self.rig.read_record("history", job)
            self.assertTrue(kept["cancel_wanted"])
            if kept["state"] == "running":
                # as if the host had never heard of it
                for path, content in machines.items():
                    path.write_bytes(content)
            self.rig.start_daemon()
            self.until("it is not cancelled", lambda: self.rig.job(job)["state"] not in ("running", "stopping"))
            self.assertEqual(self.rig.job(job)["state"], "cancelled")
            self.until("its machine is there", lambda: self.rig.get("/v1/vms")["items"] == [])
            if kept["state"] == "running":
                return
        self.skipTest("every machine was gone before the kill")

    def test_intent_of_an_earlier_life__is_settled(self):
        job = self.submit(earliest="2026-01-06T10:00:00Z", due="2026-01-07T10:00:00Z")
        self.kill()
        kept = self.rig.read_record("jobs", job)
        kept.update(state="starting", host="pool/h1")
        intent = {"state": "INTENT", "op": 1000000077, "epoch": 1, "job": job, "kind": "start", "host": "pool/h1"}
        self.rig.write_record("jobs", job, kept)
        self.rig.write_record("intents", "1000000077", intent)
        self.rig.start_daemon()
        self.until("it does not wait again", lambda: self.rig.job(job)["state"] == "waiting")
        self.until("the intent is left", lambda: self.redis("hlen", "hs:{main}:intents").strip() == "0")

    def test_plan_time__goes_on(self):
        with RedisRig(speed=60) as fast:
            time.sleep(1)
            before = fast.now()
            fast.daemon.kill()
            fast.daemon.wait()
            fast.start_daemon()
            self.assertGreaterEqual(fast.now(), before)
            self.assertLess((fast.now() - before).total_seconds(), 600)

    def test_epoch__grows_with_every_life(self):
        first = int(self.redis("hget", "hs:{main}:lease", "epoch"))
        self.kill()
        self.rig.start_daemon()
        self.assertEqual(int(self.redis("hget", "hs:{main}:lease", "epoch")), first + 1)

    def test_term__ends_cleanly(self):
        self.rig.daemon.send_signal(signal.SIGTERM)
        self.assertEqual(self.rig.daemon.wait(5), 0)
        self.assertFalse(self.rig.socket.exists())

    def test_redis_away__submits_get_503_and_it_comes_back(self):
        kept = self.submit()
        self.rig.processes[0].kill()
        self.rig.processes[0].wait()
        self.until("healthz is still ok", lambda: self.rig.ask("GET", "/healthz")[0] == 503)
        status, headers, answer = self.rig.ask("POST", "/v1/jobs", JOB)
        self.assertEqual((status, answer["error"]), (503, "unavailable"))
        self.assertTrue(headers["Retry-After"])
        self.assertEqual(self.rig.ask("POST", f"/v1/jobs/{kept}/cancel")[0], 503)
        self.assertEqual(self.rig.job(kept)["id"], kept)
        self.rig.redis_socket.unlink(missing_ok=True)
        self.rig.start_redis()
        self.until("healthz is not ok again", self.rig.answers, 10)
        self.assertGreater(self.submit(), kept)

    def test_weak_redis__is_said_once_and_shown(self):
        self.assertIsNone(self.rig.get("/healthz")["store_weakness"])
        self.assertNotIn("weaker", self.rig.log_tail("hschedd.log", 1000))
        for setting, value in (("appendfsync", "everysec"), ("appendonly", "no")):
            with self.subTest(setting=setting):
                self.rig.end(self.rig.daemon)
                (self.rig.dir / "hschedd.log").unlink()
                self.redis("config", "set", setting, value)
                self.rig.start_daemon()
                health = self.rig.get("/healthz")
                self.assertEqual(health["status"], "ok")
                self.assertRegex(health["store_weakness"], f"has {setting} '{value}'.*"
                                                           "set appendonly yes and appendfsync always$")
                log = self.rig.log_tail("hschedd.log", 1000)
                self.assertEqual(log.count("weaker than promised: " + health["store_weakness"]), 1, log)

    def test_start_without_redis__waits_for_it(self):
        self.submit()
        self.kill()
        self.rig.processes[0].kill()
        self.rig.processes[0].wait()
        self.rig.redis_socket.unlink(missing_ok=True)
        daemon = self.rig.spawn(rig.program(BUILD, "hschedd"), "--config", self.rig.dir / "hschedd.json",
                                log="hschedd.log")
        self.until("no answer", self.listens)
        self.assertEqual(self.rig.ask("GET", "/healthz")[0], 503)
        self.assertEqual(self.rig.ask("GET", "/v1/jobs")[0], 503)
        self.rig.start_redis()
        self.until("it is not up", self.rig.answers)
        self.assertEqual(len(self.rig.get("/v1/jobs")["items"]), 1)
        self.assertIsNone(daemon.poll())


if __name__ == "__main__":
    unittest.main(verbosity=2)
