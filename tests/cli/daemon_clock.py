#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The wall clock jumps by two days, forward and back: nothing but timestamps changes (promises.md, 13).

hschedd and its Redis run with a wall clock that the test sets (tests/support/clockshim.c)."""
import copy
import datetime
import mmap
import struct
import time
import unittest

from daemon_support import BUILD, ESTATE, SCENARIO, rig

DAYS_S = 2 * 86400
JUMPS = (DAYS_S, 0, -DAYS_S, 365 * 86400, 0)  # what the wall clock is off by, one after the other
RUN_S = 3  # a job's, by a timer that must fire, and not before
SEEN_S = 0.5  # after a jump, before the next


class ClockRig(rig.Rig):
    """Plan time is wall time, as it is where nobody says anything else."""

    def __init__(self, hschedd="hschedd"):
        estate = copy.deepcopy(ESTATE)
        super().__init__(BUILD, {**SCENARIO, "estate": estate}, speed=1, plant="csv")
        self.hschedd = hschedd
        config = self.config
        del config["start"]
        (self.dir / "hschedd.json").write_text(rig.json.dumps(config))
        path = self.dir / "clock"
        path.write_bytes(struct.pack("d", 0))
        with path.open("r+b") as file:
            self.shift = mmap.mmap(file.fileno(), 8)
        self.env["LD_PRELOAD"] = str(BUILD.resolve() / "tests" / "variants" / "libclockshim.so")
        self.env["HSCHED_TEST_CLOCK"] = str(path)

    def jump(self, off_s):
        self.shift[:] = struct.pack("d", off_s)


class Clock(unittest.TestCase):
    variant = "hschedd"

    def setUp(self):
        self.rig = ClockRig(self.variant)
        self.rig.__enter__()
        self.addCleanup(self.rig.__exit__, None, None, None)

    def until(self, what, is_so, timeout_s=15):
        deadline = time.monotonic() + timeout_s
        while not is_so():
            if time.monotonic() > deadline:
                self.fail(f"{what}:\n{self.rig.log_tail('hschedd.log')}")
            time.sleep(0.05)

    def submit_all(self):
        """One that runs under a limit, one that ends soon, and one whose time comes in a day."""
        now = self.rig.now()
        self.limited = self.rig.submit("--now", "--duration", "1h", "--limit", "2h", "--", "true")
        self.later = self.rig.submit("--earliest", (now + datetime.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
                                     "--duration", "1h", "--", "true")
        self.short = self.rig.submit("--now", "--duration", f"{RUN_S}s", "--", "true")
        self.until("it does not run", lambda: self.rig.job(self.limited)["state"] == "running")

    def look(self):
        """What must not change."""
        jobs = {job["id"]: (job["state"], job["planned_start"] if job["id"] == self.later else None)
                for job in self.rig.get("/v1/jobs")["items"] if job["id"] != self.short}
        health = self.rig.get("/healthz")
        return jobs, health["epoch"], health["role"], health["acting"]

    def drift(self):
        """Plan time less what has passed by the monotonic clock, s."""
        at = self.rig.now()
        self.origin = getattr(self, "origin", (at, time.monotonic()))
        return (at - self.origin[0]).total_seconds() - (time.monotonic() - self.origin[1])


class Jumps(Clock):
    def test_nothing_but_timestamps_changes(self):
        self.submit_all()
        self.drift()
        before = self.look()
        offs, n_changed = [], 0
        for off_s in JUMPS:
            self.rig.jump(off_s)
            self.rig.submit("--duration", "1h", "--earliest", "2099-01-01T00:00:00Z", "--", "true")  # a tick
            time.sleep(SEEN_S)
            after = self.look()
            after = {id: job for id, job in after[0].items() if id in before[0]}, *after[1:]
            n_changed += after != before
            self.assertEqual(after, before, f"off by {off_s} s")
            self.assertLess(abs(self.drift()), 2)
            offs.append(self.rig.get("/healthz")["wall_off_s"])
        self.assertEqual([round(off / 3600) for off in offs], [round(off / 3600) for off in JUMPS])
        self.assertIn("the wall clock is 1728", self.rig.log_tail("hschedd.log", 200))
        self.until("it does not end", lambda: self.rig.job(self.short)["state"] == "done")
        ran = [rig.parse_time(self.rig.job(self.short)[key]) for key in ("started", "ended")]
        self.assertAlmostEqual((ran[1] - ran[0]).total_seconds(), RUN_S, delta=2)

        # nor over a kill -9: this boot's clock goes on
        self.rig.jump(DAYS_S)
        self.rig.daemon.kill()
        self.rig.daemon.wait()
        self.rig.start_daemon()
        self.until("its host is not up", lambda: self.rig.get("/v1/hosts")["items"][0]["state"] == "up")
        self.assertLess(abs(self.drift()), 2)
        self.assertRegex(self.rig.hsched("doctor", check=False).stdout, r"(?m)^warn +clock +the wall clock is 1728")
        self.assertEqual(self.rig.job(self.limited)["state"], "running")
        self.assertEqual(self.rig.job(self.later)["state"], "waiting")
        print(f"promise 13: {len(JUMPS) + 1} jumps of the wall clock by two days and a year: {n_changed} changes of jobs, plan or lease")


class Removed(Clock):
    variant = "hschedd_no_steady"

    def test_without_a_steady_clock__a_jump_ends_what_runs_and_starts_what_waits(self):
        self.submit_all()
        self.rig.jump(DAYS_S)
        self.rig.submit("--duration", "1h", "--earliest", "2099-01-01T00:00:00Z", "--", "true")
        self.until("its limit is not over", lambda: self.rig.job(self.limited)["state"] == "failed")
        self.until("its day has not come", lambda: self.rig.job(self.later)["state"] != "waiting")
        print("promise 13 without its guard, a steady clock: 2 jobs changed by one jump")


if __name__ == "__main__":
    unittest.main(verbosity=2)
