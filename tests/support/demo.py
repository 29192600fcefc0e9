#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""demo - one winter day on a small estate, beside the same day without heat-following.

Starts a private Redis and hschedd on an accelerated clock, submits a day's work through
`hsched submit`, follows the day on stderr, and writes <build>/demo/report.json: hsim's report
with the controllers `heat` (what the daemon did) and `asap` (hsim on the same scenario)."""
import argparse
import datetime
import json
import os
import pathlib
import shlex
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import guests  # noqa: E402
from rig import Rig, parse_time, program, read_scenario  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
DAY_SPEED = 1440.0    # a day in 60 s
GUEST_SPEED = 60.0    # the most that real guests can follow: they sleep their run time / speed


def say(text=""):
    print(text, file=sys.stderr, flush=True)


def data_folder():
    """Measured series, if the caller or a neighbouring folder has them."""
    named = os.environ.get("HSCHED_DATA")
    if named:
        return pathlib.Path(named)
    shared = ROOT.parent / "shared" / "data"
    return shared if (shared / "heat_de_eon_network.csv").exists() else None


def make_scenario(out, data, hours):
    """Write the day's scenario with absolute paths; returns it and the words about its data."""
    command = [sys.executable, ROOT / "docs/examples/demo/generate.py", "--out", out]
    if data:
        command += ["--data", data]
    label = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout.strip()
    scenario = read_scenario(out / "scenario.json")
    if hours:
        guests.shrink(scenario, hours, out)
    (out / "scenario.json").write_text(json.dumps(scenario, indent=1) + "\n")
    return scenario, label


def read_jobs(build, scenario_path):
    """The day's work as hsim reads it, by submit time."""
    done = subprocess.run([str(program(build, "hsim")), "jobs", str(scenario_path)], check=True,
                          capture_output=True, text=True)
    return sorted(map(json.loads, done.stdout.splitlines()), key=lambda j: j["submit"])


def run_asap(build, scenario_path, out):
    subprocess.run([str(program(build, "hsim")), "run", str(scenario_path), "--policies", "asap",
                    "-o", str(out)], check=True, stdout=subprocess.DEVNULL)
    return json.loads(out.read_text())["policies"][0]


class Progress:
    """One line of the day; rewritten in place on a terminal, now and then in a log."""

    def __init__(self, rig):
        self.rig = rig
        self.live = sys.stderr.isatty()
        self.next_at = 0.0

    def __call__(self, now):
        if time.monotonic() < self.next_at:
            return
        self.next_at = time.monotonic() + (0.5 if self.live else 5.0)
        loops = self.rig.get("/v1/loops")["items"]
        jobs = self.rig.get("/v1/jobs?state=waiting,starting,running,suspended")["items"]
        running = sum(j["state"] in ("running", "starting") for j in jobs)
        parts = [f"{loop['name'].split('/')[0]} {number(loop['demand_heat_w'], 1e-3):>5.1f} kW "
                 f"tank {number(loop['tank_ratio'], 100):>3.0f} % "
                 f"heat {number(loop['heat_price_cur_per_mwh'], 1):>4.0f}" for loop in loops]
        line = f"{now:%a %H:%M}  {' | '.join(parts)} | {running} run {len(jobs) - running} wait"
        print(f"\r\033[K{line}" if self.live else line, end="" if self.live else "\n", file=sys.stderr, flush=True)

    def end(self):
        if self.live:
            say()


def number(value, factor):
    return float("nan") if value is None else value * factor


def submit(rig, job, guest):
    """Hand one job in, as a user would. A guest sleeps its run time in plan seconds.

    People round up: the estimate goes to the next full ten minutes. That is also room for the
    clock, on which a tenth of a second is minutes."""
    run_s = int(job["env"]["HSCHED_SIM_RUN_S"])
    estimate_s = (run_s // 600 + 1) * 600
    args = ["--name", job["name"], "--vcpus", job["vcpus"], "--due", job["due"]]
    if guest:
        args += ["--memory", f"{guests.MEMORY_MIB}M", "--duration", f"{estimate_s}s"]
        run_s = max(1, round((run_s - guests.BOOT_S) / rig.config["speed"]))
    else:
        args += ["--memory", f"{job['memory_mib']}M", "--duration", f"{estimate_s}s",
                 "--env", f"HSCHED_SIM_RUN_S={run_s}"]
    if job["interruptible"]:
        args.append("--interruptible")
    return rig.submit(*args, "--", "sleep", run_s)


def follow_day(rig, jobs, end, guest):
    progress = Progress(rig)
    for job in jobs:
        rig.wait_until(parse_time(job["submit"]), progress)
        submit(rig, job, guest)
    rig.wait_until(end, progress)
    progress.end()


def kwh(wh):
    return "      –" if wh is None else f"{wh / 1000:7.0f}"


def ratio(value):
    return "     –" if value is None else f"{value:6.2f}"


def table(heat, asap):
    """The day in figures, heat-following beside running everything at once."""
    lines = [f"{'':9} {'demand':>8}   {'useful heat kWh':>17}   {'recovery':>15}   {'coverage':>15}   {'backup kWh':>17}",
             f"{'site':9} {'kWh':>8}   {'follow':>8} {'asap':>8}   {'follow':>7} {'asap':>7}   {'follow':>7} {'asap':>7}"
             f"   {'follow':>8} {'asap':>8}"]
    asap_sites = {s["name"]: s for s in asap["sites"]}
    rows = [(s["name"], s, asap_sites[s["name"]]) for s in heat["sites"]] + [("all", heat, asap)]
    for name, a, b in rows:
        lines.append(f"{name:9} {kwh(a['demand_heat_wh']):>8}   {kwh(a['useful_heat_wh']):>8} {kwh(b['useful_heat_wh']):>8}"
                     f"   {ratio(a['recovery_ratio']):>7} {ratio(b['recovery_ratio']):>7}"
                     f"   {ratio(a['coverage_ratio']):>7} {ratio(b['coverage_ratio']):>7}"
                     f"   {kwh(a['backup_heat_wh']):>8} {kwh(b['backup_heat_wh']):>8}")
    lines += ["", f"{'':28} {'follow':>8} {'asap':>8}"]
    for label, key, factor, form in (("jobs done", "jobs_done", 1, "8.0f"), ("late jobs", "jobs_late", 1, "8.0f"),
                                     ("heat rejected, kWh", "rejected_heat_wh", 1e-3, "8.0f"),
                                     ("IT electricity, kWh", "it_wh", 1e-3, "8.0f"),
                                     ("cost (electricity + backup)", "cost_cur", 1, "8.2f"),
                                     ("CO2, kg", "gco2", 1e-3, "8.0f")):
        lines.append(f"{label:28} {number(heat[key], factor):{form}} {number(asap[key], factor):{form}}")
    return "\n".join(lines)


def run(build, out, data, guest, hours):
    out.mkdir(parents=True, exist_ok=True)
    scenario, label = make_scenario(out, data, hours)
    path = out / "scenario.json"
    jobs = read_jobs(build, path)
    start = parse_time(scenario["start"])
    end = start + datetime.timedelta(days=scenario["days"]) if not hours else start + datetime.timedelta(hours=hours)
    speed = GUEST_SPEED if guest else DAY_SPEED
    say(f"data:  {label}")
    say("hosts: " + ("real QEMU guests on two private libvirt daemons" if guest else "SIMULATED (sim:)"))
    say(f"work:  {len(jobs)} jobs from {start:%Y-%m-%d %H:%M} to {end:%H:%M} UTC, {speed:.0f} times faster than life")
    asap = run_asap(build, path, out / "asap.json")
    with guests.hosts(scenario, build / "guest") if guest else guests.none() as (_, config):
        with Rig(build, scenario, speed=speed, policies=ROOT / "docs/examples/demo/policies.d", config=config) as rig:
            follow_day(rig, jobs, end, guest)
            heat = rig.get("/v1/report")["policies"][0]
            (out / "jobs.json").write_text(rig.hsched("jobs", "-o", "json").stdout)
            (out / "hschedd.log").write_text(rig.log_tail("hschedd.log", 5000))
    report = {"api": "hsched.sim/v1", "policies": [heat, asap]}
    (out / "report.json").write_text(json.dumps(report, indent=1) + "\n")
    return report, label


def end_at(signum, _frame):
    """Leave by the ordinary way, so that what was started is ended."""
    sys.exit(128 + signum)


def main():
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, end_at)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--guests", action="store_true", help="a few hours with real QEMU guests")
    parser.add_argument("--synthetic", action="store_true", help="made data even where measured ones are at hand")
    args = parser.parse_args()
    out = args.build.resolve() / "demo"
    data = None if args.synthetic else data_folder()
    report, label = run(args.build, out, data, args.guests, 3 if args.guests else None)
    heat, asap = report["policies"]
    print(f"Heat-following beside running everything at once; {'QEMU guests' if args.guests else 'simulated hosts'}; "
          f"{label.split()[0].lower()} data.\n")
    print(table(heat, asap))
    print(f"\nreport: {shlex.quote(os.path.relpath(out / 'report.json'))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
