# SPDX-License-Identifier: Apache-2.0
"""The bench `forecast`: every model over every measured series, beside the tools of others.

A line for each series, model and weather; then lines of all series together, over all origins, over
the first half of each series' origins (on which settings are chosen) and over the second; then how
long forecasts take. Weather `issued` is that of the series which have recorded weather forecasts.
Without the shared folder a SYNTHETIC series is used, and every line says so."""
import concurrent.futures
import csv
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import heatseries
import rig

NAIVE = ("yesterday", "lastweek")
FIGURES = ("nmae", "nrmse", "mase", "nmae_1_6", "nmae_7_24", "nmae_25_48", "coverage_80_ratio")
BLOCKS = ("nmae", "nmae_1_6", "nmae_7_24", "nmae_25_48")
PARTS = {"all": None, "first": 0, "second": 1}
TARGETS = {"persisted": 0.82, "perfect": 0.62}  # geometric mean of nmae / nmae of same-hour-yesterday
WEATHERS = ("persisted", "perfect", "issued")
THEIR_WEATHER = {"issued": "nwp"}  # as the reference calls it
THEIR_YESTERDAY = "snaive24"


def say(**line):
    print(json.dumps({"bench": "forecast", **{k: round(v, 5) if isinstance(v, float) else v for k, v in line.items()}}), flush=True)


class Series:
    def __init__(self, path, origins=None, issued=None):
        self.path, self.origins, self.issued = path, origins, issued
        self.name = path.name.split(".")[0].removeprefix("heat_")


def find_series(folder):
    """@return the series of the shared folder, the reference's figures; synthetic and none without it"""
    data = pathlib.Path(os.environ.get("HSCHED_TEST_SHARED", pathlib.Path(__file__).resolve().parents[2] / ".." / "shared")) / "data"
    if not data.is_dir():
        print(f"bench: no shared series at {data}: a synthetic one stands in", file=sys.stderr)
        rows = heatseries.make_rows(90)
        return [Series(heatseries.write(folder / "heat_synthetic.csv", rows),
                       issued=heatseries.write_issued(folder / "issued.csv", rows))], []
    found = []
    for path in sorted(data.glob("heat_*.csv*")):
        stem = path.name.split(".")[0]
        origins = data / "forecast_origins" / f"{stem}.txt"
        # a recorded weather forecast belongs to the series of its place: wxfc_dk_sonderborg, heat_dk_sonderborg_house1
        issued = [p for p in data.glob("wxfc_*.csv*") if stem.startswith("heat_" + p.name.split(".")[0].removeprefix("wxfc_"))]
        found.append(Series(path, origins if origins.exists() else None, issued[0] if issued else None))
    with (data / "forecast_reference.csv").open() as file:
        return found, list(csv.DictReader(file))


def back_test(hsim, series, weather, model):
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "report.json"
        command = [str(hsim), "forecast", "--heat", str(series.path), "--weather",
                   str(series.issued) if weather == "issued" else weather, "-o", str(out)]
        command += ["--origins", str(series.origins)] if series.origins else []
        command += ["--models", ",".join(dict.fromkeys([*NAIVE, model]))] if model else []
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr}")
        return {entry["name"]: entry for entry in json.loads(out.read_text())["models"]}


def theirs(reference, series, weather):
    """The reference's figures of @series, by model; those that use no weather count for every weather."""
    wanted = (THEIR_WEATHER.get(weather, weather), "none")
    return {row["model"]: row for row in reference if row["series"] == series and row["weather"] in wanted}


def say_series(series, weather, models, reference):
    of_others = theirs(reference, series.name, weather)
    best = min(of_others.values(), key=lambda row: float(row["nmae"]), default=None)
    for name, entry in models.items():
        line = {"series": series.name, "model": name, "weather": weather, **{key: entry[key] for key in FIGURES},
                "us_per_forecast": entry["us_per_forecast"], "origins": entry["origins"]}
        if best is not None:
            line.update(reference_nmae=float(best["nmae"]), reference_model=best["model"])
        if not reference:
            line["data"] = "synthetic"
        say(**line)


def geometric_mean(values):
    return math.exp(statistics.fmean(map(math.log, values)))


def say_together(model, weather, part, by_series, is_synthetic):
    """One model over all series; @part of their origins."""
    half = PARTS[part]
    figures = {series: {name: entry if half is None else {**entry, **entry["halves"][half]} for name, entry in models.items()}
               for series, models in by_series.items()}
    ratios = {s: m[model]["nmae"] / m["yesterday"]["nmae"] for s, m in figures.items()}
    to_better = {s: m[model]["nmae"] / min(m[n]["nmae"] for n in NAIVE) for s, m in figures.items()}
    inside = [m[model]["coverage_80_ratio"] for m in figures.values()]
    weights = [m[model]["origins"] for m in figures.values()]
    worst = max(to_better, key=to_better.get)
    line = {"series": "all", "model": model, "weather": weather, "part": part, "n_series": len(figures),
            "geomean_to_yesterday": geometric_mean(ratios.values())}
    line.update({f"{key}_median": statistics.median(m[model][key] for m in figures.values()) for key in BLOCKS})
    line.update(coverage_80_ratio=sum(c * w for c, w in zip(inside, weights)) / sum(weights), coverage_80_min=min(inside),
                coverage_80_max=max(inside), worst_to_better_naive=to_better[worst], worst_series=worst,
                us_max=max(m[model]["us_per_forecast"] for m in figures.values()))
    if weather in TARGETS and not is_synthetic and len(figures) > 1:
        line["target_geomean"] = TARGETS[weather]
    if is_synthetic:
        line["data"] = "synthetic"
    say(**line)


def say_reference(reference, weather, names):
    """Their best tool over the same series, all origins, and the best of theirs for each series by itself."""
    tables = {name: theirs(reference, name, weather) for name in names}
    ratios = {}
    for tool in set.intersection(*(set(table) for table in tables.values())):
        ratios[tool] = [float(t[tool]["nmae"]) / float(t[THEIR_YESTERDAY]["nmae"]) for t in tables.values()]
    tool = min(ratios, key=lambda name: geometric_mean(ratios[name]))
    line = {"series": "all", "model": f"reference {tool}", "weather": weather, "part": "all", "n_series": len(names),
            "geomean_to_yesterday": geometric_mean(ratios[tool])}
    line.update({f"{key}_median": statistics.median(float(t[tool][key]) for t in tables.values()) for key in BLOCKS})
    line["us_max"] = max(float(t[tool]["sec_per_forecast"]) for t in tables.values()) * 1e6
    say(**line)
    each = [min(float(row["nmae"]) for row in t.values()) / float(t[THEIR_YESTERDAY]["nmae"]) for t in tables.values()]
    say(series="all", model="reference best of each series", weather=weather, part="all", n_series=len(names),
        geomean_to_yesterday=geometric_mean(each))


def bench_weather(args, weather, found, reference):
    series = [s for s in found if weather != "issued" or s.issued]
    if not series:
        return
    hsim = rig.program(args.build, "hsim")
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        results = pool.map(lambda one: back_test(hsim, one, weather, args.model), series)
        by_series = {}
        for one, models in zip(series, results):
            by_series[one.name] = models
            say_series(one, weather, models, reference)
    for model in next(iter(by_series.values())):
        for part in PARTS:
            say_together(model, weather, part, by_series, not reference)
    if reference and set(by_series) <= {row["series"] for row in reference}:
        say_reference(reference, weather, list(by_series))


def bench(args):
    with tempfile.TemporaryDirectory() as folder:
        found, reference = find_series(pathlib.Path(folder))
        if args.series:
            found = [s for s in found if args.series in s.name]
            if not found:
                print(f"bench: no series '{args.series}'", file=sys.stderr)
                return 2
        try:
            for weather in [args.weather] if args.weather else WEATHERS:
                bench_weather(args, weather, found, reference)
        except RuntimeError as error:
            print(f"bench: {error}", file=sys.stderr)
            return 1
    speed = pathlib.Path(args.build).resolve() / "tests" / "bench" / "bench_forecast"
    return subprocess.run([str(speed), *([args.model] if args.model else [])], check=False).returncode
