#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""heatseries - a SYNTHETIC metered building for `hsim forecast`: made here from a seed, measured nowhere.

    heatseries.py FILE.csv [--days N] [--step-s S] [--seed S]

Heat follows an outdoor temperature with a day's wave and slow weather, the sun, people's hours and
noise. The meter has gaps (empty cells and rows that are not there), a spike and a run of zeros.
write_issued() makes weather forecasts that are wrong by more the further ahead they look.
Standard library only."""
import argparse
import datetime
import math
import pathlib
import random

UTC = datetime.timezone.utc
START = datetime.datetime(2025, 11, 3, tzinfo=UTC)  # a Monday
UA_KW_PER_K, GAIN_M2, INDOOR_C = 0.2, 2.0, 18.0


def stamp(at):
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_stamp(text):
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


def make_rows(days, step_s=3600, seed=7):
    """[(stamp, heat_kw, t_out_c, ghi_w_m2, wind_m_s)], heat None where the meter was silent."""
    rng = random.Random(seed)
    slow_k, rows, n = 0.0, [], days * 86400 // step_s
    for i in range(n):
        at = START + datetime.timedelta(seconds=i * step_s)
        hour = at.hour + at.minute / 60
        slow_k = (1 - 0.01 * step_s / 3600) * slow_k + rng.gauss(0, 0.4) * math.sqrt(step_s / 3600)
        t_out_c = 4 + 3 * math.sin(2 * math.pi * (hour - 9) / 24) + slow_k
        ghi = max(0.0, 250 * math.sin(math.pi * (hour - 8) / 8)) if 8 <= hour <= 16 else 0.0
        wind = abs(4 + rng.gauss(0, 1.5))
        people = 1.25 if 6 <= hour < 9 or 17 <= hour < 22 else 0.9
        people *= 0.9 if at.weekday() >= 5 else 1.0
        heat = people * max(0.3, UA_KW_PER_K * (INDOOR_C - t_out_c) - GAIN_M2 * ghi / 1000)
        heat *= max(0.2, rng.gauss(1, 0.08))
        rows.append([stamp(at), heat, t_out_c, ghi, wind])
    for i in range(n // 5, n // 5 + 10):
        rows[i][1] = None
    for i in range(n // 4, n // 4 + 30):
        rows[i][1] = 0.0
    rows[n // 3][1] = 40 * rows[n // 3][1]
    return rows


def write(path, rows, skip=()):
    """@param skip indices of rows that are left out of the file"""
    with pathlib.Path(path).open("w", encoding="ascii") as file:
        file.write("time_utc,heat_kw,t_out_c,ghi_w_m2,wind_m_s\n")
        for i, (at, *figures) in enumerate(rows):
            if i not in skip:
                file.write(",".join([at, *("" if v is None else f"{v:.4f}" for v in figures)]) + "\n")
    return pathlib.Path(path)


def make(path, days=40, step_s=3600, seed=7):
    rows = make_rows(days, step_s, seed)
    n = len(rows)
    return write(path, rows, skip=range(n // 2, n // 2 + 5))


def write_issued(path, rows, every_h=6, hours=60, seed=11):
    """Weather forecasts for hourly @rows."""
    rng = random.Random(seed)
    with pathlib.Path(path).open("w", encoding="ascii") as file:
        file.write("issue_utc,lead_h,valid_start_utc,t_out_c_fc,ghi_w_m2_fc\n")
        for issue in range(0, len(rows), every_h):
            wrong_k = 0.0
            for lead in range(1, min(hours, len(rows) - issue) + 1):
                wrong_k += rng.gauss(0, 0.2)
                _, _, t_out_c, ghi, _ = rows[issue + lead - 1]
                file.write(f"{rows[issue][0]},{lead},{rows[issue + lead - 1][0]},{t_out_c + wrong_k:.3f},{ghi:.1f}\n")
    return pathlib.Path(path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file")
    parser.add_argument("--days", type=int, default=40)
    parser.add_argument("--step-s", type=int, default=3600)
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    make(args.file, args.days, args.step_s, args.seed)
