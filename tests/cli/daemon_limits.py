#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Promises 15 and 16: hschedd whose memory runs out, and whose file descriptors do."""
import os
import pathlib
import socket
import subprocess
import time
import unittest

from daemon_support import RedisRig, rig

JOB = {"name": "part", "vcpus": 1, "memory_mib": 512, "duration": "1h", "script": "#!/bin/sh\ntrue\n",
       "earliest": "2026-01-06T10:00:00Z", "due": "2026-01-07T10:00:00Z"}
MIB = 1 << 20


def limit(pid, resource, value):
    subprocess.run(["prlimit", "--pid", str(pid), f"--{resource}={value}"], check=True)


def cpu_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def address_space(pid):
    line = next(line for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmSize"))
    return int(line.split()[1]) * 1024


class World(RedisRig):
    def __init__(self, hschedd="hschedd"):
        super().__init__(config={"lease_s": 2})
        self.hschedd = hschedd


class Limits(unittest.TestCase):
    def begin(self, hschedd="hschedd"):
        self.rig = World(hschedd)
        self.rig.__enter__()
        self.addCleanup(self.rig.__exit__, None, None, None)

    def pour(self, seconds):
        """Submit lists until the daemon no longer answers. @return {id: name} that were acknowledged"""
        acknowledged, n, until = {}, 0, time.monotonic() + seconds
        while time.monotonic() < until:
            jobs = [{**JOB, "name": f"n{n}-{i}", "script": "#!/bin/sh\n" + "#" * 1000} for i in range(150)]
            n += 1
            try:
                status, _, answer = self.rig.ask("POST", "/v1/jobs", jobs)
            except (OSError, rig.http.client.HTTPException):
                return acknowledged
            if status == 201:
                acknowledged.update((item["id"], job["name"]) for item, job in zip(answer["items"], jobs))
        self.fail("memory did not run out")

    def test_memory_runs_out__it_stops_cleanly_and_recovers_everything(self):
        self.begin()
        running = self.rig.submit("--now", "--duration", "1h", "--", "true")
        while self.rig.job(running)["state"] != "running":
            time.sleep(0.02)
        room = address_space(self.rig.daemon.pid) + 10 * MIB
        limit(self.rig.daemon.pid, "as", f"{room}:{room}")
        acknowledged = self.pour(30)
        status = self.rig.daemon.wait(10)
        log = self.rig.log_tail("hschedd.log", 5)
        self.assertIn("out of memory", log, f"exit {status}")
        self.rig.start_daemon()
        kept = {job["id"]: job["name"] for job in self.rig.jobs()}
        lost = [job_id for job_id, name in acknowledged.items() if kept.get(job_id) != name]
        print(f"\npromise 15: out of memory after {len(acknowledged)} acknowledged submits, exit {status}; {len(lost)} lost")
        self.assertGreater(len(acknowledged), 0)
        self.assertEqual(lost, [])
        self.assertEqual(self.rig.job(running)["state"], "running")
        self.assertEqual([vm["job"] for vm in self.rig.get("/v1/vms")["items"]], [running])

    def hold(self):
        """Take descriptors until the daemon has none left. @return the connections that hold them"""
        pid = self.rig.daemon.pid
        n_open = len(os.listdir(f"/proc/{pid}/fd"))
        limit(pid, "nofile", f"{n_open + 8}:{n_open + 8}")
        held = []
        for _ in range(20):
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(str(self.rig.socket))
            held.append(connection)
        time.sleep(0.5)
        self.assertEqual(len(os.listdir(f"/proc/{pid}/fd")), n_open + 8)
        return held

    def measure_idle(self, seconds=1.5):
        """Share of a core that the daemon takes with callers waiting and no descriptor for them."""
        began = cpu_s(self.rig.daemon.pid)
        time.sleep(seconds)
        return (cpu_s(self.rig.daemon.pid) - began) / seconds

    def test_descriptors_run_out__it_answers_again_soon(self):
        self.begin()
        held = self.hold()
        busy = self.measure_idle()
        for connection in held:
            connection.close()
        began = time.monotonic()
        while not self.rig.answers():
            self.assertLess(time.monotonic() - began, 20)
        took_s = time.monotonic() - began
        status, _, _ = self.rig.ask("POST", "/v1/jobs", JOB)
        print(f"\npromise 16: answers {took_s:.2f} s after descriptors are free, {100 * busy:.0f} % of a core meanwhile")
        self.assertEqual(status, 201)
        self.assertLess(took_s, 5)
        self.assertLess(busy, 0.3)
        self.assertEqual(self.rig.log_tail("hschedd.log", 1000).count("callers have to wait: Too many open files"), 1)

    def test_without_the_pause__it_would_spin(self):
        self.begin("hschedd_no_pause")
        held = self.hold()
        busy = self.measure_idle()
        n_lines = self.rig.log_tail("hschedd.log", 1000000).count("Too many open files")
        print(f"\npromise 16 without its guard: {100 * busy:.0f} % of a core and {n_lines} lines in the log")
        self.assertGreater(max(busy / 0.3, n_lines / 100), 1)
        for connection in held:
            connection.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
