#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Promise 9: Redis goes away while work runs and more actions fall due every second. What runs goes on, no host is
asked for anything, submits are refused with a time to come back, and all goes on once Redis is there again."""
import os
import time
import unittest

from faulty_redis import JOB, FaultyRig

IS_LONG = "HSCHED_TEST_LONG" in os.environ
# Actions end at two thirds of a lease without Redis: 10 s of 15 s. The sample has a shorter lease.
LEASE_S = 15.0 if IS_LONG else 2.0
ACT_S = LEASE_S * 2 / 3
WATCHED_S = 20.0 if IS_LONG else 3.0
BACK_S = 10.0
SPEED = 60
N_OVERDUE = 8


class Away(unittest.TestCase):
    variant = "hschedd"

    def setUp(self):
        self.rig = FaultyRig(speed=SPEED, config={"lease_s": LEASE_S})
        self.rig.hschedd = self.variant
        self.rig.__enter__()
        self.addCleanup(self.rig.__exit__, None, None, None)

    def submit(self, **fields):
        status, _, job = self.rig.ask("POST", "/v1/jobs", {**JOB, "now": True, **fields})
        self.assertEqual(status, 201, job)
        return job["id"]

    def states(self, jobs):
        return [self.rig.job(job)["state"] for job in jobs]

    def machines(self):
        """What the hosts were asked for shows here: every call replaces the machine's file by another one."""
        return {path: path.stat().st_ino for path in (self.rig.dir / "state").rglob("sim-*.json")}

    def calls_after(self, after_s, begin):
        """Calls to hosts between @after_s and @after_s + WATCHED_S from @begin, and how many submits were refused."""
        calls = refused = 0
        before = self.machines()
        while time.monotonic() < begin + after_s + WATCHED_S:
            now = self.machines()
            if time.monotonic() < begin + after_s:
                before = now
            calls += sum(now.get(path) != inode for path, inode in before.items()) + len(now.keys() - before.keys())
            before = now
            try:
                status, headers, _ = self.rig.ask("POST", "/v1/jobs", JOB, timeout=1)
                refused += status == 503 and headers["Retry-After"] is not None
                self.taken += status == 201
            except OSError:
                pass
            time.sleep(0.02)
        return calls, refused

    def lose_redis(self):
        """@return (calls after ACT_S, submits refused)"""
        self.taken = 0
        self.keeps = [self.submit(duration="10h") for _ in range(3)]
        # one each second is overdue while Redis is away: its machine is to be destroyed
        self.overdue = [self.submit(name=f"late{i}", duration="1m", limit=f"{i + 1 + int(ACT_S)}m", env={"HSCHED_SIM_RUN_S": "36000"})
                        for i in range(N_OVERDUE)]
        self.rig.until("they do not run", lambda: set(self.states(self.keeps + self.overdue)) == {"running"})
        begin = time.monotonic()
        self.rig.kill_redis()
        return self.calls_after(ACT_S, begin)


class RedisAway(Away):
    def test_no_action_without_redis_and_all_of_them_after(self):
        calls, refused = self.lose_redis()
        self.assertEqual((calls, self.taken), (0, 0))
        self.assertGreater(refused, 10)
        self.assertEqual(set(self.states(self.keeps + self.overdue)), {"running"})
        begin = time.monotonic()
        self.rig.start_redis()
        self.rig.until("it is not back", lambda: self.rig.ask("POST", "/v1/jobs", JOB)[0] == 201, BACK_S)
        back_s = time.monotonic() - begin
        self.rig.until("what was overdue is not acted upon", lambda: "running" not in self.states(self.overdue[:3]), BACK_S)
        acted_s = time.monotonic() - begin
        self.assertEqual(set(self.states(self.keeps)), {"running"})
        print(f"promise 9: {calls} calls to hosts from {ACT_S:.1f} s to {ACT_S + WATCHED_S:.1f} s without redis though one "
              f"more was due each second, {refused} submits got 503 and none was taken; "
              f"back after {back_s:.1f} s, acting after {acted_s:.1f} s (promise: {BACK_S:.0f}; "
              "10 to 30 s are watched with --long)")


class GuardRemoved(Away):
    variant = "hschedd_no_store_guard"

    def test_guard_removed__hosts_are_called_without_redis(self):
        calls, _ = self.lose_redis()
        print(f"promise 9 without its guard: {calls} calls to hosts after {ACT_S:.1f} s without redis")
        self.assertGreater(calls, 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
