#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads meson's testlog.json files, shows what failed and was skipped, and ends with one line
`N passed, N failed, N skipped`. Exits 1 on any failure, or when nothing ran.

Figures of promises, lines with `promise N …`, are shown again. Counts cases, not executables: cmocka's `[       OK ] name` and unittest's `name ... ok`. An
executable that prints neither counts as one case."""
import json
import pathlib
import re
import sys

CMOCKA = re.compile(r"^\[\s+(OK|FAILED|SKIPPED)\s+\]\s+([A-Za-z_]\w*)\s*$", re.M)
PROMISE = re.compile(r"\b(promise \d+\b.*)$", re.M)
UNITTEST = re.compile(r"^(\w+) \([\w.]+\).*? \.\.\. (?:.*?\n)??.*?(ok|FAIL|ERROR|skipped)(.*)$", re.M)


def cases_of(entry):
    """[(case name, OK | FAILED | SKIPPED, reason)] of one test executable."""
    text = entry.get("stdout", "") + "\n" + entry.get("stderr", "")
    found = {}
    for word, name in CMOCKA.findall(text):
        found[name] = (word, "")
    for name, word, rest in UNITTEST.findall(text):
        kind = {"ok": "OK", "skipped": "SKIPPED"}.get(word, "FAILED")
        found[name] = (kind, rest.strip(" '\"") if kind == "SKIPPED" else "")
    cases = [(name, kind, reason) for name, (kind, reason) in found.items()]
    result = entry["result"]
    if result == "SKIP":
        return cases or [("all", "SKIPPED", (text.strip().splitlines() or [""])[-1])]
    if result not in ("OK", "EXPECTEDFAIL") and all(kind != "FAILED" for _, kind, _ in cases):
        cases.append((result.lower(), "FAILED", ""))  # a crash, a time-out, a leak at exit
    return cases or [("all", "OK", "")]


def suite_of_test(build):
    """{test name: suite} of a build folder; the log itself does not say."""
    tests = json.loads((build / "meson-info" / "intro-tests.json").read_text())
    return {t["name"]: t["suite"][0].split(":")[-1] for t in tests if t["suite"]}


def main(paths):
    totals = {"OK": 0, "FAILED": 0, "SKIPPED": 0}
    per_suite, skips, figures = {}, [], []
    for path in paths:
        file = pathlib.Path(path)
        build = file.parent.parent.name
        if not file.exists():
            print(f"{build}: no test ran")
            continue
        suites = suite_of_test(file.parent.parent)
        for line in file.read_text().splitlines():
            entry = json.loads(line)
            name = entry["name"].rpartition(" / ")[2]
            suite = suites.get(name, "all")
            row = per_suite.setdefault((build, suite), dict.fromkeys(totals, 0) | {"s": 0.0})
            row["s"] += entry.get("duration", 0.0)
            failed = False
            figures += PROMISE.findall(entry.get("stdout", "") + "\n" + entry.get("stderr", ""))
            for case, kind, reason in cases_of(entry):
                totals[kind] += 1
                row[kind] += 1
                failed |= kind == "FAILED"
                if kind == "FAILED":
                    print(f"FAILED {build}: {suite}/{name}: {case}")
                elif kind == "SKIPPED":
                    skips.append(f"skipped {build}: {suite}/{name}: {case} {reason}".rstrip())
            if failed:
                tail = (entry.get("stdout", "") + entry.get("stderr", "")).splitlines()[-60:]
                print("\n".join("    " + t for t in tail))
    print("\n".join(sorted(set(figures), key=lambda line: (int(re.search(r"\d+", line)[0]), line)) + skips))
    for (build, suite), row in per_suite.items():
        print(f"{build:12} {suite:9} {row['OK']:4} passed {row['FAILED']:3} failed "
              f"{row['SKIPPED']:3} skipped {row['s']:7.1f} s")
    print(f"{totals['OK']} passed, {totals['FAILED']} failed, {totals['SKIPPED']} skipped")
    return 1 if totals["FAILED"] or not totals["OK"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
