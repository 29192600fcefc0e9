#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""simyear - a SYNTHETIC year for hsim: made here from a seed, shaped like one, measured nowhere.

    simyear.py --out DIR [--days N] [--sites N] [--hosts N] [--jobs N] [--utilisation U] [--seed S]

Heat follows an outdoor temperature with a year's and a day's wave, people's hours and noise, in rows
of a quarter of an hour, with three weeks before the start to learn from. Prices are an hour's, with a
morning and an evening peak, cheap noons in summer and now and then below zero. Jobs come by day more
than by night; their run times are scaled so that pinned and job vCPUs together use the share asked
for. Standard library only."""
import argparse
import datetime
import json
import math
import pathlib
import random

UTC = datetime.timezone.utc
START = datetime.datetime(2025, 1, 6, tzinfo=UTC)  # a Monday
HISTORY_DAYS = 21
SLOT_S = 900
JOBS_A_YEAR = 20000
VCPUS, PINNED, IDLE_W, MAX_W, MEMORY_MIB = 64, 16, 150, 600, 262144
JOB_VCPUS = (8, 16, 24, 32, 40, 48)
SLACK_RATIO, MIN_SLACK_S, RUN_MAX_S = 0.5, 12 * 3600, 96 * 3600
# mean demand as a multiple of what the site's hosts give, and how much of it the cold makes
SITES = (("network", 2.0, 0.75), ("school", 1.0, 0.9), ("pool", 0.6, 0.35), ("homes", 0.25, 0.7))
BACKUP = {"kind": "gas-boiler", "efficiency_ratio": 0.9, "price_cur_per_mwh": 80, "gco2_per_kwh": 202}


def stamp(at):
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def bump(hour, centre, width):
    """A bell round @centre o'clock, 1 at its top, going round midnight."""
    away = (hour - centre + 12) % 24 - 12
    return math.exp(-(away / width) ** 2)


def warmth(at):
    """-1 in the middle of January, 1 in the middle of July."""
    return -math.cos(2 * math.pi * (at.timetuple().tm_yday - 15) / 365.25)


def site_names(n_sites):
    return [SITES[i % len(SITES)][0] + ("" if i < len(SITES) else str(i)) for i in range(n_sites)]


def write_rows(path, header, rows):
    with path.open("w", encoding="ascii") as file:
        file.write(",".join(header) + "\n")
        file.writelines(",".join(map(str, row)) + "\n" for row in rows)


def write_heat(path, days, n_sites, n_hosts, rng):
    given_kw = 0.8 * n_hosts * (IDLE_W + 0.45 * (MAX_W - IDLE_W)) / 1000
    weather_k, rows = 0.0, []
    for i in range((HISTORY_DAYS + days + 1) * 86400 // SLOT_S):
        at = START + datetime.timedelta(seconds=i * SLOT_S - HISTORY_DAYS * 86400)
        hour, workday = at.hour + at.minute / 60, at.weekday() < 5
        weather_k = 0.995 * weather_k + rng.gauss(0, 0.3)
        outdoor_c = 9.5 + 8 * warmth(at) + (3 + warmth(at)) * (bump(hour, 14.5, 4.5) - 0.4) + weather_k
        cold = max(0.0, 16.5 - outdoor_c) / 9
        people = 0.4 + (1.1 if workday else 0.6) * (bump(hour, 7, 2) + 0.6 * bump(hour, 19, 3))
        row = [stamp(at)]
        for site in range(n_sites):
            _, factor, from_cold = SITES[site % len(SITES)]
            shape = from_cold * cold * (0.5 + 0.6 * people) + (1 - from_cold) * people
            row.append(round(given_kw * factor * shape * max(0.0, rng.gauss(1, 0.07)), 3))
        rows.append([*row, round(outdoor_c, 2)])
    write_rows(path, ["time_utc", *(f"{name}_kw" for name in site_names(n_sites)), "t_out_c"], rows)


def write_grid(folder, days, n_sites, rng):
    """One price for all, as on one market, with a site's own fees; one carbon column."""
    level, prices, carbon = 0.0, [], []
    for i in range((HISTORY_DAYS + days + 3) * 24):
        at = START + datetime.timedelta(hours=i - HISTORY_DAYS * 24)
        hour, sun = at.hour, bump(at.hour, 13, 3.5) * (0.6 + 0.4 * warmth(at))
        level = 0.98 * level + rng.gauss(0, 4)
        price = (88 + level + 38 * bump(hour, 8, 2.2) + 55 * bump(hour, 19, 2.6) - 75 * sun
                 - (12 if at.weekday() > 4 else 0) + rng.gauss(0, 5))
        prices.append([stamp(at), *(round(price + 10 * site, 2) for site in range(n_sites))])
        carbon.append([stamp(at), round(max(30, 310 + level - 170 * sun + 40 * bump(hour, 19, 3)), 1)])
    write_rows(folder / "price.csv", ["time_utc", *(f"{n}_eur_mwh" for n in site_names(n_sites))], prices)
    write_rows(folder / "carbon.csv", ["time_utc", "gco2_kwh"], carbon)


def due_after_s(run_s):
    return max(run_s * (1 + SLACK_RATIO), run_s + MIN_SLACK_S)


def write_jobs(path, days, n_jobs, work_vcpu_h, rng):
    """@n_jobs records that are all due within the run, @work_vcpu_h in sum."""
    sizes = [rng.choice(JOB_VCPUS) for _ in range(n_jobs)]
    raw = [rng.lognormvariate(0, 0.7) for _ in range(n_jobs)]
    scale_s = work_vcpu_h * 3600 / sum(v * r for v, r in zip(sizes, raw)) if n_jobs else 0
    rows = []
    for vcpus, share in zip(sizes, raw):
        run_s = int(min(max(share * scale_s, 600), RUN_MAX_S, days * 86400 / 4))
        last_s = days * 86400 - due_after_s(run_s) - 1
        while True:
            at_s = rng.uniform(0, last_s)
            hour, workday = at_s / 3600 % 24, at_s // 86400 % 7 < 5
            if rng.random() < (0.35 + 0.65 * bump(hour, 13, 4.5)) * (1 if workday else 0.4):
                break
        rows.append((int(at_s), run_s, vcpus))
    write_rows(path, ["arrival_s", "run_s", "cpus"], sorted(rows))


def make_site(name, n_hosts):
    host_max_w = n_hosts * MAX_W
    return {"name": name, "aux_elec_ratio": 0.08,
            "electricity": {"price_cur_per_mwh": 120, "gco2_per_kwh": 300, "limit_w": 1.1 * host_max_w},
            "loops": [{"name": "main", "capture_ratio": 0.8, "supply_c": 50,
                       "tank": {"volume_l": 60 * n_hosts, "nodes": 1, "min_c": 40, "max_c": 60,
                                "loss_w_per_k": 8, "ambient_c": 18},
                       "rejection": {"limit_w": host_max_w, "elec_ratio": 0.03},
                       "sinks": [{"name": "building", "kind": "space-heating-low-temperature",
                                  "supply_min_c": 35, "heat_limit_w": 8 * host_max_w, "backup": BACKUP}]}],
            "racks": [{"name": f"r{rack + 1}", "loop": "main", "cooling": "direct-to-chip",
                       "limit_w": count * MAX_W,
                       "hosts": [{"name": f"r{rack + 1}h", "count": count, "uri": "sim:", "vcpus": VCPUS,
                                  "memory_mib": MEMORY_MIB, "idle_w": IDLE_W, "max_w": MAX_W,
                                  "pinned_vcpus": PINNED}]}
                      for rack, count in enumerate([10] * (n_hosts // 10) + [n_hosts % 10] * (n_hosts % 10 > 0))]}


def make(folder, days=365, n_sites=4, n_hosts=50, n_jobs=None, utilisation=0.45, seed=7):
    """Write scenario.json and its series into @folder (@n_hosts at each site). @return its path"""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(seed)
    n_jobs = round(JOBS_A_YEAR * days / 365) if n_jobs is None else n_jobs
    job_share = utilisation - PINNED / VCPUS
    names = site_names(n_sites)
    write_heat(folder / "heat.csv", days, n_sites, n_hosts, rng)
    write_grid(folder, days, n_sites, rng)
    write_jobs(folder / "jobs.csv", days, n_jobs, job_share * n_sites * n_hosts * VCPUS * days * 24, rng)
    scenario = {
        "$comment": f"SYNTHETIC, seed {seed}: made by tests/support/simyear.py",
        "start": stamp(START), "days": days, "slot_s": SLOT_S, "seed": seed,
        "estate": {"api": "hsched.estate/v1", "estate": "simyear", "cell": "main", "slot_s": SLOT_S,
                   "currency": "EUR", "carbon_price_cur_per_t": 60,
                   "sites": [make_site(name, n_hosts) for name in names]},
        "heat": [{"sink": f"{name}/main/building", "csv": "heat.csv", "column": f"{name}_kw"} for name in names],
        "price": [{"site": name, "csv": "price.csv", "column": f"{name}_eur_mwh"} for name in names],
        "carbon": [{"site": name, "csv": "carbon.csv", "column": "gco2_kwh"} for name in names],
        "jobs": [{"csv": "jobs.csv", "slack_ratio": SLACK_RATIO, "min_slack_s": MIN_SLACK_S,
                  "interruptible_ratio": 0.5}],
        "policies": ["asap"]}
    path = folder / "scenario.json"
    path.write_text(json.dumps(scenario, indent=1) + "\n", encoding="ascii")
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--sites", type=int, default=4)
    parser.add_argument("--hosts", type=int, default=50, help="at each site")
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--utilisation", type=float, default=0.45)
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    print(make(args.out, args.days, args.sites, args.hosts, args.jobs, args.utilisation, args.seed))


if __name__ == "__main__":
    main()
