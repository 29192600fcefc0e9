# SPDX-License-Identifier: Apache-2.0
"""The bench `worth`: what following heat is worth over the scenarios of the shared folder.

Each scenario is run closed loop in several variants:

    free      moves and suspends cost nothing
    costs     they cost 30 s of the job's power and time each
    unexpecting   `heat` plans as if nobody submitted anything more
    gathered  each site's pinned vCPUs on as few hosts as hold them, so that some hosts can idle
    asleep    the same estate, and hosts without a busy vCPU draw nothing
    heavy     a policy that counts heat more: useful heat before money (unequal sites only)

A line for each scenario and variant, then one for each variant over all scenarios, with the targets of
those rows that have one. A controller that is later than `asap` counts 0 in a summary. Without the
shared folder a SYNTHETIC week is used, and every line says so."""
import concurrent.futures
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import rig
import simyear

RIVALS = ("asap", "thermostat", "sticky", "carbon")
OURS = ("heat", "perfect")
BOUNDS = ("bound", "bound_useful")
HEAVY = {"weights": {"heat": 3, "waiting": 0}}
COSTS_S = 30
UNEQUAL = "d8"
SUMMER = "d4"
TARGETS = {"perfect_value_median": 0.85, "heat_value_median": 0.75, "heat_value_worst_outside_summer": 0.65,
           "heat_to_perfect_median": 0.88, "recovery_points_unequal_sites": 0.80}
# variant: what it changes, who runs; `heat` is always there
VARIANTS = {
    "free": ({}, RIVALS + OURS + BOUNDS),
    "costs": ({"costs": {"move_s": COSTS_S, "suspend_s": COSTS_S}}, RIVALS + OURS + BOUNDS),
    "unexpecting": ({"no_expected_arrivals": True}, ("asap", "heat") + BOUNDS),
    "gathered": ({"gathered": True}, ("asap", "heat") + BOUNDS),
    "asleep": ({"gathered": True, "idle_hosts_off": True}, ("asap", "heat") + BOUNDS),
    "heavy": ({"policy": HEAVY}, ("asap", "heat") + BOUNDS),
}


def say(**line):
    print(json.dumps({"bench": "worth", **{k: round(v, 4) if isinstance(v, float) else v for k, v in line.items()}}), flush=True)


def make_absolute(node, folder):
    """Paths of a scenario that is written anew elsewhere."""
    if isinstance(node, list):
        for item in node:
            make_absolute(item, folder)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in ("csv", "swf", "issued") and isinstance(value, str):
                node[key] = str((folder / value).resolve())
            else:
                make_absolute(value, folder)


def gather_pinned(estate):
    """Pinned work of each rack on its first hosts, as full as they get; hosts that differ in it are named apart."""
    for site in estate["sites"]:
        for rack in site["racks"]:
            hosts = []
            for host in rack["hosts"]:
                count, vcpus = host.get("count", 1), host["vcpus"]
                left = count * host.get("pinned_vcpus", 0)
                for i in range(count):
                    pinned = min(vcpus, left)
                    left -= pinned
                    hosts.append({**host, "name": f"{host['name']}n{i}", "count": 1, "pinned_vcpus": pinned})
            rack["hosts"] = hosts


def write_variant(path, name, folder):
    change, policies = VARIANTS[name]
    scenario = json.loads(path.read_text())
    make_absolute(scenario, path.parent)
    if isinstance(scenario["estate"], str):
        scenario["estate"] = json.loads((path.parent / scenario["estate"]).read_text())
    for key, value in change.items():
        if key == "gathered":
            gather_pinned(scenario["estate"])
        elif key == "policy":
            rules = folder / "policy.json"
            rules.write_text(json.dumps({"api": "hsched.policy/v1", **value}))
            scenario["policy_files"] = [*scenario.get("policy_files", []), str(rules)]
        else:
            scenario[key] = value
    made = folder / f"{path.stem}.{name}.json"
    made.write_text(json.dumps(scenario))
    return made, policies


def run(hsim, path, name, without=()):
    """@return the report's controllers by name, or None with words on stderr"""
    with tempfile.TemporaryDirectory() as folder:
        made, policies = write_variant(path, name, pathlib.Path(folder))
        report = pathlib.Path(folder) / "report.json"
        done = subprocess.run([str(hsim), "run", str(made), "--policies", ",".join(p for p in policies if p not in without),
                               "-o", str(report)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            print(f"bench: hsim run {path.stem} ({name}): exit {done.returncode}\n{done.stderr[-2000:]}", file=sys.stderr)
            return None
        return {entry["name"]: entry for entry in json.loads(report.read_text())["policies"]}


def best_rival(by_name):
    """The cheapest rival that is not later than asap, and its cost."""
    if any(name not in by_name for name in RIVALS):
        return None, None
    on_time = [by_name[name] for name in RIVALS if not by_name[name]["is_later_than_asap"]]
    best = min(on_time, key=lambda entry: entry["cost_cur"], default=None)
    return (best["name"], best["cost_cur"]) if best else (None, None)


def ratio(part, whole):
    return part / whole if part is not None and whole else None


def figures_of(by_name):
    """The figures of one run, flat."""
    asap, heat = by_name["asap"], by_name["heat"]
    line = {"asap_late": asap["jobs_late"], "asap_cost_cur": asap["cost_cur"], "bound_cost_cur": by_name["bound"]["cost_cur"]}
    for name in OURS:
        if name in by_name:
            entry = by_name[name]
            line |= {f"{name}_value": entry["value_captured_ratio"], f"{name}_late": entry["jobs_late"],
                     f"{name}_is_later": entry["is_later_than_asap"], f"{name}_cost_cur": entry["cost_cur"],
                     f"{name}_saving_heat_cur": entry["saving_heat_cur"],
                     f"{name}_saving_electricity_cur": entry["saving_electricity_cur"],
                     f"{name}_suspends": entry["suspends"], f"{name}_moves": entry["moves"]}
    line["heat_recovery_points"] = heat["recovery_points_captured_ratio"]
    if "perfect" in by_name:
        line["heat_to_perfect"] = ratio(asap["cost_cur"] - heat["cost_cur"], asap["cost_cur"] - by_name["perfect"]["cost_cur"])
    rival, rival_cur = best_rival(by_name)
    line |= {"best_rival": rival, "best_rival_cost_cur": rival_cur,
             "is_lowest": None if rival is None else heat["cost_cur"] <= rival_cur}
    return line


def median(values):
    values = [value for value in values if value is not None]
    return statistics.median(values) if values else None


def counted(line, name):
    """What a run captured; 0 if it was later than asap."""
    return 0.0 if line.get(f"{name}_is_later") else line.get(f"{name}_value")


def sum_up(variant, lines):
    """One variant over all scenarios."""
    outside = [value for name, line in lines.items()
               if not name.startswith(SUMMER) and (value := counted(line, "heat")) is not None]
    total = {"scenarios": len(lines),
             "heat_value_median": median(counted(line, "heat") for line in lines.values()),
             "heat_value_worst_outside_summer": min(outside, default=None),
             "later_than_asap": sum(bool(line.get("heat_is_later")) for line in lines.values()),
             "heat_late": sum(line["heat_late"] for line in lines.values()),
             "heat_saving_heat_cur": sum(line["heat_saving_heat_cur"] for line in lines.values()),
             "heat_saving_electricity_cur": sum(line["heat_saving_electricity_cur"] for line in lines.values()),
             "asap_cost_cur": sum(line["asap_cost_cur"] for line in lines.values()),
             "heat_cost_cur": sum(line["heat_cost_cur"] for line in lines.values()),
             "heat_suspends": sum(line["heat_suspends"] for line in lines.values())}
    if any("perfect_value" in line for line in lines.values()):
        total["perfect_value_median"] = median(counted(line, "perfect") for line in lines.values())
        total["heat_to_perfect_median"] = median(line.get("heat_to_perfect") for line in lines.values())
        total["not_lowest"] = [name for name, line in lines.items() if line["is_lowest"] is False]
    unequal = [line["heat_recovery_points"] for name, line in lines.items() if name.startswith(UNEQUAL)]
    if unequal:
        total["recovery_points_unequal_sites"] = unequal[0]
    for key, target in TARGETS.items():
        if total.get(key) is not None and variant in (("heavy",) if key == "recovery_points_unequal_sites" else ("free",)):
            total[f"{key}_target"] = target
    return total


def find_scenarios(folder, wanted):
    shared = pathlib.Path(os.environ.get("HSCHED_TEST_SHARED", pathlib.Path(__file__).resolve().parents[2] / ".." / "shared"))
    found = [path for path in sorted((shared / "scenarios").glob("*.json")) if not path.stem.endswith(".reference")]
    if not found:
        print(f"bench: no scenarios at {shared / 'scenarios'}: a synthetic week stands in", file=sys.stderr)
        found = [simyear.make(folder, days=7, n_hosts=8)]
    return [path for path in found if wanted is None or any(path.stem.startswith(part) for part in wanted)], len(found) > 1


def bench(args):
    variants = args.variants.split(",") if args.variants else list(VARIANTS)
    hsim = rig.program(args.build, "hsim")
    with tempfile.TemporaryDirectory() as folder:
        paths, is_shared = find_scenarios(pathlib.Path(folder), args.scenarios.split(",") if args.scenarios else None)
        unknown = [name for name in variants if name not in VARIANTS]
        if unknown or not paths:
            print(f"bench: no variant '{unknown[0]}': {', '.join(VARIANTS)} are" if unknown
                  else f"bench: no scenario begins with '{args.scenarios}'", file=sys.stderr)
            return 2
        failed = 0
        with concurrent.futures.ThreadPoolExecutor(args.parallel or len(os.sched_getaffinity(0))) as pool:
            for name in variants:
                of = [path for path in paths if name != "heavy" or not is_shared or path.stem.startswith(UNEQUAL)]
                without = () if args.perfect else ("perfect",)
                asked = {pool.submit(run, hsim, path, name, without): path.stem for path in of}
                data = "shared" if is_shared else "synthetic"
                lines = {}
                # a line as soon as its week is over: the whole takes the better part of an hour
                for done in concurrent.futures.as_completed(asked):
                    if done.result() is not None:
                        lines[asked[done]] = figures_of(done.result())
                        say(variant=name, scenario=asked[done], data=data, **lines[asked[done]])
                failed |= len(lines) < len(of)
                if lines:
                    say(variant=name, scenario="all", data=data, **sum_up(name, dict(sorted(lines.items()))))
    return int(failed)
