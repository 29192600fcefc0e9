# SPDX-License-Identifier: Apache-2.0
"""hsim forecast: its figures against those of a program of others on the shared series (skipped where
the shared folder is not there) and against this file's own arithmetic on a SYNTHETIC series
(tests/support/heatseries.py); what it says of bad input."""

import csv
import gzip
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import heatseries  # noqa: E402

HSIM = os.environ["HSIM"]
DATA = pathlib.Path(os.environ.get("HSCHED_TEST_SHARED", "/nonexistent")) / "data"
NAIVE = {"yesterday": "snaive24", "lastweek": "snaive168"}


def call(*args):
    return subprocess.run([HSIM, "forecast", *map(str, args)], capture_output=True, text=True, check=False, timeout=120)


class Case(unittest.TestCase):
    def setUp(self):
        temp = tempfile.TemporaryDirectory()
        self.addCleanup(temp.cleanup)
        self.folder = pathlib.Path(temp.name)

    def report(self, *args):
        """@return models by name, the whole report"""
        out = self.folder / "report.json"
        done = call(*args, "-o", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(out.read_text())
        return {model["name"]: model for model in report["models"]}, report


@unittest.skipUnless(DATA.is_dir(), f"the shared series are not at {DATA}")
class Reference(Case):
    def test_naive_figures_are_those_of_the_reference(self):
        with (DATA / "forecast_reference.csv").open() as file:
            wanted = {(row["series"], row["model"]): row for row in csv.DictReader(file)}
        for path in sorted(DATA.glob("heat_*")):
            series = path.name.split(".")[0]
            origins = DATA / "forecast_origins" / f"{series}.txt"
            models, _ = self.report("--heat", path, "--origins", origins, "--models", ",".join(NAIVE))
            chosen, _ = self.report("--heat", path, "--models", ",".join(NAIVE))
            for name, theirs in NAIVE.items():
                row = wanted[series.removeprefix("heat_"), theirs]
                for key in ("nmae", "nrmse", "mase", "nmae_1_6", "nmae_7_24", "nmae_25_48"):
                    self.assertAlmostEqual(models[name][key], float(row[key]), delta=1.1e-5, msg=f"{series} {name} {key}")
                    self.assertEqual(chosen[name][key], models[name][key], f"{series}: the origins chosen differ")
                self.assertEqual(models[name]["origins"], int(row["n_origins"]))


class Synthetic(Case):
    def setUp(self):
        super().setUp()
        self.rows = heatseries.make_rows(40)
        self.heat = heatseries.write(self.folder / "heat.csv", self.rows)

    def test_figures_are_sums_over_what_was_dumped(self):
        origins = self.folder / "origins.txt"
        origins.write_text("# hours of history\n700\n\n672\r\n930 # near the end\n700\n")
        dump = self.folder / "dump.csv"
        models, report = self.report("--heat", self.heat, "--origins", origins, "--dump", dump)
        sums = {name: [0.0] * 4 for name in models}
        with dump.open() as file:
            for row in csv.DictReader(file):
                hour = int(row["origin_h"]) + int(row["lead_h"]) - 1
                heat_w = self.rows[hour][1] * 1000 if hour < len(self.rows) else None
                low, middle, high = (float(row[key]) for key in ("p10", "p50", "p90"))
                self.assertLessEqual(0, low)
                self.assertLessEqual(low, middle)
                self.assertLessEqual(middle, high)
                if heat_w is not None:
                    of = sums[row["model"]]
                    of[0] += abs(middle - heat_w)
                    of[1] += heat_w
                    of[2] += low <= heat_w <= high
                    of[3] += 1
        for name, (error, heat, inside, n) in sums.items():
            self.assertEqual(n, 48 + 48 + 30)
            self.assertAlmostEqual(models[name]["nmae"], error / heat, delta=1e-4)
            self.assertAlmostEqual(models[name]["coverage_80_ratio"], inside / n, delta=0.01)
            self.assertEqual(models[name]["origins"], 3)
            self.assertEqual([half["origins"] for half in models[name]["halves"]], [2, 1])
        self.assertIn(report["chosen"], models)

    def test_yesterday_is_the_same_hour_of_the_latest_known_day(self):
        origins = self.folder / "origins.txt"
        origins.write_text("500\n")
        dump = self.folder / "dump.csv"
        self.report("--heat", self.heat, "--origins", origins, "--models", "yesterday", "--dump", dump)
        with dump.open() as file:
            said = [float(row["p50"]) for row in csv.DictReader(file)]
        self.assertEqual(len(said), 48)
        for i, value in enumerate(said):
            self.assertAlmostEqual(value, 1000 * self.rows[476 + i % 24][1], delta=0.06)

    def test_weather_that_is_known_helps_who_uses_it_and_nobody_else(self):
        issued = heatseries.write_issued(self.folder / "fc.csv", self.rows)
        perfect, _ = self.report("--heat", self.heat, "--weather", "perfect")
        for weather in ("persisted", "none", issued):
            other, _ = self.report("--heat", self.heat, "--weather", weather)
            self.assertEqual(other["yesterday"]["nmae"], perfect["yesterday"]["nmae"])
            if "regression" in other:
                self.assertGreater(other["regression"]["nmae"], perfect["regression"]["nmae"])

    def test_rows_not_there_are_as_empty_ones(self):
        hole = range(300, 330)
        skipped = heatseries.write(self.folder / "skipped.csv", self.rows, skip=hole)
        for i in hole:
            self.rows[i][1:] = [None] * 4
        emptied = heatseries.write(self.folder / "emptied.csv", self.rows)
        both = [self.report("--heat", path)[0] for path in (skipped, emptied)]
        for name in both[0]:
            self.assertEqual(both[0][name]["nmae"], both[1][name]["nmae"], name)

    def test_an_empty_column_of_weather_is_weather_unknown(self):
        for row in self.rows:
            row[2] = None
        models, _ = self.report("--heat", heatseries.write(self.folder / "emptied.csv", self.rows), "--models", "yesterday")
        self.assertLess(models["yesterday"]["nmae"], 1)

    def test_quarter_hours_are_judged_by_the_hour(self):
        rows = heatseries.make_rows(32, step_s=900)
        path = heatseries.write(self.folder / "quarters.csv", rows)
        dump = self.folder / "dump.csv"
        models, report = self.report("--heat", path, "--models", "yesterday", "--dump", dump)
        self.assertEqual(report["step_s"], 900)
        self.assertGreater(models["yesterday"]["nmae"], 0)
        with dump.open() as file:
            leads = [int(row["lead_h"]) for row in csv.DictReader(file)]
        self.assertEqual(leads[:48], list(range(1, 49)))

    def test_a_shorter_horizon_has_no_later_block(self):
        models, _ = self.report("--heat", self.heat, "--horizon", "6h", "--models", "yesterday")
        self.assertIsNone(models["yesterday"]["nmae_7_24"])
        self.assertAlmostEqual(models["yesterday"]["nmae"], models["yesterday"]["nmae_1_6"], delta=1e-12)

    def test_the_same_call_gives_the_same_figures(self):
        first, _ = self.report("--heat", self.heat)
        packed = self.folder / "heat.csv.gz"
        packed.write_bytes(gzip.compress(self.heat.read_bytes(), mtime=0))
        second, _ = self.report("--heat", packed)
        for name in first:
            for models in (first, second):
                models[name].pop("us_per_forecast")
            self.assertEqual(first[name], second[name])

    def test_the_table_is_for_people(self):
        done = call("--heat", self.heat, "--models", "yesterday,lastweek")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("heat.csv: 40.0 days from 2025-11-03", done.stdout)
        self.assertIn("lastweek", done.stdout)
        plain = call("--heat", self.heat, "--models", "yesterday", "-o", "-")
        self.assertEqual(json.loads(plain.stdout)["models"][0]["name"], "yesterday")


class Bad(Case):
    def setUp(self):
        super().setUp()
        self.heat = heatseries.make(self.folder / "heat.csv", days=10)
        self.origins = self.folder / "origins.txt"

    def refused(self, *parts, args=(), status=6):
        done = call("--heat", self.heat, *args)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEqual(done.stdout, "")
        for part in parts:
            self.assertIn(part, done.stderr)

    def change_line(self, number, text):
        lines = self.heat.read_text().split("\n")
        lines[number - 1] = text
        self.heat.write_text("\n".join(lines))

    def test_files_that_are_not_there(self):
        self.refused("no.txt", args=("--origins", self.folder / "no.txt"))
        self.refused("no.csv", args=("--weather", self.folder / "no.csv"))
        self.refused("'yesterday' is no weather", args=("--weather", "yesterday"))
        self.heat = self.folder / "other.csv"
        self.refused("other.csv")

    def test_a_column_that_is_not_there(self):
        self.refused("heat.csv:1", "'heat_w'", "heat_kw", args=("--column", "heat_w"))

    def test_stamps_out_of_order_and_off_the_grid(self):
        whole = self.heat.read_text()
        self.change_line(20, "2025-11-03T02:00:00Z,1,2,3,4")
        self.refused("heat.csv:20", "time order")
        self.heat.write_text(whole)
        self.change_line(20, "2025-11-03T18:10:00Z,1,2,3,4")
        self.refused("heat.csv:20", "off the grid of 3600 s")
        self.heat.write_text(whole)
        self.change_line(20, "2025-11-03T18:00:00Z,1,cold,3,4")
        self.refused("heat.csv:20", "'cold'")
        self.heat.write_text(whole + "2225-01-01T00:00:00Z,1,2,3,4\n")
        self.refused("days after the one above; correct it, or cut the series there")
        self.heat.write_text("\n".join(whole.split("\n")[:2]))
        self.refused("heat.csv:2", "two or more")

    def test_origins_that_are_none(self):
        for text, parts in (("12\nnoon\n", ("origins.txt:2", "'noon'")), ("12\n\n9999\n", ("origins.txt:3", "past the end")),
                            ("0\n", ("origins.txt:1",)), ("12.5\n", ("origins.txt:1", "'12.5'")), ("-4\n", ("origins.txt:1",)),
                            ("12 13\n", ("origins.txt:1", "'12 13'")), ("# none\n", ("no origin",))):
            self.origins.write_text(text)
            self.refused(*parts, args=("--origins", self.origins))

    def test_a_series_too_short_for_the_horizon(self):
        self.heat = heatseries.write(self.folder / "short.csv", heatseries.make_rows(3))
        self.refused("too short", args=())
        self.refused("--horizon", args=("--horizon", "90m"))
        self.refused("48", args=("--horizon", "48"))

    def test_a_country_that_keeps_no_holidays_here(self):
        self.refused("no country 'DE-NX'", "did you mean DE-NI", args=("--holidays", "DE-NX"))

    def test_wrong_usage(self):
        self.refused("no model 'crystal-ball'", "yesterday", args=("--models", "crystal-ball"), status=2)
        self.refused("listed twice", args=("--models", "yesterday,yesterday"), status=2)
        self.refused("one word too many", args=("other.csv",), status=2)
        done = call("--weather", "perfect")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--heat", done.stderr)

    def test_outputs_that_cannot_be_written(self):
        self.refused("nowhere", args=("-o", self.folder / "nowhere" / "x.json"), status=1)
        same = self.folder / "same"
        self.refused("--dump", args=("-o", same, "--dump", same))


if __name__ == "__main__":
    unittest.main()
