# SPDX-License-Identifier: Apache-2.0
"""What hsim says of bad input. Every case: exit 6, nothing on stdout, on stderr the file and the line
(or the JSON pointer with line:column), and no second error that only follows from the first.
The series and jobs are synthetic (tests/support/simyear.py), a site of three hosts for two days."""

import gzip
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import simyear  # noqa: E402

HSIM = os.environ["HSIM"]
SINK = "network/main/building"
SWF_RECORD = "1 3600 -1 600 4 -1 -1 4 1200 -1 1 1 1 1 -1 1 1 1"


class Input(unittest.TestCase):
    def setUp(self):
        temp = tempfile.TemporaryDirectory()
        self.addCleanup(temp.cleanup)
        self.folder = pathlib.Path(temp.name)
        self.path = simyear.make(self.folder, days=2, n_sites=1, n_hosts=3, n_jobs=20)
        self.scenario = json.loads(self.path.read_text())
        self.heat = self.folder / "heat.csv"
        self.jobs = self.folder / "jobs.csv"

    def call(self, verb="run", *args):
        return subprocess.run([HSIM, verb, str(self.path), *args], capture_output=True, text=True, check=False,
                              timeout=60)

    def write(self, **changes):
        self.scenario.update(changes)
        self.path.write_text(json.dumps(self.scenario, indent=1))

    def use_swf(self, text, name="log.swf", **options):
        (self.folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        self.write(jobs=[{"swf": name, **options}])

    def change_line(self, path, number, text):
        lines = path.read_text().split("\n")
        lines[number - 1] = text
        path.write_text("\n".join(lines))

    def row(self, number):
        return self.heat.read_text().split("\n")[number - 1]

    def refused(self, *parts, n_lines=None):
        """Runs, expects a refusal that says all of @parts. @return what was said"""
        done = self.call()
        self.assertEqual(done.returncode, 6, done.stderr)
        self.assertEqual(done.stdout, "")
        for part in parts:
            self.assertIn(part, done.stderr)
        if n_lines is not None:
            self.assertEqual(len(done.stderr.splitlines()), n_lines, done.stderr)
        return done.stderr

    def accepted(self, *parts):
        done = self.call()
        self.assertEqual(done.returncode, 0, done.stderr)
        for part in parts:
            self.assertIn(part, done.stderr)
        return json.loads(done.stdout)["policies"][0], done.stderr

    # --- files ---

    def test_a_truncated_gzip_is_refused_wherever_it_is_cut(self):
        whole = gzip.compress(self.heat.read_bytes(), mtime=0)
        packed = self.folder / "heat.csv.gz"
        self.write(heat=[{"sink": SINK, "csv": packed.name, "column": "network_kw"}])
        for n in (1, 2, 9, 10, 11, 30, len(whole) // 3, len(whole) // 2, len(whole) - 9, len(whole) - 1):
            packed.write_bytes(whole[:n])
            said = self.refused("/heat/0: heat.csv.gz:", n_lines=2)
            self.assertIn("cut short" if n > 1 else "is no gzip", said)
        self.assertRegex(self.refused(), r"scenario\.json:\d+:\d+: /heat/0: heat\.csv\.gz:\d+: the gzip is cut short")
        packed.write_bytes(whole)
        self.accepted()

    def test_the_line_of_a_gzip_cut_short_is_where_reading_ended(self):
        text = ("; a log\n" + (SWF_RECORD + "\n") * 5000).encode()
        whole = gzip.compress(text, 0, mtime=0)  # stored, so that bytes of the text can be counted
        cut = len(whole) * 2 // 3
        self.use_swf(whole[:cut], "log.swf.gz")
        line = int(re.search(r"log\.swf\.gz:(\d+):", self.refused("cut short")).group(1))
        self.assertLessEqual(line, text[:cut].count(b"\n") + 1)
        self.assertGreater(line, text[:cut].count(b"\n") * 0.5)

    def test_a_damaged_gzip_is_refused(self):
        whole = bytearray(gzip.compress(self.jobs.read_bytes(), mtime=0))
        whole[-6] ^= 0xff  # its checksum
        (self.folder / "jobs.csv.gz").write_bytes(whole)
        self.write(jobs=[{"csv": "jobs.csv.gz"}])
        self.refused("jobs.csv.gz:", "damaged", "data check", n_lines=1)

    def test_gzip_is_told_by_its_content_and_a_wrong_name_is_refused(self):
        plain = self.heat.read_bytes()
        want, _ = self.accepted()
        self.heat.write_bytes(gzip.compress(plain))
        self.assertEqual(self.accepted()[0], want)
        (self.folder / "heat.csv.gz").write_bytes(plain)
        self.write(heat=[{"sink": SINK, "csv": "heat.csv.gz", "column": "network_kw"}])
        self.refused("/heat/0: heat.csv.gz:1:", "is no gzip", n_lines=2)

    def test_what_is_no_text_is_refused(self):
        lines = self.heat.read_bytes().split(b"\n")
        self.heat.write_bytes(b"\n".join([*lines[:9], b"2024-12-16T02:00:00Z,\0\0", *lines[10:]]))
        self.refused("/heat/0: heat.csv:10:", "byte 0", n_lines=2)
        self.heat.write_bytes(b"\n".join(lines).decode().encode("utf-16"))
        self.refused("/heat/0: heat.csv:1:", "UTF-16", n_lines=2)
        self.heat.write_bytes(b"PK\x03\x04\x14\x00\x06\x00")
        self.refused("/heat/0: heat.csv:1:", "no text", n_lines=2)

    def test_a_byte_order_mark_and_crlf_change_nothing(self):
        want, _ = self.accepted()
        for path in (self.heat, self.jobs, self.folder / "price.csv", self.path):
            path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
        self.assertEqual(self.accepted()[0], want)

    def test_a_missing_file_is_one_error_at_its_entry(self):
        self.heat.unlink()
        self.refused("/heat/0: heat.csv: cannot open", "No such file", n_lines=2)
        self.setUp()
        self.jobs.unlink()
        self.refused("/jobs/0: jobs.csv: cannot open", "No such file", n_lines=2)
        self.setUp()
        self.write(estate="absent.json")
        self.refused("absent.json: cannot open", n_lines=1)
        self.path = self.folder / "absent.json"
        self.refused("absent.json: cannot open", n_lines=1)

    def test_a_directory_is_no_file(self):
        (self.folder / "series").mkdir()
        self.write(heat=[{"sink": SINK, "csv": "series", "column": "network_kw"}])
        self.refused("/heat/0: series:", "is a directory", n_lines=2)
        self.setUp()
        (self.folder / "log").mkdir()
        self.write(jobs=[{"swf": "log"}])
        self.refused("/jobs/0: log:", "is a directory", n_lines=2)
        self.path = self.folder
        self.refused("is a directory", n_lines=1)

    def test_a_file_that_cannot_be_opened_is_refused(self):
        (self.folder / "round.csv").symlink_to("round.csv")
        self.write(price=[{"site": "network", "csv": "round.csv", "column": "x"}])
        self.refused("/price/0: round.csv: cannot open", "symbolic links", n_lines=2)

    @unittest.skipIf(os.geteuid() == 0, "root may read every file")
    def test_a_file_without_permission_is_refused(self):
        self.heat.chmod(0)
        self.refused("/heat/0: heat.csv: cannot open", "Permission denied", n_lines=2)

    def test_empty_files_are_refused(self):
        for text, part in (("", "is empty"), ("\n\n", "is empty"), ("time_utc,network_kw\n", "no row follows")):
            self.heat.write_text(text)
            self.refused("/heat/0: heat.csv:1:", part, n_lines=2)
        self.setUp()
        self.jobs.write_text("")
        self.refused("jobs.csv:1: the file is empty", n_lines=1)
        self.use_swf("; only a header\n")
        self.refused("log.swf: the log has no record", n_lines=1)
        self.path.write_text("")
        self.refused("scenario.json:")

    # --- series ---

    def test_a_missing_column_names_what_there_is(self):
        entry = {"sink": SINK, "csv": "heat.csv"}
        self.write(heat=[{**entry, "column": "netwrk_kw"}])
        self.refused("/heat/0: heat.csv:1: no column 'netwrk_kw'; the nearest is 'network_kw'", n_lines=2)
        self.write(heat=[{**entry, "column": "demand"}])
        self.refused("no column 'demand'; there are time_utc, network_kw, t_out_c", n_lines=2)
        self.heat.write_text(self.heat.read_text().replace(",", ";"))
        self.refused("separated by commas, not by ';'", n_lines=2)

    def test_rows_say_their_line(self):
        third, stamp = self.row(3), self.row(3).split(",")[0]
        for text, part in (
                (f"{stamp},NaN,1", "'NaN' in column 'network_kw' is no number"),
                (f"{stamp},inf,1", "'inf' in column 'network_kw' is no number"),
                (f"{stamp},-,1", "'-' in column 'network_kw' is no number"),
                (f"{stamp},0x1F,1", "'0x1F' in column"),
                (f"{stamp},1e999,1", "'1e999' in column"),
                (f"{stamp},12", "2 of the header's 3 cells"),
                (f"{stamp},1,5,1", "a point marks decimals"),
                (f'"{stamp}",1,1', "quoted cells"),
                ("16.12.2024 00:15,1,1", "'16.12.2024 00:15' is no time; write RFC 3339"),
                ("2024-12-16T00:15:00,1,1", "is no time"),
                (self.row(2), "comes twice"),
                ("2024-12-15T00:00:00Z,1,1", "is before the one above")):
            self.change_line(self.heat, 3, text)
            self.refused("/heat/0: heat.csv:3:", part, n_lines=2)
        self.change_line(self.heat, 3, third)
        self.accepted()

    def test_heat_that_cannot_be_counts_as_unknown_and_is_said(self):
        # three weeks before the start and an hour into the run: a meter's noise, and its error code
        for number, value in ((2022, "-0.3"), (2030, "-9999"), (2040, "1e12")):
            stamp, _, outdoor = self.row(number).split(",")
            self.change_line(self.heat, number, f"{stamp},{value},{outdoor}")
        run, said = self.accepted("note: heat.csv:2022: -300 W is no heat demand; 3 such values of 'network_kw'", "unknown for")
        for number in (2022, 2030, 2040):
            stamp, _, outdoor = self.row(number).split(",")
            self.change_line(self.heat, number, f"{stamp},,{outdoor}")
        empty, _ = self.accepted("unknown for 1.56 % of the run")  # 3 of 192 slots
        self.assertEqual(run, empty)
        self.assertIn("unknown for 1.56 % of the run", said)

    def test_heat_in_a_wrong_unit_is_refused(self):
        self.write(heat=[{"sink": SINK, "csv": "heat.csv", "column": "network_kw", "scale": 1e9}])
        self.refused("/heat/0: heat.csv:2:", "is no heat demand", "check column, unit and scale", n_lines=2)
        self.write(heat=[{"sink": SINK, "csv": "heat.csv", "column": "network_kw", "scale": -1}])
        self.refused("/heat/0: heat.csv:2:", "is no heat demand", n_lines=2)

    def test_prices_below_zero_are_prices(self):
        dear, _ = self.accepted()
        self.write(price=[{"site": "network", "csv": "price.csv", "column": "network_eur_mwh", "scale": -1}])
        paid, said = self.accepted()
        self.assertNotIn("is no electricity price", said)
        # nothing else changes: the electricity's part of the cost has changed its sign
        backup_cur = (dear["cost_cur"] + paid["cost_cur"]) / 2
        self.assertGreater(dear["cost_cur"] - backup_cur, 0)
        self.assertLess(paid["cost_cur"], backup_cur)

    def test_series_that_do_not_overlap_the_run_are_refused(self):
        self.write(start="2027-01-04T00:00:00Z")
        said = self.refused("/heat/0: the series covers 2024-12-16T00:00:00Z to", "shift_s")
        self.assertRegex(said, r"scenario\.json:\d+:\d+: /heat/0:")
        self.assertIn("/price/0: the series covers", said)
        self.assertIn("/carbon/0: the series covers", said)

    def test_a_column_without_a_value_is_refused(self):
        rows = [row.split(",") for row in self.heat.read_text().split()]
        self.heat.write_text("\n".join(",".join([r[0], r[1] if i == 0 else "", r[2]]) for i, r in enumerate(rows)))
        self.refused("/heat/0: heat.csv:1: every cell of column 'network_kw' is empty", n_lines=2)

    # --- scenario and estate ---

    def test_two_sinks_of_one_name_are_refused(self):
        sinks = self.scenario["estate"]["sites"][0]["loops"][0]["sinks"]
        sinks.append(dict(sinks[0]))
        self.write()
        said = self.refused("/estate/sites/0/loops/0/sinks/1")
        self.assertRegex(said, r"scenario\.json:\d+:\d+: /estate/sites/0/loops/0/sinks/1.*'building'")

    def test_a_sink_listed_twice_or_never_is_refused(self):
        entry = self.scenario["heat"][0]
        self.write(heat=[entry, entry])
        self.refused(f"/heat/1: sink '{SINK}' is listed twice", n_lines=2)
        self.write(heat=[])
        self.refused(f"/heat: sink '{SINK}' has no series", n_lines=2)
        self.write(heat=[{**entry, "colunm": "x"}])
        self.refused("/heat/0", "'column'", n_lines=2)

    # --- jobs ---

    def test_swf_lines_say_what_is_wrong(self):
        fields = SWF_RECORD.split()
        for line, part in (
                (SWF_RECORD.replace(" 600 ", " 10min "), "field 4, '10min', is no number"),
                (SWF_RECORD.replace("3600", "nan", 1), "field 2, 'nan', is no number"),
                (" ".join(fields[:17]), "the line has 17 fields; a record is 18 numbers"),
                (SWF_RECORD + " 7", "the line has 19 fields"),
                ("# a comment", "field 1, '#', is no number"),
                (SWF_RECORD.replace(" 600 ", " 1e300 "), "run time 1e+300 s is more than a trace can hold"),
                (SWF_RECORD.replace(" 4 -1 -1", " 1e15 -1 -1"), "processors 1e+15 is more than")):
            self.use_swf(f"; Version: 2.2\n{SWF_RECORD}\n{line}\n")
            self.refused("log.swf:3:", part, n_lines=1)

    def list_jobs(self):
        done = self.call("jobs")
        self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()], done.stderr

    def test_swf_takes_comments_decimals_and_unknown_fields(self):
        self.use_swf("; UnixStartTime: 0\n;\n\n  1 10.5 -1 600.25 -1 0.5 -1 4 -1 -1 1 1 1 1 -1 1 1 1\r\n"
                     "2\t20\t3\t700\t2\t-1\t-1\t-1\t900.5\t-1\t-1\t-1\t-1\t-1\t-1\t-1\t-1\t-1\n"
                     "3 30 -1 -1 4 -1 -1 4 900 -1 0 1 1 1 -1 1 1 1\n4 40 -1 60 -1 -1 -1 -1 900 -1 0 1 1 1 -1 1 1 1\n")
        jobs, said = self.list_jobs()
        self.assertEqual([job["vcpus"] for job in jobs], [4, 2])
        self.assertIn("2 without a run time or processors", said)

    def test_the_planner_is_told_the_requested_time_and_due_goes_by_the_recorded(self):
        self.use_swf(SWF_RECORD + "\n", slack_ratio=1)
        job = self.list_jobs()[0][0]
        self.assertEqual((job["submit"], job["due"]), ("2025-01-06T01:00:00Z", "2025-01-06T01:20:00Z"))
        self.assertEqual((job["duration"], job["env"]["HSCHED_SIM_RUN_S"]), ("20m", "600"))
        self.use_swf(SWF_RECORD + "\n", slack_ratio=1, estimate="requested")
        job = self.list_jobs()[0][0]
        self.assertEqual((job["due"], job["duration"]), ("2025-01-06T01:40:00Z", "20m"))
        # none requested: the recorded time is all there is, for both
        self.use_swf(SWF_RECORD.replace("1200", "-1") + "\n", slack_ratio=1, estimate="requested")
        job = self.list_jobs()[0][0]
        self.assertEqual((job["due"], job["duration"]), ("2025-01-06T01:20:00Z", "10m"))

    def test_csv_jobs_may_have_requested_times(self):
        self.jobs.write_text("arrival_s,run_s,cpus,requested_s\n0,600,2,1800\n60,600,2,\n")
        self.write(jobs=[{"csv": "jobs.csv"}])
        self.assertEqual([job["duration"] for job in self.list_jobs()[0]], ["30m", "10m"])

    def test_csv_jobs_say_their_line(self):
        head = "arrival_s,run_s,cpus\n"
        for text, where, part in (
                ("arrival_s,run_s\n1,2\n", "jobs.csv:1:", "no column 'cpus'; there are arrival_s, run_s"),
                ("arrival_s,runs,cpus\n1,2,3\n", "jobs.csv:1:", "no column 'run_s'; the nearest is 'runs'"),
                (head + "1,600,1\n2,soon,1\n", "jobs.csv:3:", "'soon' in column 'run_s' is no number"),
                (head + "1,600\n", "jobs.csv:2:", "2 of the header's 3 cells"),
                (head + "1,600,1e12\n", "jobs.csv:2:", "processors 1e+12")):
            self.jobs.write_text(text)
            self.refused(where, part, n_lines=1)

    def test_a_trace_without_a_job_for_the_run_is_refused(self):
        self.jobs.write_text("arrival_s,run_s,cpus\n1,-1,1\n-5,600,1\n172000,600,1\n2,,1\n9000000,600,1\n")
        self.refused("jobs.csv: none of 5 records is a job of this run", "2 submitted outside it",
                     "2 without run time or processors", "1 due after its end", "offset_s", n_lines=1)
        self.write(jobs=[])
        self.assertEqual(self.accepted()[0]["jobs_total"], 0)

    def test_an_estate_without_a_vcpu_for_jobs_is_said_so(self):
        for rack in self.scenario["estate"]["sites"][0]["racks"]:
            for host in rack["hosts"]:
                host["pinned_vcpus"] = host["vcpus"]
        self.write()
        self.refused("no host of the estate has a vCPU for jobs", "pinned_vcpus", n_lines=1)

    # --- gaps ---

    def test_gaps_hold_for_the_truth(self):
        """Empty cells and missing rows are the same gap, and the run goes on with the last value."""
        lines = self.heat.read_text().split("\n")
        held = lines[2040].split(",")[1]
        def rewrite(change):
            self.heat.write_text("\n".join(lines[:2041] + change(lines[2041:2049]) + lines[2049:]))
        rewrite(lambda rows: [",".join([r.split(",")[0], held, r.split(",")[2]]) for r in rows])
        want, said = self.accepted()
        self.assertNotIn("unknown for", said)
        rewrite(lambda rows: [",".join([r.split(",")[0], "", r.split(",")[2]]) for r in rows])
        self.assertEqual(self.accepted("'network_kw' for 'network/main/building' is unknown for 4.17 %")[0], want)
        rewrite(lambda rows: [])
        self.assertEqual(self.accepted("is unknown for 4.17 % of the run; the last value holds")[0], want)

    def test_the_planner_does_not_see_what_was_held(self):
        """Half a day without a meter: asap's world is the same as if the last value had been read all
        the time, but heat, which is told nothing, decides otherwise. Heat is scarce here: where all of
        it is taken at any time, there is nothing to decide."""
        self.scenario["heat"][0]["scale"] = 0.3
        self.write(policies=["asap", "heat"])
        lines = self.heat.read_text().split("\n")
        held = lines[2040].split(",")[1]
        gap = lines[2041:2089]
        reports = []
        for rows in ([",".join([row.split(",")[0], held, row.split(",")[2]]) for row in gap], []):
            self.heat.write_text("\n".join(lines[:2041] + rows + lines[2089:]))
            done = self.call()
            self.assertEqual(done.returncode, 0, done.stderr)
            reports.append(json.loads(done.stdout)["policies"])
        (asap_seen, heat_seen), (asap_blind, heat_blind) = reports
        self.assertEqual(asap_seen, asap_blind)
        self.assertEqual(heat_seen["demand_heat_wh"], heat_blind["demand_heat_wh"])
        self.assertNotEqual(heat_seen["cost_cur"], heat_blind["cost_cur"])


if __name__ == "__main__":
    unittest.main()
