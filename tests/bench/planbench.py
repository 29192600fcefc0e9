# SPDX-License-Identifier: Apache-2.0
"""`./dev bench plan`: made-up cases through the planner (bench_plan.c), each checked by a validator of its own."""
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


def run_case(args, case, seed, steps):
    binary = pathlib.Path(args.build).resolve() / "tests" / "bench" / "bench_plan"
    return subprocess.run([str(binary), *map(str, case), str(seed), str(steps)], check=False).returncode


def bench(args):
    """One case if any of its figures was given, else every row over its seeds."""
    seeds = [args.seed] if args.seed is not None else None
    if any(value is not None for value in (args.jobs, args.loops, args.hosts, args.slots, args.utilisation)):
        jobs = args.jobs or 1000
        loops = args.loops or max(1, min(100, jobs // 100))
        case = (jobs, loops, args.hosts or 10 * loops, args.slots or 192, args.utilisation or 0.5)
        rows = [(*case, 1, args.steps)]
    else:
        rows = [(*row[:6], row[6] if args.steps is None else args.steps) for row in ROWS]
    failed = 0
    for *case, n_seeds, steps in rows:
        for seed in seeds or range(1, 1 + (args.seeds or n_seeds)):
            status = run_case(args, case, seed, 20 if steps is None else steps)
            if status != 0:
                print(f"bench: plan {' x '.join(map(str, case))}, seed {seed}: exit {status}", file=sys.stderr)
                failed = 1
    return failed
