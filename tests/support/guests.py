# SPDX-License-Identifier: Apache-2.0
"""guests - two private libvirt daemons, the small guest they boot, and an estate that fits them.

A guest's vCPU stands for a share of a rack: the model gives each host some kW, while what really
runs here is a sleeping virtual machine of 160 MiB."""
import contextlib
import csv
import datetime
import gzip
import os
import pathlib
import shutil
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
MEMORY_MIB = 160
VCPUS = 4
BOOT_S = 480  # plan seconds at 60x for booting and powering off: 8 s; part of a job's run time
SITES = ("pool", "homes")
FROM_S = 9 * 3600  # of the day
N_JOBS = 12


def missing():
    """Why no guests can run here, or ""."""
    for name in ("libvirtd", "virsh", "qemu-system-x86_64", "busybox", "cpio"):
        if not shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin"):
            return f"no {name} on this machine"
    return ""


def build_image(cache, out):
    """The guest image in @out, readable by the user that the private daemons run as."""
    subprocess.run([HERE / "guest" / "build-guest.sh", cache], check=True)
    for name in ("vmlinuz", "initrd", "cmdline"):
        shutil.copy(pathlib.Path(cache) / name, out / name)
        (out / name).chmod(0o644)
    return {"kernel": str(out / "vmlinuz"), "initrd": str(out / "initrd"),
            "cmdline": (out / "cmdline").read_text().strip()}


class Hosts:
    """@n private libvirt daemons in a short folder; .uris, one a host."""

    def __init__(self, n, cache, qemu_conf=""):
        self.n = n
        self.env = {**os.environ, "HSCHED_HOSTS_QEMU_CONF": qemu_conf}
        self.cache = cache
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="hsv-"))

    def __enter__(self):
        self.dir.chmod(0o755)
        try:
            image = self.dir / "image"
            image.mkdir()
            self.image = build_image(self.cache, image)
            done = subprocess.run([HERE / "libvirt_hosts.sh", "start", self.dir / "v", str(self.n)], check=True,
                                  stdout=subprocess.PIPE, text=True, env=self.env)
            self.uris = done.stdout.split()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exc):
        subprocess.run([HERE / "libvirt_hosts.sh", "stop", self.dir / "v"], check=False)
        shutil.rmtree(self.dir, ignore_errors=True)

    def libvirtd_pid(self, host_idx):
        return int((self.dir / "v" / f"h{host_idx + 1}.pid").read_text())

    def virsh(self, host_idx, *args):
        """Standard output of a virsh command at one host."""
        return subprocess.run(["virsh", "-q", "-c", self.uris[host_idx], *args], check=True, text=True,
                              capture_output=True, timeout=30).stdout

    def make_foreign(self, host_idx, name):
        """A machine that hsched did not make."""
        subprocess.run([HERE / "make_foreign.sh", self.uris[host_idx], name, self.dir / "image"], check=True,
                       capture_output=True)


def shrink(scenario, hours, folder):
    """Make a day's scenario fit two hosts with a handful of guests, for a morning of @hours.

    @folder takes the list of jobs."""
    estate = scenario["estate"]
    estate["sites"] = [s for s in estate["sites"] if s["name"] in SITES]
    for site in estate["sites"]:
        # small, or a morning's figures would be those of the heat that it started with
        site["loops"][0]["tank"]["volume_l"] = 100
        host = site["racks"][0]["hosts"][0]
        host.update(vcpus=VCPUS, memory_mib=2048, idle_w=400, max_w=8400)
        host.pop("count", None)
    for kind in ("heat", "price", "carbon"):
        key = "sink" if kind == "heat" else "site"
        scenario[kind] = [e for e in scenario[kind] if e[key].split("/")[0] in SITES]
    for entry in scenario["heat"]:
        entry["scale"] = entry.get("scale", 1) * 0.6
    start = datetime.datetime.fromisoformat(scenario["start"].replace("Z", "+00:00"))
    scenario["start"] = (start + datetime.timedelta(seconds=FROM_S)).strftime("%Y-%m-%dT%H:%M:%SZ")
    scenario["days"] = hours / 24
    jobs = folder / "jobs-guests.csv"
    pick_jobs(scenario["jobs"][0], jobs)
    scenario["jobs"] = [{"csv": str(jobs), "min_slack_s": 3600, "slack_ratio": 1, "interruptible_ratio": 0.3}]


def pick_jobs(entry, path):
    """A dozen short jobs of one vCPU from the list, arriving from nine on.

    A measured list keeps its run times and times of day; three of its days are laid over each
    other. The synthetic one has long jobs only, so theirs are cut to a quarter: a guest sleeps
    what it runs, and nobody waits that long."""
    opener = gzip.open if entry["csv"].endswith(".gz") else open
    with opener(entry["csv"], "rt") as file:
        rows = [(float(r["arrival_s"]) - entry.get("offset_s", 0), float(r["run_s"])) for r in csv.DictReader(file)]
    measured = "offset_s" in entry
    rows = [(at_s % 86400 - FROM_S, run_s if measured else run_s / 4) for at_s, run_s in rows
            if 0 <= at_s < (3 if measured else 1) * 86400]
    rows = sorted((at_s, run_s) for at_s, run_s in rows if 0 <= at_s < 6000 and 300 <= run_s <= 2400)[:N_JOBS]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["arrival_s", "run_s", "cpus"])
        writer.writerows([int(at_s), int(run_s) + BOOT_S, 1] for at_s, run_s in rows)


def place(scenario, uris):
    """Give the estate's hosts their libvirt URIs, in file order."""
    for site, uri in zip(scenario["estate"]["sites"], uris):
        site["racks"][0]["hosts"][0]["uri"] = uri


@contextlib.contextmanager
def hosts(scenario, cache):
    """Private hosts for @scenario; yields what hschedd.json must say about them."""
    with Hosts(len(scenario["estate"]["sites"]), cache) as running:
        place(scenario, running.uris)
        yield running, {"images": {"busybox": running.image}}


@contextlib.contextmanager
def none():
    """Simulated hosts need nothing."""
    yield None, {}
