#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Jobs come, run in real guests, end and go: nothing of them is left but their logs.

Ten by default, 1,000 with --long; some are cancelled as they run, some fail."""
import os
import pathlib
import sys
import time
import unittest

from moves_world import BUILD, OVER, PATHS, World, guests, systemcalls

IS_LONG = systemcalls.is_long()
N_JOBS = 1000 if IS_LONG else 10
N_AT_ONCE = 10 if IS_LONG else 5
GUEST_S = 300  # a batch boots, runs and powers off, on a busy machine


def count_fds(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def count_threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


@unittest.skipIf(guests.missing(), guests.missing())
class Cycles(unittest.TestCase):
    def setUp(self):
        self.hosts = guests.Hosts(2, BUILD / "guest")
        self.hosts.__enter__()
        self.addCleanup(self.hosts.__exit__)
        self.world = World(self.hosts)
        self.world.__enter__()
        self.addCleanup(self.world.__exit__, None, None, None)

    def run_batch(self, first, n):
        """@return {job: state that it is to end in}"""
        wanted = {}
        for i in range(first, first + n):
            command, state = (("exit 3", "failed"), ("sleep 600", "cancelled"), ("true", "done"))[i % 3]
            job = self.world.submit("--now", "--memory", f"{guests.MEMORY_MIB}M", "--duration", "1h", "--", command)
            wanted[job] = state
        for job, state in wanted.items():
            if state == "cancelled":
                self.world.until("it does not run", lambda: self.world.job(job)["state"] != "starting", GUEST_S)
                self.world.hsched("cancel", job)
        self.world.until("they do not end", lambda: all(self.world.job(j)["state"] in OVER for j in wanted), GUEST_S)
        for job, state in wanted.items():
            self.assertEqual(self.world.job(job)["state"], state, self.world.job(job))
        return wanted

    def look(self):
        """(descriptors, threads) of hschedd, descriptors of the libvirt daemons; the fewest of a while: some come and go."""
        seen = []
        for _ in range(10):
            pid = self.world.daemon.pid
            seen.append((count_fds(pid), count_threads(pid), *(count_fds(self.hosts.libvirtd_pid(i)) for i in (0, 1))))
            time.sleep(0.3)
        return [min(column) for column in zip(*seen)]

    def left(self):
        """What is there of jobs beside their logs."""
        found = [name for i in (0, 1) for name in self.hosts.virsh(i, "list", "--all", "--name").split()]
        found += [v for i in (0, 1) for v in self.hosts.virsh(i, "pool-list", "--all", "--name").split()]
        for path in PATHS:
            found += [str(f) for f in pathlib.Path(self.world.dir / "state" / "hosts" / path).rglob("*")
                      if f.is_file() and f.name not in ("console.log", "exit.json")]
        return found

    def test_nothing_is_left_of_jobs_that_are_over(self):
        self.run_batch(0, N_AT_ONCE)  # threads and descriptors that stay are there from now on
        before = self.look()
        n, began = N_AT_ONCE, time.monotonic()
        while n < N_JOBS:
            self.run_batch(n, N_AT_ONCE)
            n += N_AT_ONCE
        self.world.until("something is left", lambda: self.left() == [] and self.world.intents() == 0)
        self.world.until("a guest is left", lambda: not list(self.hosts.dir.glob("v/h*/run/libvirt/qemu/run/hs-*.pid")))
        after = self.look()
        print(f"{n} jobs came and went, {time.monotonic() - began:.0f} s; descriptors and threads of hschedd, descriptors "
              f"of the libvirt daemons: {before} before, {after} after", file=sys.stderr)
        for was, is_now, what in zip(before, after, ("descriptors of hschedd", "threads of hschedd",
                                                     "descriptors of libvirtd 1", "descriptors of libvirtd 2")):
            allowed = 16 if what.startswith("threads") else 2  # the pool of threads grows up to its size, once
            self.assertLessEqual(is_now, max(was + allowed, 24 if what.startswith("threads") else 0), what)


if __name__ == "__main__":
    unittest.main(verbosity=2)
