#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mutated input into every parser for some seconds in all, a new seed each time."""
import argparse
import pathlib
import random
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.randrange(1, 2**31))
    args = parser.parse_args()
    folders = sorted(f for f in (HERE / "corpus").iterdir() if f.is_dir())
    program = args.build.resolve() / "tests" / "fuzz" / "fuzz_parsers"
    print(f"seed {args.seed}", file=sys.stderr)
    failed = 0
    for folder in folders:
        done = subprocess.run([str(program), folder.name, str(folder), str(args.seconds / len(folders)),
                               str(args.seed)], cwd=args.build, check=False)
        if done.returncode != 0:
            print(f"{folder.name}: exit {done.returncode}; the input is in {args.build}/fuzz-{folder.name}.input", file=sys.stderr)
            failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
