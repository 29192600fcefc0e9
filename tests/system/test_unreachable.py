#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real guests on two private libvirt daemons: one of them hangs or ends, and hschedd is killed.

A job on a host that does not answer is started nowhere else until `hsched host confirm-down`; hschedd
killed as it enters system calls of a start and of an end leaves no guest twice and none over. A sample
runs by default, more with --long."""
import copy
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time
import unittest
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
sys.path.insert(0, str(ROOT / "tests" / "cli"))
import guests  # noqa: E402
import rig as rigs  # noqa: E402
import systemcalls  # noqa: E402
from daemon_support import ESTATE, SCENARIO  # noqa: E402

BUILD = pathlib.Path(os.environ.get("HSCHED_BUILD", ROOT / "build"))
ALL_FAULTS = 20  # with --long
N_FAULTS = ALL_FAULTS if systemcalls.is_long() else 1
WATCHED_S = 8 if systemcalls.is_long() else 3
N_KILLS = 30  # of each kind
GUEST_S = 120  # boots, runs its script, powers off, on a busy machine
LIMIT_S = 30  # promises.md, 4
EXIT_STATUS = 7


class GuestRig(rigs.Rig):
    """One site; h1 and h2 are real, at @uris."""

    def __init__(self, hosts, hschedd="hschedd"):
        estate = copy.deepcopy(ESTATE)
        listed = estate["sites"][0]["racks"][0]["hosts"]
        listed.append({**listed[0], "name": "h2"})
        for host, uri in zip(listed, hosts.uris):
            host["uri"] = uri
        super().__init__(BUILD, {**SCENARIO, "estate": estate}, speed=60, plant="csv",
                         config={"images": {"busybox": hosts.image}})
        self.hschedd = hschedd
        self.hosts = hosts

    def start(self):
        super().start()
        self.until("hosts are not up", lambda: all(h["state"] == "up" for h in self.get("/v1/hosts")["items"]))

    def until(self, what, is_so, timeout_s=LIMIT_S):
        deadline = time.monotonic() + timeout_s
        while not is_so():
            if time.monotonic() > deadline:
                raise AssertionError(f"{what}:\n{self.log_tail('hschedd.log', 30)}")
            time.sleep(0.1)

    def run_job(self, *command):
        job_id = self.submit("--now", "--memory", f"{guests.MEMORY_MIB}M", "--duration", "20h", "--", *command)
        self.until("it does not run", lambda: self.job(job_id)["state"] == "running")
        return job_id

    def cancel(self, job_id):
        self.hsched("cancel", job_id, check=False)
        self.until("it does not end", lambda: self.job(job_id)["state"] in ("done", "failed", "cancelled"))

    def guests_of(self, job_id):
        """[(host index, process)] of guests of the job, whatever libvirt says."""
        found = []
        for i in range(2):
            path = self.hosts.dir / "v" / f"h{i + 1}" / "run" / "libvirt" / "qemu" / "run" / f"hs-{job_id}.pid"
            try:
                pid = int(path.read_text())
                if not systemcalls.is_dead(pid):
                    found.append((i, pid))
            except (OSError, ValueError):
                pass
        return found

    def redis(self, *args):
        return subprocess.run(["redis-cli", "-s", str(self.redis_socket), *args], check=True, text=True,
                              capture_output=True).stdout


@unittest.skipIf(guests.missing(), guests.missing())
class Real(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.hosts = guests.Hosts(2, BUILD / "guest")
        cls.hosts.__enter__()
        cls.addClassCleanup(cls.hosts.__exit__)

    def rig(self, hschedd="hschedd"):
        rig = GuestRig(self.hosts, hschedd)
        rig.__enter__()
        self.addCleanup(rig.__exit__, None, None, None)
        return rig

    # --- faults

    def hang(self, i):
        os.kill(self.hosts.libvirtd_pid(i), signal.SIGSTOP)

    def end(self, i):
        """libvirtd is killed and its socket is gone; its guests go on."""
        pid = self.hosts.libvirtd_pid(i)
        os.kill(pid, signal.SIGKILL)
        while not systemcalls.is_dead(pid):
            time.sleep(0.01)
        (self.hosts.dir / "v" / f"h{i + 1}" / "run" / "libvirt" / "libvirt-sock").unlink(missing_ok=True)

    def mend(self, i):
        pid = self.hosts.libvirtd_pid(i)
        if systemcalls.is_dead(pid):
            subprocess.run([guests.HERE / "libvirt_hosts.sh", "again", self.hosts.dir / "v" / f"h{i + 1}"], check=True)
        else:
            os.kill(pid, signal.SIGCONT)

    def watch(self, rig, job_id, home, seconds):
        """Starts elsewhere while the host is silent."""
        name = f"pool/h{home + 1}"
        rig.until("it is not missed", lambda: next(
            h for h in rig.get("/v1/hosts")["items"] if h["name"] == name)["state"] != "up")
        elsewhere = set()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            elsewhere.update(pid for i, pid in rig.guests_of(job_id) if i != home)
            time.sleep(0.1)
        return len(elsewhere)


class Unreachable(Real):
    def test_a_job_of_a_silent_host_is_started_nowhere_else(self):
        rig = self.rig()
        job_id = rig.run_job("sleep", "3000")
        (home, pid), = rig.guests_of(job_id)
        n = 0
        for k in range(N_FAULTS):
            (self.end if k % 2 == 0 else self.hang)(home)
            try:
                n += self.watch(rig, job_id, home, WATCHED_S)
                self.assertEqual(rig.job(job_id)["host"], f"pool/h{home + 1}")
            finally:
                self.mend(home)
            rig.until("it is not found again", lambda: rig.job(job_id)["reasons"] == [])
            self.assertEqual(rig.guests_of(job_id), [(home, pid)])
        print(f"promise 8: {n} starts elsewhere, {N_FAULTS} silent libvirt daemons ({ALL_FAULTS} with --long), {WATCHED_S} s each")
        self.assertEqual(n, 0)
        self.confirm_down(rig, job_id, home, pid)

    def confirm_down(self, rig, job_id, home, pid):
        """The operator is wrong, and the guest runs on: it goes when its host is back."""
        self.end(home)
        try:
            self.watch(rig, job_id, home, 0)
            rig.hsched("host", "confirm-down", f"pool/h{home + 1}", "--yes", "--why", "thought to be off")
            rig.until("it is not started elsewhere", lambda: [i for i, _ in rig.guests_of(job_id)] == [0, 1])
        finally:
            self.mend(home)
        rig.until("the first one is left", lambda: [i for i, _ in rig.guests_of(job_id)] == [1 - home])
        self.assertTrue(systemcalls.is_dead(pid))
        self.assertEqual((rig.job(job_id)["state"], rig.job(job_id)["host"]), ("running", f"pool/h{2 - home}"))
        rig.until("an intent is left", lambda: rig.redis("hlen", "hs:{main}:intents").strip() == "0")
        rig.cancel(job_id)

    @unittest.skipUnless(systemcalls.is_long(), "by default with simulated hosts: tests/cli/daemon_fences.py")
    def test_without_the_guard_it_is_started_elsewhere(self):
        rig = self.rig("hschedd_no_unknown")
        job_id = rig.run_job("sleep", "3000")
        (home, _), = rig.guests_of(job_id)
        self.end(home)
        try:
            n = self.watch(rig, job_id, home, 5)
        finally:
            self.mend(home)
        print(f"promise 8 without its guard: {n} starts elsewhere, real guests")
        self.assertEqual(n, 1)
        rig.cancel(job_id)
        rig.until("a guest is left", lambda: rig.guests_of(job_id) == [])


@unittest.skipIf(systemcalls.missing(), systemcalls.missing())
@unittest.skipUnless(systemcalls.is_long(), "guests take minutes to boot so often: ./dev test --long")
class Killed(Real):
    """hschedd dies at some system call of a start, a guest's end and a cancel."""

    def act(self, rig, kind, key):
        """@return job id, or None if the daemon died over it"""
        try:
            if kind == "start":
                body = {"name": "j", "vcpus": 1, "memory_mib": guests.MEMORY_MIB, "duration": "20h", "now": True,
                        "script": f"#!/bin/sh\nexit {EXIT_STATUS}\n"}
                job_id = self.post(rig, "/v1/jobs", body, key)["id"]
            else:
                job_id = self.job_id
                self.post(rig, f"/v1/jobs/{job_id}/cancel", None, key)
            return job_id
        except (OSError, rigs.http.client.HTTPException):
            return None

    def post(self, rig, path, body, key):
        connection = rigs.UnixConnection(rig.socket, 10)
        try:
            connection.request("POST", path, body=json.dumps(body) if body else None, headers={"Idempotency-Key": key})
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def wait_for_death(self, daemon, rig, job_id, seconds):
        deadline = time.monotonic() + seconds
        while not systemcalls.is_dead(daemon.pid) and time.monotonic() < deadline:
            try:
                if job_id and rig.job(job_id)["state"] in ("done", "failed", "cancelled"):
                    return
            except (OSError, rigs.http.client.HTTPException, RuntimeError):
                pass
            time.sleep(0.2)

    def kill_once(self, rig, kind, name, rank):
        """@return seconds until all agreed again, or None if the call did not come"""
        key = str(uuid.uuid4())
        self.job_id = rig.run_job("sleep", "3000") if kind == "destroy" else None
        daemon = rig.daemon
        with systemcalls.Tracer(daemon.pid, "-e", f"trace={name}", "-e", f"inject={name}:signal=KILL:when={rank}"):
            job_id = self.act(rig, kind, key)
            self.wait_for_death(daemon, rig, job_id, 15)
        is_reached = systemcalls.is_dead(daemon.pid)
        begin = time.monotonic()
        if is_reached:
            daemon.wait()
            rig.start_daemon()
        job_id = job_id or self.act(rig, kind, key)
        wanted = ("failed", EXIT_STATUS) if kind == "start" else ("cancelled", None)
        rig.until("it does not settle", lambda: self.agrees(rig, job_id))
        span_s = time.monotonic() - begin
        rig.until("it does not end", lambda: (rig.job(job_id)["state"], rig.job(job_id)["exit_status"]) == wanted
                  and rig.guests_of(job_id) == [], GUEST_S)
        return span_s if is_reached else None

    def agrees(self, rig, job_id):
        """Store, hosts and answers."""
        job, found = rig.job(job_id), rig.guests_of(job_id)
        self.assertLessEqual(len(found), 1, "it runs twice")
        if rig.redis("hlen", "hs:{main}:intents").strip() != "0":
            return False
        if job["state"] == "running":
            return [f"pool/h{i + 1}" for i, _ in found] == [job["host"]]
        return job["state"] in ("failed", "cancelled") and not found

    def test_a_guest_is_there_once_or_not_at_all(self):
        rig = self.rig()
        chance = random.Random(7)
        spans = []
        for kind, names in (("start", ("sendto", "write", "openat", "futex")), ("destroy", ("sendto", "write"))):
            for k in range(N_KILLS):
                name, rank = chance.choice(names), chance.randint(1, 12)
                with self.subTest(kind=kind, call=name, rank=rank):
                    span_s = self.kill_once(rig, kind, name, rank)
                    spans += [span_s] if span_s is not None else []
        print(f"promise 4: killed at {len(spans)} system calls of {2 * N_KILLS} with real guests, settled again within {max(spans, default=0):.1f} s")
        self.assertGreater(len(spans), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
