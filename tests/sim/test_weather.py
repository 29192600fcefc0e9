# SPDX-License-Identifier: Apache-2.0
"""The weather of a run: where it is read from, what is refused, and that `heat` sees none of the
future but what had been forecast by then. Series are synthetic (tests/support/simyear.py), two sites
of three hosts; the weather is theirs, and forecasts of it are the truth with an error, issued every
six hours."""

import datetime
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import simyear  # noqa: E402

HSIM = os.environ["HSIM"]
DAYS = 4
LEADS = 48
SITES = ["network", "school"]


class Weather(unittest.TestCase):
    def setUp(self):
        temp = tempfile.TemporaryDirectory()
        self.addCleanup(temp.cleanup)
        self.folder = pathlib.Path(temp.name)
        self.path = simyear.make(self.folder, days=DAYS, n_sites=2, n_hosts=3, n_jobs=60)
        self.scenario = json.loads(self.path.read_text())
        self.scenario["policies"] = ["heat"]
        self.heat = (self.folder / "heat.csv").read_text().splitlines()

    def split(self):
        """Move the temperature out of the heat's file: air.csv, with sun and wind, and issued.csv."""
        rng = random.Random(3)
        air = [(row.split(",")[0], float(row.split(",")[-1])) for row in self.heat[1:]]
        self.write_lines("heat.csv", [row.rpartition(",")[0] for row in self.heat])
        self.write_lines("air.csv", ["time_utc,t_out_c,ghi_w_m2,wind_m_s"]
                         + [f"{at},{t_out_c},{max(0, 30 * t_out_c):.1f},3.5" for at, t_out_c in air])
        lines = ["issue_utc,lead_h,valid_start_utc,t_out_c_fc"]
        for i in range(0, len(air) - 4 * LEADS, 24):
            error_k = rng.gauss(0, 1)
            lines += [f"{air[i][0]},{h + 1},{air[i + 4 * h][0]},{air[i + 4 * h][1] + error_k:.3f}" for h in range(LEADS)]
        self.write_lines("issued.csv", lines)
        self.scenario["weather"] = [{"site": site, "csv": "air.csv", "column": "t_out_c", "issued": "issued.csv"}
                                    for site in SITES]

    def write_lines(self, name, lines):
        (self.folder / name).write_text("\n".join(lines) + "\n")

    def call(self, *args):
        self.path.write_text(json.dumps(self.scenario))
        return subprocess.run([HSIM, "run", str(self.path), *args], capture_output=True, text=True, check=False,
                              timeout=100)

    def decisions(self, name):
        """Lines of the trace, without its head, which knows the files by their contents."""
        trace = self.folder / name
        done = self.call("-o", str(self.folder / "report.json"), "--trace", str(trace))
        self.assertEqual(done.returncode, 0, done.stderr)
        return trace.read_text().splitlines()[1:]

    def refused(self, *parts):
        done = self.call()
        self.assertEqual((done.returncode, done.stdout), (6, ""), done.stderr)
        for part in parts:
            self.assertIn(part, done.stderr)

    def test_heat_sees_nothing_of_what_lies_ahead(self):
        """All rows from noon of the second day on are destroyed, of heat and of weather, and every
        forecast issued after it: what was decided before is the same to the last bit."""
        self.split()
        cut = simyear.START + datetime.timedelta(days=1, hours=12)
        cut_text = simyear.stamp(cut)
        whole = self.decisions("whole.jsonl")
        for name in ("heat.csv", "air.csv", "issued.csv"):
            head, *rows = (self.folder / name).read_text().splitlines()
            spoilt = [row if row < cut_text else ",".join([*row.split(",")[:3 if name == "issued.csv" else 1],
                      *(["17.5"] * (row.count(",") - (2 if name == "issued.csv" else 0)))]) for row in rows]
            self.assertNotEqual(rows, spoilt)
            self.write_lines(name, [head, *spoilt])
        self.scenario["policies"] = ["heat"]
        cut_whole = [line for line in whole if json.loads(line)["at"] < cut_text]
        cut_spoilt = [line for line in self.decisions("spoilt.jsonl") if json.loads(line)["at"] < cut_text]
        self.assertGreater(len(cut_whole), 10)
        self.assertEqual(cut_whole, cut_spoilt)
        self.assertNotEqual(len(whole), len(cut_whole))

    def test_replay_makes_the_same_decisions_of_the_same_weather_only(self):
        self.split()
        self.decisions("trace.jsonl")
        replay = [HSIM, "replay", str(self.folder / "trace.jsonl")]
        done = subprocess.run(replay, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        text = (self.folder / "issued.csv").read_text()
        (self.folder / "issued.csv").write_text(text.replace("\n", "1\n", 2))
        done = subprocess.run(replay, capture_output=True, text=True, check=False)
        self.assertNotEqual(done.returncode, 0)

    def test_recorded_forecasts_that_cannot_be_read_are_refused(self):
        self.split()
        self.scenario["weather"][1]["issued"] = "nowhere.csv"
        self.refused("/weather/1", "nowhere.csv")
        self.scenario["weather"][1]["issued"] = "air.csv"
        self.refused("/weather/1", "air.csv", "issue_utc")
        self.scenario["heat"][0]["issued"] = "issued.csv"
        self.refused("/heat/0/issued", "unknown key")

    def test_a_sinks_own_weather_that_is_odd_is_left_out_and_said(self):
        self.scenario["policies"] = ["asap"]
        self.write_lines("heat.csv", [self.heat[0], *(row.rpartition(",")[0] + ",400" for row in self.heat[1:])])
        done = self.call()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("this weather is left out", done.stderr)

    def test_the_weather_entry_must_cover_the_run(self):
        self.split()
        lines = (self.folder / "air.csv").read_text().splitlines()
        self.write_lines("air.csv", lines[:len(lines) // 2])
        self.refused("/weather/0", "the series covers")


if __name__ == "__main__":
    unittest.main()
