#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes one winter day, or more, for the demo's estate: heat demand, prices, carbon, jobs, scenario.json.

    generate.py --out DIR [--data DIR] [--days N]

Without --data every series is SYNTHETIC: made here from a seed, shaped like winter, measured
nowhere. With --data the folder's measured series are named instead (heat_de_eon_network.csv,
heat_de_unna_50_500.csv, heat_dk_aalborg_m660.csv, price_be_dayahead.csv, carbon_de.csv,
jobs_pai_100k.csv.gz). Standard library only."""
import argparse
import csv
import datetime
import json
import math
import pathlib
import random

HERE = pathlib.Path(__file__).resolve().parent
UTC = datetime.timezone.utc
WEEK_S = 7 * 86400
HISTORY_DAYS = 21  # what the forecast may learn from
SITES = ("pool", "office", "homes")


def bump(hour, centre, width):
    """A bell round @centre o'clock, 1 at its top, going round midnight."""
    away = (hour - centre + 12) % 24 - 12
    return math.exp(-(away / width) ** 2)


def write_csv(path, header, rows):
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def stamp(at):
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def synthetic_series(out, start, days, rng):
    """Hourly rows from HISTORY_DAYS before @start to three days after the last of @days."""
    heat, price, carbon = [], [], []
    weather_k = 0.0
    for i in range((HISTORY_DAYS + days + 3) * 24):
        at = start + datetime.timedelta(hours=i - HISTORY_DAYS * 24)
        hour, workday = at.hour, at.weekday() < 5
        weather_k = 0.97 * weather_k + rng.gauss(0, 0.6)
        outdoor_c = 2.0 + 2.5 * bump(hour, 14, 4) + weather_k
        cold = (17.0 - outdoor_c) / 15.0
        pool_w = 13000 * (0.75 + 0.25 * cold) * (1 + 0.12 * bump(hour, 7, 2.5))
        opening = bump(hour, 7, 2.0) + 0.45 * bump(hour, 12, 4.5)
        office_w = cold * (900 + (5600 * opening if workday else 400))
        homes_w = cold * (1300 + 2500 * bump(hour, 6.5, 1.8) + 2900 * bump(hour, 19, 2.6))
        noise = [max(0.0, rng.gauss(1, 0.06)) for _ in SITES]
        heat.append([stamp(at)] + [round(w * n / 1000, 3) for w, n in
                                   zip((pool_w, office_w, homes_w), noise)] + [round(outdoor_c, 2)])
        level = 78 + 42 * bump(hour, 8, 2.2) + 58 * bump(hour, 18, 2.6) - 26 * bump(hour, 3, 3)
        price.append([stamp(at), round(level * (1 if workday else 0.8) + rng.gauss(0, 4), 2)])
        carbon.append([stamp(at), round(270 + 60 * bump(hour, 18, 3) - 70 * bump(hour, 13, 3)
                                        + rng.gauss(0, 8), 1)])
    write_csv(out / "heat.csv", ["time_utc"] + [f"{s}_kw" for s in SITES] + ["t_out_c"], heat)
    write_csv(out / "price.csv", ["time_utc", "eur_mwh"], price)
    write_csv(out / "carbon.csv", ["time_utc", "gco2_kwh"], carbon)


def synthetic_jobs(out, days, rng):
    """Batch work as people hand it in: mostly by day, an hour or three long, many vCPUs."""
    rows = []
    for day in range(days):
        at_s = 0.0
        while at_s < 17 * 3600:
            busy = 0.35 + bump(at_s / 3600, 10, 4) + 0.5 * bump(at_s / 3600, 1, 1.5)
            at_s += rng.expovariate(busy / 175)
            run_s = min(4 * 3600, max(1200, rng.lognormvariate(math.log(5400), 0.5)))
            vcpus = rng.choice((32, 32, 64, 64, 96, 128))
            if at_s < 17 * 3600:
                rows.append([day * 86400 + int(at_s), int(run_s), vcpus])
    write_csv(out / "jobs.csv", ["arrival_s", "run_s", "cpus"], rows)


def synthetic(out, days, seed):
    start = datetime.datetime(2026, 1, 13, tzinfo=UTC)
    rng = random.Random(seed)
    synthetic_series(out, start, days, rng)
    synthetic_jobs(out, days, rng)
    return {
        "$comment": f"SYNTHETIC data, seed {seed}: made by docs/examples/demo/generate.py",
        "start": stamp(start),
        "heat": [{"sink": f"{s}/main/building", "csv": "heat.csv", "column": f"{s}_kw"} for s in SITES],
        "price": [{"site": s, "csv": "price.csv", "column": "eur_mwh"} for s in SITES],
        "carbon": [{"site": s, "csv": "carbon.csv", "column": "gco2_kwh"} for s in SITES],
        "jobs": [{"csv": "jobs.csv", "slack_ratio": 1, "min_slack_s": 6 * 3600, "interruptible_ratio": 0.3}],
    }


def measured(data):
    """The same estate on measured series, brought to Monday 4 December 2023 by whole weeks."""
    def path(name):
        return str((data / name).resolve())
    return {
        "$comment": "MEASURED heat, price, carbon and job trace; carbon shifted 206 weeks, homes 261 weeks",
        "start": "2023-12-04T00:00:00Z",
        "heat": [
            {"sink": "pool/main/building", "csv": path("heat_de_eon_network.csv"), "column": "heat_kw",
             "scale": 0.026},
            {"sink": "office/main/building", "csv": path("heat_de_unna_50_500.csv"), "column": "heat_rel",
             "scale": 900},
            {"sink": "homes/main/building", "csv": path("heat_dk_aalborg_m660.csv"), "column": "heat_kw",
             "scale": 0.7, "shift_s": 261 * WEEK_S},
        ],
        "price": [{"site": s, "csv": path("price_be_dayahead.csv"), "column": "eur_mwh"} for s in SITES],
        "carbon": [{"site": s, "csv": path("carbon_de.csv"), "column": "gco2_kwh",
                    "shift_s": 206 * WEEK_S} for s in SITES],
        "jobs": [{"csv": path("jobs_pai_100k.csv.gz"), "offset_s": 16 * 86400, "scale_cpus": 18,
                  "slack_ratio": 1, "min_slack_s": 6 * 3600, "interruptible_ratio": 0.3,
                  "max_run_s": 4 * 3600}],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--data", type=pathlib.Path, help="folder of measured series")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--days", type=int, default=1)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    day = measured(args.data) if args.data else synthetic(args.out, args.days, args.seed)
    estate = json.loads((HERE / "estate.json").read_text())
    scenario = {"$comment": day.pop("$comment"), "estate": estate, "start": day.pop("start"),
                "days": args.days, "slot_s": 900, "seed": args.seed, **day, "policies": ["heat", "asap"]}
    (args.out / "scenario.json").write_text(json.dumps(scenario, indent=1) + "\n")
    print(scenario["$comment"])


if __name__ == "__main__":
    main()
