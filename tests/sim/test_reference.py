# SPDX-License-Identifier: Apache-2.0
"""The rivals against an independent program with the same semantics, on the shared scenarios.

asap: every figure within 0.5 % of the reference, counts equal. thermostat, sticky and carbon, whose
rules leave more open (docs/simulator.md): useful heat and cost within 2 %. Besides, every rival must
give the figures that it gave when its rule was written down (MARKS), so that a change of rule is seen
even where it stays within 2 %. Prints the deviations. Skipped where the shared folder is not there.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

RIVALS = ["asap", "thermostat", "sticky", "carbon"]
ASAP_TOLERANCE = 0.005
RIVAL_TOLERANCE = 0.02
RIVAL_FIGURES = ["useful_heat_wh", "cost_cur"]
EQUAL = ["jobs_total", "jobs_done", "jobs_late", "moves", "suspends"]
SKIPPED = 77  # meson's word for it
# What runs again under a sanitizer: one site, and sites that differ. The figures are the same there.
SHORT = {"d1-winter-campus", "d8-unequal-sites"} if os.environ.get("HSCHED_TEST_SHORT") else None

# Our own figures, not the reference's: useful_heat_wh, cost_cur, jobs_late, moves, suspends. Change
# them only with the rule, and say so in docs/simulator.md.
MARK_TOLERANCE = 1e-5
MARK_NAMES = ["useful_heat_wh", "cost_cur", "jobs_late", "moves", "suspends"]
# fmt: off
MARKS = {
    ("d1-winter-campus", "asap"): (28209389.7, 3067.742, 51, 0, 0),
    ("d1-winter-campus", "thermostat"): (28710829.3, 2986.198, 81, 1071, 1307),
    ("d1-winter-campus", "sticky"): (28446029.7, 3046.040, 5, 238, 0),
    ("d1-winter-campus", "carbon"): (27791277.5, 2985.209, 42, 0, 0),
    ("d2-shoulder-idle-high", "asap"): (27931108.0, 5372.975, 0, 0, 0),
    ("d2-shoulder-idle-high", "thermostat"): (28583968.0, 5305.441, 0, 1023, 1151),
    ("d2-shoulder-idle-high", "sticky"): (28660063.9, 5286.544, 0, 1346, 0),
    ("d2-shoulder-idle-high", "carbon"): (28107575.1, 5328.576, 9, 0, 0),
    ("d3-winter-constant-price", "asap"): (31700685.2, 7213.960, 362, 0, 0),
    ("d3-winter-constant-price", "thermostat"): (31969138.4, 7180.727, 0, 111, 138),
    ("d3-winter-constant-price", "sticky"): (32083715.9, 7203.803, 440, 329, 0),
    ("d3-winter-constant-price", "carbon"): (31258030.6, 7262.264, 761, 0, 0),
    ("d4-summer", "asap"): (8368084.5, 2816.058, 0, 0, 0),
    ("d4-summer", "thermostat"): (8368084.5, 2778.168, 394, 242, 302),
    ("d4-summer", "sticky"): (8368084.5, 2816.093, 0, 168, 0),
    ("d4-summer", "carbon"): (8368084.5, 2724.123, 32, 0, 0),
    ("d5-autumn-two-sites", "asap"): (26605701.9, 4875.935, 0, 0, 0),
    ("d5-autumn-two-sites", "thermostat"): (27166248.6, 4720.941, 1495, 2084, 2262),
    ("d5-autumn-two-sites", "sticky"): (26618812.8, 4880.594, 0, 65, 0),
    ("d5-autumn-two-sites", "carbon"): (26982043.3, 4551.258, 65, 0, 0),
    ("d6-mostly-deferrable", "asap"): (18289682.3, 4150.298, 0, 0, 0),
    ("d6-mostly-deferrable", "thermostat"): (18832197.4, 4126.228, 871, 1730, 2016),
    ("d6-mostly-deferrable", "sticky"): (18572418.1, 4120.733, 0, 112, 0),
    ("d6-mostly-deferrable", "carbon"): (18545380.5, 3978.505, 189, 0, 0),
    ("d7-peaky-small-tank", "asap"): (14317796.5, 4030.652, 0, 0, 0),
    ("d7-peaky-small-tank", "thermostat"): (15265067.1, 3935.585, 423, 2887, 3339),
    ("d7-peaky-small-tank", "sticky"): (14428157.1, 4016.079, 0, 582, 0),
    ("d7-peaky-small-tank", "carbon"): (14401272.9, 4017.342, 46, 0, 0),
    ("d8-unequal-sites", "asap"): (12836609.5, 3772.032, 0, 0, 0),
    ("d8-unequal-sites", "thermostat"): (16344021.0, 3473.968, 599, 0, 0),
    ("d8-unequal-sites", "sticky"): (13558093.9, 3702.816, 0, 548, 0),
    ("d8-unequal-sites", "carbon"): (12835846.8, 3696.426, 75, 0, 0),
}
# fmt: on


def deviation(got, want):
    return abs(got - want) / abs(want) if want else abs(got)


def run(hsim, path, folder):
    out = pathlib.Path(folder) / "report.json"
    subprocess.run([hsim, "run", str(path), "--policies", ",".join(RIVALS), "-o", str(out)], check=True,
                   stderr=subprocess.DEVNULL)
    return {policy["name"]: policy for policy in json.loads(out.read_text())["policies"]}


def check_reference(got, want):
    """Complaints about one rival of one scenario."""
    is_asap = got["name"] == "asap"
    figures = [name for name in want if name != "name"] if is_asap else RIVAL_FIGURES
    tolerance = ASAP_TOLERANCE if is_asap else RIVAL_TOLERANCE
    shares = {name: deviation(got[name], want[name]) for name in figures}
    worst = max(shares, key=shares.get)
    print(f"  {got['name']:10s} worst {worst} off by {100 * shares[worst]:.4f} %")
    bad = [f"{name}: got {got[name]}, the reference has {want[name]}"
           for name, share in shares.items()
           if share > tolerance or (is_asap and name in EQUAL and got[name] != want[name])]
    if got["jobs_total"] != want["jobs_total"]:
        bad.append(f"jobs_total: got {got['jobs_total']}, the reference has {want['jobs_total']}")
    return bad


def check_marks(stem, got):
    mark = MARKS.get((stem, got["name"]))
    if mark is None:
        print(f"    no mark for {stem}: held against the reference only")
        return []
    return [f"{name}: got {got[name]}, was {value} when the rule was written"
            for name, value in zip(MARK_NAMES, mark) if deviation(got[name], value) > MARK_TOLERANCE]


def main():
    scenarios = pathlib.Path(os.environ.get("HSCHED_TEST_SHARED", "/nonexistent")) / "scenarios"
    if not scenarios.is_dir():
        print(f"skipped: the shared scenarios are not at {scenarios}")
        return SKIPPED
    n_bad = 0
    with tempfile.TemporaryDirectory() as folder:
        for reference in sorted(scenarios.glob("*.reference.json")):
            path = reference.with_name(reference.name.replace(".reference.json", ".json"))
            if SHORT is not None and path.stem not in SHORT:
                continue
            policies = run(os.environ["HSIM"], path, folder)
            wanted = {p["name"]: p for p in json.loads(reference.read_text())["policies"]}
            print(path.stem)
            for name in RIVALS:
                bad = check_reference(policies[name], wanted[name]) + check_marks(path.stem, policies[name])
                for complaint in bad:
                    print(f"    {complaint}")
                n_bad += len(bad)
    return 1 if n_bad else 0


if __name__ == "__main__":
    sys.exit(main())
