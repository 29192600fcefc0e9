# SPDX-License-Identifier: Apache-2.0
"""The world of test_moves: hschedd over two real hosts. Heat is wanted at `annex` only, which opens when told.

A job's guest counts ticks on its console, so that one that ran twice, or lost time, can be told by what it said."""
import copy
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
sys.path.insert(0, str(ROOT / "tests" / "cli"))
import guests  # noqa: E402
import rig as rigs  # noqa: E402
import systemcalls  # noqa: E402
from daemon_support import ESTATE, SCENARIO  # noqa: E402

BUILD = pathlib.Path(os.environ.get("HSCHED_BUILD", ROOT / "build"))
PATHS = ("pool/h1", "annex/h1")
# a source gives up on a silent destination after 3 s, not after half a minute
QEMU_CONF = "keepalive_interval = 1\nkeepalive_count = 2\n"
LIMIT_S = 90
OVER = ("done", "failed", "cancelled")
TICKS = "i=0; while true; do i=$((i+1)); echo tick $i; sleep 0.2; done"
POLICY = {"api": "hsched.policy/v1", "name": "default",
          "classes": {"service": {"base": "movable", "max_moves_per_day": 1000}},
          "migration": {"parallel_per_host": 4, "bandwidth_mib_per_s": 100}}


def make_estate(uris):
    estate = copy.deepcopy(ESTATE)
    annex = copy.deepcopy(estate["sites"][0])
    annex["name"] = "annex"
    estate["sites"].append(annex)
    for site, uri in zip(estate["sites"], uris):
        site["racks"][0]["hosts"][0].update(uri=uri, vcpus=8, memory_mib=4096, idle_w=400, max_w=8400)
    return estate


class Watch(threading.Thread):
    """Reads what guests say on both sides: one that speaks at its source after it spoke elsewhere ran twice."""

    def __init__(self, world, job_ids):
        super().__init__(daemon=True)
        self.files = {(job, side): world.console(job, side) for job in job_ids for side in (0, 1)}
        self.sizes = {key: 0 for key in self.files}
        self.first = {}  # job: the side that spoke first
        self.other = set()  # jobs whose other side has spoken
        self.twice = set()
        self.is_over = False

    def run(self):
        while not self.is_over:
            for key, path in self.files.items():
                self.look(key, path)
            time.sleep(0.02)

    def look(self, key, path):
        job, side = key
        try:
            size = path.stat().st_size
        except OSError:
            return
        if size > self.sizes[key]:
            self.first.setdefault(job, side)
            if side != self.first[job]:
                self.other.add(job)
            elif job in self.other:
                self.twice.add(job)
        self.sizes[key] = size

    def end(self):
        self.is_over = True
        self.join()


class World(rigs.Rig):
    """@hosts as of guests.Hosts; @hschedd may be a variant (tests/variants)."""

    def __init__(self, hosts, hschedd="hschedd", policy=None):
        policies = hosts.dir / "policies"
        policies.mkdir(exist_ok=True)
        (policies / "default.json").write_text(json.dumps(policy or POLICY))
        super().__init__(BUILD, {**SCENARIO, "estate": make_estate(hosts.uris)}, speed=60, policies=policies,
                         config={"images": {"busybox": hosts.image}, "plant": {"kind": "redis"}})
        self.hschedd = hschedd
        self.hosts = hosts
        self.feeding = threading.Event()

    def start(self):
        super().start()
        threading.Thread(target=self.feed, daemon=True).start()
        self.until("hosts are not up", lambda: all(h["state"] == "up" for h in self.get("/v1/hosts")["items"]))

    def __exit__(self, *exc):
        self.feeding.set()
        super().__exit__(*exc)

    def feed(self):
        """Heat is wanted at annex, and nowhere else."""
        while not self.feeding.wait(1):
            try:
                at = self.now().strftime("%Y-%m-%dT%H:%M:%SZ")
            except (OSError, RuntimeError, rigs.http.client.HTTPException):
                continue
            for site, watts in (("pool", 0), ("annex", 20000)):
                subprocess.run(["redis-cli", "-s", str(self.redis_socket), "XADD", "hs:{main}:readings", "*", "point",
                                f"{site}/main/basin/demand_heat_w", "value", str(watts), "at", at], check=False,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    # --- asking

    def until(self, what, is_so, timeout_s=LIMIT_S):
        deadline = time.monotonic() + timeout_s
        while not self.holds(is_so):
            if time.monotonic() > deadline:
                raise AssertionError(f"{what}:\n{self.log_tail('hschedd.log', 40)}")
            time.sleep(0.05)

    def holds(self, is_so):
        try:
            return is_so()
        except (OSError, rigs.http.client.HTTPException, RuntimeError):
            return False  # killed, and not back yet

    def console(self, job_id, side):
        return self.dir / "state" / "hosts" / PATHS[side] / f"job-{job_id}" / "console.log"

    def guests_of(self, job_id):
        """{side: process} of guests of the job, whatever libvirt says."""
        found = {}
        for side in (0, 1):
            path = self.hosts.dir / "v" / f"h{side + 1}" / "run" / "libvirt" / "qemu" / "run" / f"hs-{job_id}.pid"
            try:
                pid = int(path.read_text())
                if not systemcalls.is_dead(pid):
                    found[side] = pid
            except (OSError, ValueError):
                pass
        return found

    def intents(self):
        done = subprocess.run(["redis-cli", "-s", str(self.redis_socket), "hlen", "hs:{main}:intents"], check=True,
                              text=True, capture_output=True)
        return int(done.stdout)

    def ticks(self, job_id):
        """What the job has counted, as `hsched logs` tells."""
        return [int(n) for n in re.findall(r"^tick (\d+)$", self.hsched("logs", job_id).stdout, re.M)]

    def is_settled(self, job_id):
        """Store, hosts and answers agree: it is over, or is once, there where it is said to be."""
        job, found = self.job(job_id), self.guests_of(job_id)
        if self.intents() != 0:
            return False
        if job["state"] in OVER:
            return not found
        return job["state"] == "running" and [PATHS[side] for side in found] == [job["host"]]

    # --- doing

    def maintenance(self):
        return [item["id"] for item in self.get("/v1/maintenance")["items"]]

    def close_annex(self):
        if not self.maintenance():
            self.hsched("maintenance", "add", "--site", "annex", "--for", "400h")

    def open_annex(self):
        for number in self.maintenance():
            self.hsched("maintenance", "end", number)

    def run_jobs(self, n, *flags, command=TICKS):
        """@n jobs that run at pool, for want of annex."""
        self.close_annex()
        jobs = [self.submit("--class", "service", "--due", "now+60h", "--memory", f"{guests.MEMORY_MIB}M",
                            "--duration", "20h", *flags, "--", command) for _ in range(n)]
        self.until("they do not run", lambda: all(self.job(j)["state"] == "running" for j in jobs))
        self.until("they say nothing", lambda: all(self.console(j, 0).stat().st_size > 0 for j in jobs))
        return jobs

    def begin_moves(self, jobs):
        self.open_annex()
        self.until("none moves", lambda: any(self.job(j)["state"] == "migrating" for j in jobs))

    def cancel(self, jobs):
        for job in jobs:
            self.hsched("cancel", job, check=False)
        self.until("they do not end", lambda: all(self.job(j)["state"] in OVER and not self.guests_of(j)
                                                  for j in jobs))

    def kill_libvirtd(self, side):
        pid = self.hosts.libvirtd_pid(side)
        os.kill(pid, signal.SIGKILL)
        while not systemcalls.is_dead(pid):
            time.sleep(0.01)
        (self.hosts.dir / "v" / f"h{side + 1}" / "run" / "libvirt" / "libvirt-sock").unlink(missing_ok=True)
        subprocess.run([guests.HERE / "libvirt_hosts.sh", "again", self.hosts.dir / "v" / f"h{side + 1}"], check=True)

    def kill_daemon(self):
        self.daemon.kill()
        self.daemon.wait()
        self.start_daemon()
