# SPDX-License-Identifier: Apache-2.0
"""`./dev bench plan`, `insert` and `growth`: made-up cases (plan_cases.c) through the planner, each plan checked."""
import json
import math
import pathlib
import subprocess
import sys

# jobs, loops, hosts, slots, utilisation, seeds by default, warm replans
ROWS = (
    (1000, 10, 100, 192, 0.5, 5, 20),
    (10000, 100, 1000, 192, 0.5, 5, 20),
    (10000, 100, 1000, 192, 0.8, 5, 20),
    (100000, 100, 2000, 192, 0.5, 5, 10),
    (1000000, 100, 2000, 192, 0.5, 1, 5),
)
FULL = (100000, 100, 2000, 192, 0.5)
INSERTS = 2000
# growth: one figure varies, the others stand as in MIDDLE
MIDDLE = {"jobs": 8000, "loops": 40, "hosts": 800, "slots": 192, "utilisation": 0.5}
LADDERS = {"jobs": (2000, 4000, 8000, 16000, 32000, 64000), "loops": (10, 20, 40, 80, 160),
           "hosts": (200, 400, 800, 1600, 3200), "slots": (96, 120, 144, 168, 192)}


def run_case(args, program, case, seed, *counts, **more):
    binary = pathlib.Path(args.build).resolve() / "tests" / "bench" / program
    done = subprocess.run([str(binary), *map(str, case), str(seed), *map(str, counts)], check=False, **more)
    if done.returncode != 0:
        print(f"bench: {program} {' x '.join(map(str, case))}, seed {seed}: exit {done.returncode}", file=sys.stderr)
    return done


def extras_of(args):
    return [f"{name}={value}" for name, value in (("groups", args.groups), ("threads", args.threads)) if value]


def choose(args, default):
    """The one case that the options speak of, None if they speak of none."""
    given = (args.jobs, args.loops, args.hosts, args.slots, args.utilisation)
    if all(value is None for value in given):
        return default
    jobs = args.jobs or 1000
    loops = args.loops or max(1, min(100, jobs // 100))
    return (jobs, loops, args.hosts or 10 * loops, args.slots or 192, args.utilisation or 0.5)


def seeds_of(args, default):
    return [args.seed] if args.seed is not None else range(1, 1 + (args.seeds or default))


def bench(args):
    """One case if any of its figures was given, else every row over its seeds."""
    case = choose(args, None)
    rows = ROWS if case is None else [(*case, 1, 20)]
    failed = 0
    for *case, n_seeds, steps in rows:
        for seed in seeds_of(args, n_seeds):
            failed |= run_case(args, "bench_plan", case, seed, steps if args.steps is None else args.steps,
                               *extras_of(args)).returncode != 0
    return failed


def insert(args):
    failed = 0
    for seed in seeds_of(args, 1):
        failed |= run_case(args, "bench_insert", choose(args, FULL), seed, INSERTS).returncode != 0
    return failed


def fit(points):
    """Slope of the straight line through (log x, log y) that fits best by least squares."""
    xs, ys = [math.log(x) for x, _ in points], [math.log(y) for _, y in points]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys)) / sum((x - mean_x) ** 2 for x in xs)


def growth(args):
    """Processor time against each figure of a case, and the power of it that fits."""
    failed = 0
    for of, ladder in LADDERS.items():
        points = []
        for value in ladder:
            case = {**MIDDLE, of: value}
            done = run_case(args, "bench_plan", case.values(), args.seed or 1, 3 if args.steps is None else args.steps,
                            "unbound", stdout=subprocess.PIPE, text=True)
            failed |= done.returncode != 0
            points.append({of: value, **json.loads(done.stdout)} if done.stdout else None)
        if None in points or len(points) < 2:
            continue
        line = {"bench": "growth", "of": of, **{key: value for key, value in MIDDLE.items() if key != of},
                "values": list(ladder)}
        for name in ("cold_cpu_ms", "warm_cpu_p50_ms"):
            if all(point.get(name) for point in points):
                line[name] = [round(point[name], 2) for point in points]
                line[name.split("_")[0] + "_exponent"] = round(fit([(point[of], point[name]) for point in points]), 3)
        print(json.dumps(line), flush=True)
    return failed
