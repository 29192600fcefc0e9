#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Benches that there are. One JSON object a line on stdout, words on stderr.

    bench.py --build DIR [NAME] [--policies a,b] [--days N] [--hosts N] [--seed S]
                                [--model M] [--series S] [--weather W]
                                [--variants a,b] [--scenarios d1,d2] [--parallel N] [--no-perfect]
                                [--jobs N] [--loops N] [--slots N] [--utilisation U] [--seeds N] [--steps N]

`sim` runs hsim on one core over a synthetic year (tests/support/simyear.py) of 4 sites with 50 hosts
each and 20,000 jobs in slots of a quarter of an hour, each policy in a process of its own; with --days
over that share of it. `store` measures commits a second beside bare HSET on a private Redis, durable submits through
the API beside redis-benchmark SET, and the start with --history jobs that are over and --waiting ones. `forecast` back-tests
the forecasting models (tests/bench/forecastbench.py); --model, --series and --weather restrict it. `runtimes`
predicts the run times of a log as its jobs come, beside the requested times. `ingest` takes readings in through a
private Redis without persistence, beside XREAD alone. `plan` plans made-up cases
(tests/bench/planbench.py); --jobs, --loops, --hosts, --slots, --utilisation and --seed choose one. `insert` adds
single jobs to a plan of 100,000. `growth` fits how the planner's time grows with jobs, loops, hosts and slots. `worth` runs the
shared scenarios (tests/bench/worthbench.py): what following heat is worth; --variants and --scenarios restrict it. `actuate`
suspends and resumes a guest and lists 5,000 domains of the test driver, beside the bare libvirt calls."""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
import actuatebench  # noqa: E402
import forecastbench  # noqa: E402
import ingestbench  # noqa: E402
import planbench  # noqa: E402
import rig  # noqa: E402
import simyear  # noqa: E402
import storebench  # noqa: E402
import worthbench  # noqa: E402

SIM_POLICIES = "asap,thermostat,sticky,carbon,heat"
NOT_YET = ("api", "estate")


def count_hosts(estate):
    return sum(host.get("count", 1) for site in estate["sites"] for rack in site["racks"] for host in rack["hosts"])


def run_pinned(command):
    """Run @command on one core. @return exit status, seconds, its CPU's seconds, peak MiB, words"""
    core = min(os.sched_getaffinity(0))
    began = time.monotonic()
    with tempfile.TemporaryFile("w+") as words, \
            subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=words,
                             preexec_fn=lambda: os.sched_setaffinity(0, {core})) as process:
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        words.seek(0)
        return process.returncode, wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, words.read()


def bench_sim(args):
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        path = simyear.make(folder, days=args.days, n_hosts=args.hosts or 50,
                            seed=7 if args.seed is None else args.seed)
        scenario = json.loads(path.read_text())
        for policy in args.policies.split(","):
            report = folder / f"{policy}.json"
            rc, wall_s, cpu_s, peak_mib, words = run_pinned([str(rig.program(args.build, "hsim")), "run", str(path),
                                                             "--policies", policy, "-o", str(report)])
            if rc != 0:
                print(f"bench: hsim run --policies {policy}: exit {rc}\n{words}", file=sys.stderr)
                failed = 1
                continue
            jobs = json.loads(report.read_text())["policies"][0]["jobs_total"]
            print(json.dumps({"bench": "sim", "policy": policy, "days": scenario["days"],
                              "sites": len(scenario["estate"]["sites"]), "hosts": count_hosts(scenario["estate"]),
                              "jobs": jobs, "wall_s": round(wall_s, 3), "cpu_s": round(cpu_s, 3), "peak_mib": round(peak_mib, 1),
                              "data": "synthetic"}), flush=True)
    return failed


def bench_store(args):
    binary = pathlib.Path(args.build).resolve() / "tests" / "bench" / "bench_store"
    with rig.PrivateRedis() as redis:
        status = subprocess.run([str(binary), f"unix:{redis.socket}"], check=False).returncode
    return status or storebench.bench(args.build, args.history, args.waiting)


def bench_runtimes(args):
    """Job run times beside requested ones on the shared log, where there is one, and on made-up jobs."""
    binary = pathlib.Path(args.build).resolve() / "tests" / "bench" / "bench_runtimes"
    log = pathlib.Path(os.environ.get("HSCHED_TEST_SHARED", ROOT.parent / "shared")) / "data" / "jobs_wagap_2013.swf.gz"
    if not log.exists():
        print(f"bench: no {log}: made-up jobs only", file=sys.stderr)
    return subprocess.run([str(binary)] + ([str(log)] if log.exists() else []), check=False).returncode


BENCHES = {"ingest": ingestbench.run, "sim": bench_sim, "store": bench_store, "forecast": forecastbench.bench, "runtimes": bench_runtimes,
           "plan": planbench.bench, "insert": planbench.insert, "growth": planbench.growth, "worth": worthbench.bench,
           "actuate": actuatebench.bench}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=ROOT / "build-bench")
    parser.add_argument("name", nargs="?", choices=[*BENCHES, *NOT_YET])
    parser.add_argument("--policies", default=SIM_POLICIES, help="of sim (%(default)s)")
    parser.add_argument("--days", type=int, default=365, help="of sim (%(default)s)")
    parser.add_argument("--hosts", type=int, help="of sim, at each of 4 sites (50); of plan, in all")
    parser.add_argument("--seed", type=int, help="of sim (7), plan (1..5), insert and growth (1)")
    parser.add_argument("--model", help="of forecast, beside the naive ones (all)")
    parser.add_argument("--series", help="of forecast, part of its name (all)")
    parser.add_argument("--weather", choices=forecastbench.WEATHERS, help="of forecast (each)")
    parser.add_argument("--jobs", type=int, help="of plan and insert")
    parser.add_argument("--loops", type=int, help="of plan and insert")
    parser.add_argument("--slots", type=int, help="of plan and insert (192)")
    parser.add_argument("--utilisation", type=float, help="of plan and insert (0.5)")
    parser.add_argument("--seeds", type=int, help="of plan and insert, how many")
    parser.add_argument("--steps", type=int, help="of plan and growth, warm replans")
    parser.add_argument("--groups", type=int, help="of plan: loops fall into so many without a common job (1)")
    parser.add_argument("--threads", type=int, help="of plan (1)")
    parser.add_argument("--readings", type=int, default=200000, help="of ingest (%(default)s)")
    parser.add_argument("--history", type=int, default=1000000, help="of store, jobs that are over (%(default)s)")
    parser.add_argument("--waiting", type=int, default=100000, help="of store (%(default)s)")
    parser.add_argument("--variants", help=f"of worth: {', '.join(worthbench.VARIANTS)} (all)")
    parser.add_argument("--scenarios", help="of worth, how their names begin (all)")
    parser.add_argument("--parallel", type=int, help="of worth, runs at a time (one a core)")
    parser.add_argument("--no-perfect", dest="perfect", action="store_false", help="of worth: leave `perfect` out")
    args = parser.parse_args()
    if args.name in NOT_YET:
        print(f"bench: '{args.name}' is not measured in this version: {', '.join(BENCHES)} are", file=sys.stderr)
        return 2
    statuses = [BENCHES[name](args) for name in ([args.name] if args.name else BENCHES)]
    return max(statuses)


if __name__ == "__main__":
    sys.exit(main())
