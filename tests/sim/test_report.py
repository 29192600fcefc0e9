# SPDX-License-Identifier: Apache-2.0
"""What hsim tells of its runs, on a SYNTHETIC scenario: reports, tables, traces of decisions and
their replay, plots, progress, and outputs that cannot be written."""

import json
import os
import pathlib
import pty
import re
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

import test_hsim

HSIM = os.environ["HSIM"]
CONTROLLERS = ("asap", "heat", "perfect", "thermostat", "sticky", "carbon", "bound", "bound_useful", "bound_jobs")
SVG = "{http://www.w3.org/2000/svg}"


def call(*args, cwd=None):
    return subprocess.run([HSIM, *map(str, args)], capture_output=True, text=True, check=False, cwd=cwd)


def exists(name, scenario):
    """Whether this hsim has the controller: then it stumbles over the output, else over the name (2)."""
    return call("run", scenario, "--policies", name, "-o", "/dev/null/report.json").returncode == 1


class Synthetic(unittest.TestCase):
    """One run of a day, shared by the tests of a class; nothing changes its files."""

    @classmethod
    def setUpClass(cls):
        cls.temp = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.temp.cleanup)
        cls.folder = pathlib.Path(cls.temp.name)
        test_hsim.make_scenario(cls.folder, 1, 40)
        cls.scenario = cls.folder / "scenario.json"
        cls.trace = cls.folder / "trace.jsonl"
        cls.report_path = cls.folder / "report.json"
        cls.plots = cls.folder / "plots"
        cls.done = call("run", cls.scenario, "--policies", "asap,heat", "-o", cls.report_path,
                        "--trace", cls.trace, "--plot", cls.plots)
        if cls.done.returncode != 0:
            raise AssertionError(cls.done.stderr)
        cls.report = json.loads(cls.report_path.read_text())
        cls.lines = cls.trace.read_text().splitlines()
        cls.items = [json.loads(line) for line in cls.lines]

    def make_folder(self):
        temp = tempfile.TemporaryDirectory()
        self.addCleanup(temp.cleanup)
        return pathlib.Path(temp.name)


class Reports(Synthetic):
    def test_same_seed_same_bytes_for_every_controller(self):
        folder = self.make_folder()
        names = [name for name in CONTROLLERS if exists(name, self.scenario)]
        self.assertIn("heat", names)
        made = []
        for name in ("one", "two"):
            out = folder / name
            out.mkdir()
            done = call("run", self.scenario, "--policies", ",".join(names), "-o", out / "report.json",
                        "--trace", out / "trace.jsonl", "--plot", out / "plots")
            self.assertEqual(done.returncode, 0, done.stderr)
            made.append({path.relative_to(out): path.read_bytes() for path in out.rglob("*.*")})
        self.assertEqual(made[0].keys(), made[1].keys())
        self.assertGreater(len(made[0]), 2 + 4)
        for path, text in made[0].items():
            self.assertEqual(text, made[1][path], path)
        self.assertEqual([p["name"] for p in json.loads(made[0][pathlib.Path("report.json")])["policies"]], names)

    def test_a_report_says_what_it_is_of(self):
        self.assertEqual({k: self.report[k] for k in ("api", "scenario", "start", "days", "seed", "currency")},
                         {"api": "hsched.sim/v1", "scenario": "scenario", "start": "2026-01-05T00:00:00Z",
                          "days": 1.0, "seed": 3, "currency": "EUR"})

    def test_outputs_that_cannot_be_written_are_refused_before_the_run(self):
        folder = self.make_folder()
        kept, new = folder / "kept.json", folder / "new.json"
        kept.write_text("what was there\n")
        (folder / "file").write_text("")
        for args, part in [(("-o", folder / "absent" / "r.json"), "absent/r.json"),
                           (("-o", kept, "--trace", folder / "absent" / "t"), "absent/t"),
                           (("-o", new, "--plot", folder / "absent" / "p"), "absent/p"),
                           (("-o", new, "--plot", folder / "file"), "file"), (("-o", folder), str(folder))]:
            done = call("run", self.scenario, "--policies", "asap", *args)
            self.assertEqual(done.returncode, 1, args)
            self.assertIn("cannot write", done.stderr)
            self.assertIn(part, done.stderr)
            self.assertNotIn("controller", done.stderr)
            self.assertEqual(done.stdout, "")
        self.assertEqual(kept.read_text(), "what was there\n")
        self.assertFalse(new.exists())

    def test_a_trace_stays_until_every_output_is_known_to_be_writable(self):
        folder = self.make_folder()
        kept, new = folder / "kept.jsonl", folder / "new.jsonl"
        kept.write_text("what was there\n")
        for path in (kept, new):
            done = call("run", self.scenario, "--policies", "asap", "--trace", path, "--plot", folder / "absent" / "p")
            self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(kept.read_text(), "what was there\n")
        self.assertFalse(new.exists())
        done = call("run", self.scenario, "--policies", "asap", "-o", os.devnull, "--trace", kept)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("what was there", kept.read_text())

    def test_report_and_trace_need_two_files(self):
        path = self.make_folder() / "both"
        done = call("run", self.scenario, "--policies", "asap", "-o", path, "--trace", path)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("name two", done.stderr)
        self.assertFalse(path.exists())

    def test_a_report_replaces_a_longer_one_whole(self):
        path = self.make_folder() / "report.json"
        path.write_text("x" * 100000)
        done = call("run", self.scenario, "--policies", "asap", "-o", path)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([p["name"] for p in json.loads(path.read_text())["policies"]], ["asap"])

    def test_a_terminal_sees_how_far_a_run_is(self):
        folder = self.make_folder()
        test_hsim.make_scenario(folder, 12, 60)
        ours, theirs = pty.openpty()
        with subprocess.Popen([HSIM, "run", folder / "scenario.json", "--policies", "heat", "-o", os.devnull],
                              stderr=theirs) as process:
            os.close(theirs)
            seen = b""
            try:
                while piece := os.read(ours, 4096):
                    seen += piece
            except OSError:  # the other side is closed
                pass
            os.close(ours)
        self.assertEqual(process.returncode, 0, seen)
        self.assertRegex(seen.decode(), r"\rheat +2026-01-\d\d +\d+ %")


class Tables(Synthetic):
    def rows(self, text):
        """{controller: [cells of its first line, cells of its second]}"""
        rows = {}
        for line in text.splitlines():
            words = line.split()
            if words and words[0] in CONTROLLERS:
                rows.setdefault(words[0], []).append(words[1:])
        return rows

    def write(self, folder, name, entries, **more):
        path = folder / f"{name}.json"
        path.write_text(json.dumps({"api": "hsched.sim/v1", "scenario": name, "policies": entries, **more}))
        return path

    def test_compare_prints_what_the_run_printed(self):
        done = call("compare", self.report_path)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(done.stdout, self.done.stderr)
        self.assertLessEqual(max(map(len, done.stdout.splitlines())), 100)

    def test_the_table_has_the_reports_figures_in_the_order_of_worth(self):
        asap, heat = self.report["policies"]
        first, rest = self.rows(call("compare", self.report_path).stdout)["heat"]
        self.assertEqual(first[:4], [str(heat["jobs_late"]), str(heat["jobs_total"] - heat["jobs_done"]),
                                     f"{heat['late_s_sum'] / 3600:.1f}", f"{heat['late_s_max'] / 3600:.1f}"])
        self.assertEqual(first[4:6], ["-", "-"])  # without bounds nobody knows
        self.assertEqual([float(x) for x in first[6:]], [round(heat[k], 2) for k in (
            "saving_heat_cur", "saving_electricity_cur", "cost_cur")])
        self.assertAlmostEqual(float(first[6]) + float(first[7]), asap["cost_cur"] - heat["cost_cur"], delta=0.011)
        self.assertEqual([float(x) for x in rest[:6]], [
            round(heat["it_wh"] / 1e6, 3), round(heat["useful_heat_wh"] / 1e6, 3),
            round(heat["backup_heat_wh"] / 1e6, 3), round(heat["rejected_heat_wh"] / 1e6, 3),
            round(heat["recovery_ratio"], 3), round(heat["coverage_ratio"], 3)])
        self.assertEqual(int(rest[-1]), heat["suspends"])

    def test_large_figures_keep_the_columns_and_absent_ones_are_a_dash(self):
        entry = {"name": "asap", "cost_cur": 123456789012.345, "saving_heat_cur": None, "it_wh": 9.87e14}
        text = call("compare", self.write(self.make_folder(), "big", [entry])).stdout
        first, rest = self.rows(text)["asap"]
        self.assertEqual(first, ["-"] * 8 + ["123456789012"])
        self.assertEqual(rest, ["987000000"] + ["-"] * 9)
        self.assertLessEqual(max(map(len, text.splitlines())), 100)

    def test_who_was_later_than_asap_has_a_star(self):
        folder = self.make_folder()
        entries = [{"name": "asap", "is_later_than_asap": False}, {"name": "thermostat", "is_later_than_asap": True},
                   {"name": "bound_useful"}]
        text = call("compare", self.write(folder, "later", entries)).stdout
        self.assertEqual([line.split()[0] for line in text.splitlines() if "-" in line][:3],
                         ["asap", "thermostat*", "bound_useful"])
        self.assertEqual(text.count("* later than asap"), 1)
        self.assertEqual(len({len(line) for line in text.splitlines() if line.endswith(" -")}), 2)
        text = call("compare", self.write(folder, "none", entries[:1])).stdout
        self.assertNotIn("*", text)

    def test_a_summary_takes_medians_and_counts_the_later_as_nothing(self):
        folder = self.make_folder()
        asap = {"name": "asap", "jobs_late": 1, "late_s_sum": 60, "cost_cur": 200, "value_captured_ratio": 0}
        reports = []
        for i, (value, late, late_s, saving) in enumerate([(0.6, 1, 60, 10), (0.8, 0, 0, 20), (0.9, 2, 90, 30),
                                                           (0.7, 1, 61, 40), (None, 1, 60, 5)]):
            heat = {"name": "heat", "jobs_late": late, "late_s_sum": late_s, "value_captured_ratio": value,
                    "saving_heat_cur": saving, "saving_electricity_cur": -2,
                    "is_later_than_asap": (late, late_s) > (1, 60)}
            reports.append(self.write(folder, f"s{i}", [asap, heat], currency="EUR"))
        done = call("compare", *reports)
        self.assertEqual(done.returncode, 0, done.stderr)
        last = [line for line in done.stdout.splitlines() if line.startswith("heat")][-1].split()
        # in 5 reports, later in 2, 5 late jobs; values 0, 0, 0.6, 0.8; heat 0 0 2.5 5 10 %; electricity 0 0 -1 -1 -1
        self.assertEqual(last, ["heat", "5", "2", "5", "-", "0.300", "2.50", "-1.00"])
        self.assertIn("medians over 5 reports", done.stdout)

    def test_what_is_no_report_is_refused(self):
        folder = self.make_folder()
        (folder / "broken.json").write_text('{"api": "hsched.sim/v1",\n"policies": [}')
        for args, status, part in [((self.scenario,), 6, "is no report of hsim"),
                                   ((folder / "broken.json",), 6, "broken.json:2"),
                                   ((folder / "absent.json",), 6, "absent.json"), ((), 2, "usage")]:
            done = call("compare", *args)
            self.assertEqual((done.returncode, done.stdout), (status, ""), done.stderr)
            self.assertIn(part, done.stderr)


class Traces(Synthetic):
    def part(self, name):
        return [item for item in self.items if item.get("policy") == name]

    def test_each_controller_has_a_head_and_all_its_decisions(self):
        heads = [item for item in self.items if "api" in item]
        self.assertEqual([head["controller"] for head in heads], ["asap", "heat"])
        for head, entry in zip(heads, self.report["policies"]):
            part = self.part(head["controller"])
            actions = [item["action"] for item in part]
            self.assertEqual((head["api"], head["scenario"], head["seed"]),
                             ("hsched.trace/v1", str(self.scenario), 3))
            self.assertRegex(head["scenario_fnv64"] + head["inputs_fnv64"], "^[0-9a-f]{32}$")
            self.assertEqual([item["seq"] for item in part], list(range(head["first_seq"], head["first_seq"] + len(part))))
            self.assertEqual(actions.count("start"), entry["jobs_done"])
            self.assertEqual(actions.count("end"), entry["jobs_done"])
            self.assertEqual(actions.count("suspend"), entry["suspends"])
            self.assertEqual(actions.count("move"), entry["moves"])
            self.assertEqual(actions.count("move") + actions.count("resume"), entry["suspends"])

    def test_a_decision_says_when_what_where_and_heat_why(self):
        start = next(item for item in self.part("heat") if item["action"] == "start")
        self.assertRegex(start["at"], r"^2026-01-05T\d\d:\d\d:\d\d(\.\d{3})?Z$")
        self.assertRegex(start["host"], r"^(pool|school)/r1/h-\d$")
        self.assertEqual(start["loop"], start["host"].split("/")[0] + "/main")
        self.assertEqual(set(start["why"]), {"text", "planned_start", "planned_end", "elec_cur_per_mwh",
                                             "heat_cur_per_mwh", "is_forced", "is_late", "is_hopeless"})
        # the price of the slot and the site's carbon (300 g/kWh at 50 EUR/t), with 8 % for pumps and fans
        hour = int(start["at"][11:13])
        price = (self.folder / "price.csv").read_text().splitlines()[1 + 48 + hour].split(",")[1]
        self.assertAlmostEqual(start["why"]["elec_cur_per_mwh"], (float(price) + 0.3 * 50) * 1.08, delta=0.01)
        self.assertTrue(all("why" not in item for item in self.part("asap")))

    def test_all_decisions_come_out_the_same(self):
        done = call("replay", self.trace)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, "".join(f"{name}: all {len(self.part(name))} decisions are the same\n"
                                              for name in ("asap", "heat")))

    def test_any_decision_can_be_looked_at(self):
        for name in ("asap", "heat"):
            part = self.part(name)
            suspends = [item for item in part if item["action"] == "suspend"][:1]
            for item in (part[0], part[len(part) // 2], part[-1], *suspends):
                done = call("replay", self.trace, "--seq", item["seq"], "-o", "json")
                self.assertEqual(done.returncode, 0, done.stderr)
                scene = json.loads(done.stdout)
                self.assertEqual(scene["decision"], item)
                self.check_queue(scene, [i for i in part if i["seq"] <= item["seq"]])
                self.assertEqual([loop["loop"] for loop in scene["loops"]], ["pool/main", "school/main"])
                self.assertEqual(scene["explanation"] is not None, "why" in item)

    def check_queue(self, scene, before):
        """Who waits and who runs, told from the trace and the list of jobs alone."""
        jobs = [json.loads(line) for line in call("jobs", self.scenario).stdout.splitlines()]
        last = {item["job"]: item["action"] for item in before}
        at = before[-1]["at"][:19]
        waiting = [job["name"] for job in jobs if job["submit"][:19] <= at
                   and last.get(job["name"], "suspend") == "suspend"]
        self.assertEqual([job["job"] for job in scene["waiting"]], waiting)
        self.assertEqual(scene["running"], sum(action in ("start", "resume", "move") for action in last.values()))

    def test_a_decision_can_be_found_by_its_time_and_read_by_people(self):
        item = next(i for i in self.part("asap") if i["at"] >= "2026-01-05T10:00:00Z")
        done = call("replay", self.trace, "--at", "2026-01-05T10:00:00Z", "--policies", "asap")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout.startswith(f"decision {item['seq']} of asap at {item['at']}: {item['action']} "), done.stdout)
        for part in (item["job"], item["host"], "EUR/MWh", "waiting", "tank"):
            self.assertIn(part, done.stdout)

    def replay_text(self, lines, *args):
        path = self.make_folder() / "trace.jsonl"
        path.write_text("\n".join(lines) + "\n")
        return call("replay", path, *args)

    def test_a_changed_decision_is_found_with_both_lines(self):
        for name in ("asap", "heat"):
            i = next(i for i, item in enumerate(self.items) if item.get("policy") == name and item["action"] == "end")
            changed = self.lines[i].replace('"end"', '"suspend"')
            done = self.replay_text([*self.lines[:i], changed, *self.lines[i + 1:]])
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(f"decision {self.items[i]['seq']} of {name} differs\nrecorded: {changed}\n"
                          f"replayed: {self.lines[i]}\n", done.stdout)

    def test_missing_and_surplus_decisions_are_found(self):
        done = self.replay_text(self.lines[:-1])
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(f"recorded: (none)\nreplayed: {self.lines[-1]}\n", done.stdout)
        done = self.replay_text([*self.lines, self.lines[-1]], "--policies", "heat")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(f"recorded: {self.lines[-1]}\nreplayed: (none)\n", done.stdout)

    def test_another_scenario_is_refused(self):
        folder = self.make_folder()
        scenario = test_hsim.make_scenario(folder, 1, 40)
        self.assertEqual(call("replay", self.trace, "--scenario", folder / "scenario.json", "--policies", "asap").returncode, 0)
        heat = (folder / "heat.csv").read_text()
        (folder / "heat.csv").write_text(heat.replace("kw\n", "kw\n2026-01-02T00:00:00Z,1\n"))
        done = call("replay", self.trace, "--scenario", folder / "scenario.json")
        self.assertEqual(done.returncode, 6)
        self.assertIn("is not what it was when the trace was made", done.stderr)
        test_hsim.write_scenario(folder, {**scenario, "seed": 4})
        done = call("replay", self.trace, "--scenario", folder / "scenario.json")
        self.assertEqual(done.returncode, 6)
        self.assertIn("another content", done.stderr)

    def test_a_trace_moves_with_its_scenario(self):
        folder = self.make_folder()
        (folder / "there").mkdir()
        test_hsim.make_scenario(folder / "there", 1, 10)
        done = call("run", "scenario.json", "--policies", "asap", "--trace", "t.jsonl", cwd=folder / "there")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(call("replay", "there/t.jsonl", cwd=folder).returncode, 0)

    def test_a_lost_host_is_in_the_trace_and_comes_out_the_same(self):
        folder = self.make_folder()
        scenario = test_hsim.make_scenario(folder, 1, 40)
        start = next(item for item in self.part("asap") if item["action"] == "start")
        end = next(item for item in self.part("asap") if item["action"] == "end" and item["job"] == start["job"])
        at_s = (test_hsim.START + sum(int(x) * s for x, s in zip(start["at"][11:19].split(":"), (3600, 60, 1))) + 60)
        self.assertGreater(end["at"], test_hsim.stamp(at_s))
        site, _, host = start["host"].split("/")
        test_hsim.write_scenario(folder, {**scenario, "events": [
            {"at": test_hsim.stamp(at_s), "for": "1h", "kind": "host-lost", "object": f"{site}/{host}"}]})
        path = folder / "trace.jsonl"
        done = call("run", folder / "scenario.json", "--policies", "asap", "--trace", path, "-o", os.devnull)
        self.assertEqual(done.returncode, 0, done.stderr)
        items = [json.loads(line) for line in path.read_text().splitlines()[1:]]
        mine = [(item["action"], item["at"]) for item in items if item["job"] == start["job"]]
        self.assertEqual(mine[:2], [("start", start["at"]), ("lost", test_hsim.stamp(at_s))])
        self.assertEqual([action for action, _ in mine[2:]], ["start", "end"])
        self.assertEqual(call("replay", path).returncode, 0)

    def test_what_cannot_be_asked_is_said(self):
        for args, status, part in [(("--seq", "0"), 2, "--seq"), (("--seq", "3x"), 2, "--seq"),
                                   (("--at", "noon"), 2, "--at"), (("--at", "2026-01-05T10:00:00Z"), 2, "--policies"),
                                   (("--seq", "1", "--at", "2026-01-05T10:00:00Z"), 2, "exclude"),
                                   (("--seq", "99999"), 3, "no decision 99999"), (("--policies", "carbon"), 3, "carbon"),
                                   (("--at", "2027-01-05T10:00:00Z", "--policies", "asap"), 3, "nothing more")]:
            done = call("replay", self.trace, *args)
            self.assertEqual((done.returncode, done.stdout), (status, ""), done.stderr)
            self.assertIn(part, done.stderr)
        for path, part in [(self.report_path, "hsched.trace/v1"), (self.folder / "absent", "absent")]:
            done = call("replay", path)
            self.assertEqual(done.returncode, 6, done.stderr)
            self.assertIn(part, done.stderr)


class Plots(Synthetic):
    SERIES = ("useful heat", "demand", "tank", "IT power", "price")

    def read(self, name):
        root = xml.etree.ElementTree.parse(self.plots / name).getroot()
        return root, {group.get("id"): group for group in root.iter(SVG + "g")}, [t.text for t in root.iter(SVG + "text")]

    def test_each_loop_has_its_day_and_its_span(self):
        self.assertEqual({path.name for path in self.plots.iterdir()},
                         {f"{c}-{site}-main-{kind}.svg" for c in ("asap", "heat") for site in ("pool", "school")
                          for kind in ("day", "span")} | {"compare.svg"})
        for path in self.plots.glob("*main*.svg"):
            _, groups, texts = self.read(path.name)
            self.assertEqual(tuple(groups), self.SERIES, path)
            for title in ("Heat, kW", "Heat in the tank, % of full", "IT power, kW",
                          "Electricity with its carbon price, EUR/MWh"):
                self.assertIn(title, texts)
        _, _, texts = self.read("heat-pool-main-day.svg")
        self.assertIn("heat on pool/main", texts)
        self.assertIn("2026-01-05, the day with the largest demand of the estate; times are UTC", texts)

    def test_the_demand_drawn_is_the_demand(self):
        _, groups, texts = self.read("asap-pool-main-day.svg")
        points = [tuple(map(float, p)) for p in
                  re.findall(r"([\d.]+),([\d.]+)", groups["demand"].find(SVG + "path").get("d"))]
        rows = (self.folder / "heat.csv").read_text().splitlines()[1 + 48:]
        wanted = [float(row.split(",")[1]) for row in rows for _ in range(8)]  # four slots an hour, two ends each
        self.assertEqual(len(points), len(wanted))
        self.assertEqual(points, sorted(points, key=lambda point: point[0]))
        # one scale for all: y = a + b x value, b from the lowest and the highest
        low, high = wanted.index(min(wanted)), wanted.index(max(wanted))
        slope = (points[high][1] - points[low][1]) / (wanted[high] - wanted[low])
        self.assertLess(slope, 0)
        for (_, y), value in zip(points, wanted):
            self.assertAlmostEqual(y, points[low][1] + slope * (value - wanted[low]), delta=0.2)

    def test_a_long_span_is_drawn_in_days_with_bands(self):
        folder = self.make_folder()
        test_hsim.make_scenario(folder, 21, 3)
        done = call("run", folder / "scenario.json", "--policies", "asap", "--plot", folder / "p", "-o", os.devnull)
        self.assertEqual(done.returncode, 0, done.stderr)
        text = (folder / "p" / "asap-pool-main-span.svg").read_text()
        self.assertIn("means over a day; bands: least and most slot in it", text)
        root = xml.etree.ElementTree.fromstring(text)
        group = next(g for g in root.iter(SVG + "g") if g.get("id") == "demand")
        band, line = group.findall(SVG + "path")
        self.assertEqual(len(line.get("d").split()), 2 * 21)
        self.assertEqual(len(band.get("d").split()), 4 * 21)

    def test_controllers_stand_side_by_side(self):
        _, groups, texts = self.read("compare.svg")
        self.assertEqual(tuple(groups), ("saving", "coverage", "late"))
        heat = self.report["policies"][1]
        for text in ("asap", "heat", "Saving against asap, EUR", "Demand met by useful heat, %", "Late jobs",
                     f"{heat['saving_heat_cur'] + heat['saving_electricity_cur']:.2f}", f"{heat['coverage_ratio'] * 100:.1f}"):
            self.assertIn(text, texts)


if __name__ == "__main__":
    unittest.main()
