# SPDX-License-Identifier: Apache-2.0
"""asap against an independent program with the same semantics, on the shared scenarios.

Every figure must be within 0.5 % of the reference; counts must be equal. Prints the largest
deviation of each scenario. Skipped where the shared folder is not there.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

TOLERANCE = 0.005
EQUAL = ["jobs_total", "jobs_done", "jobs_late", "moves", "suspends"]
SKIPPED = 77  # meson's word for it


def compare(hsim, path, folder):
    """Deviations of one scenario as a list of (figure, got, want, share)."""
    out = pathlib.Path(folder) / "report.json"
    subprocess.run([hsim, "run", str(path), "--policies", "asap", "-o", str(out)], check=True,
                   stderr=subprocess.DEVNULL)
    got = json.loads(out.read_text())["policies"][0]
    reference = json.loads(path.with_suffix(".reference.json").read_text())
    want = next(p for p in reference["policies"] if p["name"] == "asap")
    rows = []
    for name, value in want.items():
        if name == "name":
            continue
        share = abs(got[name] - value) / abs(value) if value else abs(got[name])
        rows.append((name, got[name], value, share))
    return rows


def main():
    scenarios = pathlib.Path(os.environ.get("HSCHED_TEST_SHARED", "/nonexistent")) / "scenarios"
    if not scenarios.is_dir():
        print(f"skipped: the shared scenarios are not at {scenarios}")
        return SKIPPED
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        for reference in sorted(scenarios.glob("*.reference.json")):
            path = reference.with_name(reference.name.replace(".reference.json", ".json"))
            rows = compare(os.environ["HSIM"], path, folder)
            worst = max(rows, key=lambda row: row[3])
            print(f"{path.stem}: worst {worst[0]} off by {100 * worst[3]:.4f} %")
            for name, got, want, share in rows:
                if share > TOLERANCE or (name in EQUAL and got != want):
                    print(f"  {name}: got {got}, the reference has {want}")
                    bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
