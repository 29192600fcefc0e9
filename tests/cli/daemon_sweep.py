#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""hschedd killed as it enters each system call of each kind of action.

After each kill it is started again, and within 30 s the store, the hosts and the answers must agree:
no machine twice, none left over, no job lost, none run again, its exit status kept. A request without
an answer is sent again with its key, as a client does. A sample runs by default, all with --long."""
import http.client
import sys
import tempfile
import time
import unittest
import uuid

import sweep_world
from sweep_world import EXIT_STATUS, FAR, OVER, World

import systemcalls  # tests/support, on the path since daemon_support was read

LIMIT_S = 30  # promises.md, 4
SLOT_S = 900  # of the estate
RUNS_S = 200  # plan seconds of a short job: 0.7 s
RUNNING, PAUSED = 0, 1  # machines in files of compute_sim


class Kind:
    """One kind of action on one new job."""
    name = ""
    ends = False  # the job ends by itself
    sample_rank = 1  # the rename of a machine's file to be killed at
    mark = "intents"  # in its first and last system call of interest
    n_after = 5  # so many more

    def prepare(self, world):
        """The job as it is before, or None."""
        return world.running(due=FAR, interruptible=True, **{"class": "deferrable"})

    def ask(self, world, job_id, key):
        """What makes it happen. @return the job"""
        raise NotImplementedError

    def is_done(self, world, job_id):
        raise NotImplementedError

    def check(self, job):
        """What must be true of it in the end, beside what is true of all."""
        assert job["state"] in ("running", "suspended"), job


class Start(Kind):
    name, ends = "start", True

    def prepare(self, world):
        return None

    def ask(self, world, job_id, key):
        status, job = world.post("/v1/jobs", {
            "name": "j", "vcpus": 1, "memory_mib": 512, "duration": "20h", "now": True,
            "env": {"HSCHED_SIM_EXIT": str(EXIT_STATUS), "HSCHED_SIM_RUN_S": str(RUNS_S)}}, key)
        assert status == 201, job
        return job["id"]

    def is_done(self, world, job_id):
        return world.job(job_id)["state"] in OVER

    def check(self, job):
        assert (job["state"], job["exit_status"]) == ("failed", EXIT_STATUS), job


class End(Start):
    """The machine ends by itself."""
    name, mark, n_after = "end", "sim-", 40

    def prepare(self, world):
        job_id = Start.ask(self, world, None, None)
        world.until("it does not run", lambda: world.job(job_id)["state"] == "running")
        return job_id

    def ask(self, world, job_id, key):
        return job_id


class Destroy(Kind):
    name = "destroy"

    def ask(self, world, job_id, key):
        status, answer = world.post(f"/v1/jobs/{job_id}/cancel", None, key)
        assert status in (200, 409), answer
        return job_id

    def is_done(self, world, job_id):
        return world.job(job_id)["state"] == "cancelled"

    def check(self, job):
        assert job["state"] == "cancelled", job


class Suspend(Kind):
    name = "suspend"

    def ask(self, world, job_id, key):
        status, answer = world.post("/v1/maintenance", {"kind": "site", "name": "pool", "for": "30h"}, key)
        assert status == 201, answer
        return job_id

    def is_done(self, world, job_id):
        return world.job(job_id)["state"] == "suspended"


class Resume(Suspend):
    name = "resume"

    def prepare(self, world):
        job_id = super().prepare(world)
        Suspend.ask(self, world, job_id, None)
        world.until("it is not suspended", lambda: world.job(job_id)["state"] == "suspended")
        return job_id

    def ask(self, world, job_id, key):
        world.end_maintenance("pool")
        return job_id

    def is_done(self, world, job_id):
        return world.job(job_id)["state"] == "running"


class Move(Kind):
    name, sample_rank = "move", 2  # it has arrived, paused, and has left

    def prepare(self, world):
        return world.running(due=FAR, movable=True, **{"class": "service"})

    def ask(self, world, job_id, key):
        world.end_maintenance("annex")
        return job_id

    def is_done(self, world, job_id):
        return world.job(job_id)["host"] == "annex/h2"


class Throttle(Kind):
    """By the price, at the beginning of a slot."""
    name = "throttle"

    def prepare(self, world):
        job_id = world.running(due=FAR, **{"class": "soft"})
        # shortly before the next slot, or what comes before is most of what is counted
        world.until("no slot begins", lambda: SLOT_S - 150 < world.rig.now().timestamp() % SLOT_S < SLOT_S - 60)
        return job_id

    def ask(self, world, job_id, key):
        self.share = world.job(job_id)["share"]
        return job_id

    def is_done(self, world, job_id):
        return world.job(job_id)["share"] != self.share


KINDS = (Start, End, Destroy, Suspend, Resume, Move, Throttle)
BROKEN = (OSError, http.client.HTTPException)


class Sweep:
    """One kind of action in one world, killed at one system call after the other."""

    def __init__(self, world, kind):
        self.world = world
        self.kind = kind
        self.longest_s = 0
        self.n_reached = 0

    def act(self, job_id, key, timeout_s=8):
        """@return (the job, whether what was asked was answered)"""
        daemon = self.world.rig.daemon.pid
        is_answered = False
        deadline = time.monotonic() + timeout_s
        try:
            job_id = self.kind.ask(self.world, job_id, key)
            is_answered = True
            while not self.kind.is_done(self.world, job_id) and time.monotonic() < deadline:
                if systemcalls.is_dead(daemon):
                    break
                time.sleep(0.05)
        except BROKEN:
            while not systemcalls.is_dead(daemon) and time.monotonic() < deadline:
                time.sleep(0.005)
        return job_id, is_answered

    def find_points(self):
        """System calls of one undisturbed action, from a little before its intent to a little after its end."""
        job_id = self.kind.prepare(self.world)
        with systemcalls.Tracer(self.world.rig.daemon.pid) as tracer:
            job_id, _ = self.act(job_id, str(uuid.uuid4()))
            time.sleep(0.05)
        self.clean(job_id)
        calls = tracer.calls
        marks = [i for i, (_, _, text) in enumerate(calls) if self.kind.mark in text]
        first = 0 if self.kind.name == "start" else max(0, marks[0] - 4)  # with the submit itself
        calls = calls[first:marks[-1] + self.kind.n_after]
        seen, points = set(), []
        for name, rank, _ in calls:
            if (name, rank) not in seen:
                seen.add((name, rank))
                points.append((name, rank))
        return points

    def kill_at(self, name, rank):
        """@return whether the call came"""
        world = self.world
        key = str(uuid.uuid4())
        job_id = self.kind.prepare(world)
        daemon = world.rig.daemon
        with systemcalls.Tracer(daemon.pid, "-e", f"trace={name}", "-e", f"inject={name}:signal=KILL:when={rank}"):
            job_id, is_answered = self.act(job_id, key)
        if not systemcalls.is_dead(daemon.pid):
            self.clean(job_id)
            return False
        daemon.wait()
        made = world.files(job_id) if job_id else {}
        if self.kind.ends:
            time.sleep(RUNS_S / sweep_world.SPEED + 0.1)  # it is over before anybody looks
        begin = time.monotonic()
        world.rig.start_daemon()
        if not is_answered:
            job_id = self.kind.ask(world, job_id, key)
        job = self.wait_until_settled(job_id, begin)
        self.kind.check(job)
        if made:
            assert world.files(job_id) == made, f"made {made}, then {world.files(job_id)}: it ran twice"
        self.longest_s = max(self.longest_s, time.monotonic() - begin)
        self.n_reached += 1
        self.clean(job_id)
        return True

    def wait_until_settled(self, job_id, begin):
        """The job once store, hosts and answers agree."""
        why = "?"
        while time.monotonic() - begin < LIMIT_S:
            job = self.world.job(job_id)
            machines = self.world.machines(job_id)
            n_running = sum(machine["state"] == RUNNING for machine in machines.values())
            assert n_running <= 1, f"it runs on {sorted(machines)}"
            why = self.find_fault(job, machines)
            if not why:
                return job
            time.sleep(0.02)
        raise AssertionError(f"after {LIMIT_S} s: {why}\n{self.world.rig.log_tail('hschedd.log', 40)}")

    def find_fault(self, job, machines):
        if self.world.intents():
            return f"intents are left: {self.world.intents()}"
        if self.world.stored(job["id"]).get("state") != job["state"]:
            return "the store has another state"
        if job["state"] in OVER:
            return f"an orphan on {sorted(machines)}" if machines else ""
        if self.kind.ends or self.kind.name == "destroy":
            return f"it is {job['state']}"
        if list(machines) != [job["host"]]:
            return f"said to be on {job['host']}, machines on {sorted(machines)}"
        state = {RUNNING: "running", PAUSED: "suspended"}.get(machines[job["host"]]["state"])
        return "" if state == job["state"] else f"it is {job['state']} and its machine {state}"

    def clean(self, job_id):
        """For the next one."""
        world = self.world
        if job_id:
            world.post(f"/v1/jobs/{job_id}/cancel")
            world.until("it does not end", lambda: world.job(job_id)["state"] in OVER and not world.machines(job_id))
        world.end_maintenance("pool")
        world.close_annex()


@unittest.skipIf(systemcalls.missing(), systemcalls.missing())
class Killed(unittest.TestCase):
    @unittest.skipUnless(systemcalls.is_long(), "all system calls take minutes: ./dev test --long")
    def test_every_system_call(self):
        for kind in KINDS:
            with tempfile.TemporaryDirectory(prefix="hsched-") as folder, World(folder) as world:
                sweep = Sweep(world, kind())
                points = sweep.find_points()
                for name, rank in points:
                    with self.subTest(kind=kind.name, call=name, rank=rank):
                        sweep.kill_at(name, rank)
                systemcalls.say(f"promise 4: {kind.name}: killed at {sweep.n_reached} system calls of {len(points)}, settled "
                                f"again within {sweep.longest_s:.1f} s")
                self.assertGreater(sweep.n_reached, len(points) // 2)

    @unittest.skipIf(systemcalls.is_long(), "all of them are killed")
    def test_as_a_machine_changes(self):
        """A sample: before the machine's file changes, and before what came of it is written down."""
        longest_s, n_reached = 0, 0
        with tempfile.TemporaryDirectory(prefix="hsched-") as folder, World(folder) as world:
            for kind in KINDS:
                sweep = Sweep(world, kind())
                with self.subTest(kind=kind.name):
                    self.assertTrue(sweep.kill_at("rename", kind.sample_rank))
                longest_s, n_reached = max(longest_s, sweep.longest_s), n_reached + sweep.n_reached
        systemcalls.say(f"promise 4: killed at {n_reached} system calls of {len(KINDS)} kinds of action (some 430 with "
                        f"--long), settled again within {longest_s:.1f} s")


@unittest.skipIf(systemcalls.missing(), systemcalls.missing())
class Removed(unittest.TestCase):
    def test_without_the_intent_first__a_job_runs_twice(self):
        """Hosts are called before the intent is written: some kill must show it."""
        with tempfile.TemporaryDirectory(prefix="hsched-") as folder, World(folder, "hschedd_no_intent") as world:
            sweep = Sweep(world, Start())
            points = sweep.find_points()
            renames = [i for i, (name, _) in enumerate(points) if name.startswith("rename")]
            found = []
            for name, rank in points[renames[-1] + 1:]:
                try:
                    sweep.kill_at(name, rank)
                except AssertionError as error:
                    found.append(str(error).splitlines()[0])
                    break
            systemcalls.say(f"promise 4 without its guard, the intent first: {found}")
            self.assertTrue(found)


if __name__ == "__main__":
    unittest.main(verbosity=2, argv=sys.argv)
