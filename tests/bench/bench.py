#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Benches that there are. One JSON object a line on stdout, words on stderr.

    bench.py --build DIR [NAME]

`sim` runs hsim over a shared scenario of 28 days if there is one, else over the synthetic day of
docs/examples/demo. `store` measures commits a second beside bare HSET on a private Redis."""
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
import rig  # noqa: E402

NOT_YET = ("plan", "insert", "forecast", "api", "actuate", "ingest", "estate")


def scenario_of(folder):
    """(path, origin of its data)"""
    shared = ROOT.parent / "shared" / "scenarios" / "d8-unequal-sites.json"
    if shared.exists():
        return shared, "measured"
    subprocess.run([sys.executable, ROOT / "docs/examples/demo/generate.py", "--out", folder], check=True,
                   stdout=subprocess.DEVNULL)
    return folder / "scenario.json", "synthetic"


def count_hosts(estate):
    return sum(host.get("count", 1) for site in estate["sites"] for rack in site["racks"] for host in rack["hosts"])


def bench_sim(build):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        path, data = scenario_of(folder)
        scenario = json.loads(path.read_text())
        for policy in ("asap", "heat"):
            report = folder / f"{policy}.json"
            began = time.monotonic()
            process = subprocess.Popen([str(rig.program(build, "hsim")), "run", str(path), "--policies", policy,
                                        "-o", str(report)], stdout=subprocess.DEVNULL)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            wall_s = time.monotonic() - began
            if process.returncode != 0:
                raise RuntimeError(f"hsim run --policies {policy}: exit {process.returncode}")
            jobs = json.loads(report.read_text())["policies"][0]["jobs_total"]
            print(json.dumps({"bench": "sim", "policy": policy, "days": scenario["days"],
                              "sites": len(scenario["estate"]["sites"]), "hosts": count_hosts(scenario["estate"]),
                              "jobs": jobs, "wall_s": round(wall_s, 3), "peak_mib": round(usage.ru_maxrss / 1024, 1),
                              "data": data}), flush=True)


def bench_store(build):
    binary = pathlib.Path(build).resolve() / "tests" / "bench" / "bench_store"
    with rig.PrivateRedis() as redis:
        subprocess.run([str(binary), f"unix:{redis.socket}"], check=True)


BENCHES = {"sim": bench_sim, "store": bench_store}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=ROOT / "build-bench")
    parser.add_argument("name", nargs="?", choices=[*BENCHES, *NOT_YET])
    args = parser.parse_args()
    if args.name in NOT_YET:
        print(f"bench: '{args.name}' is not measured in this version: {', '.join(BENCHES)} are", file=sys.stderr)
        return 2
    for name in [args.name] if args.name else BENCHES:
        BENCHES[name](args.build)
    return 0


if __name__ == "__main__":
    sys.exit(main())
