# SPDX-License-Identifier: Apache-2.0
"""The formats of -o: what each promises to a person or a program."""

import csv
import io
import json
import os
import pty
import subprocess
import unittest

from ctl_support import HSCHED, Case, EXPLANATION, JOB, answer, listing

LOOP = {"name": "pool/main", "state": "normal", "since": "2026-01-05T09:00:00Z", "cause": "",
        "demand_heat_w": 21500, "captured_heat_w": 9000.5, "tank_c": 52.26, "tank_wh": 72000,
        "tank_max_wh": 145375, "tank_ratio": 0.5, "rejected_heat_w": 0,
        "heat_price_cur_per_mwh": 88.9,
        "price_next_h": [{"at": "2026-01-05T11:00:00Z", "cur_per_mwh": p} for p in (1, 5, 9)],
        "ride_through_s": 16413.9, "ride_through_is_least": False, "ride_through_p90_s": 171900,
        "ride_through_p90_is_least": True, "full_in_s": None, "empty_in_s": 26095,
        "headroom_it_w": 10362.8, "free_it_w": 350, "hours": [], "readings": []}
FORECAST = {"api": "hsched/v1", "kind": "Forecast", "currency": "EUR", "loop": "pool/main",
            "timezone": "Europe/Berlin", "model": "mixer", "from": "2026-01-05T10:00:00Z",
            "slot_s": 900, "tank_loss_w_per_k": {"value": 6.13, "sd": 0.4},
            "points": [{"at": f"2026-01-05T{10 + i // 4}:{15 * (i % 4):02}:00Z",
                        "utc_offset_s": 3600, "p10_w": 500.0 * i, "p50_w": 1000.0 * i,
                        "p90_w": 1500.0 * i, "outdoor_c": -2.0 + i, "demand_heat_w": 900.0 * i,
                        "it_w": 500, "tank_wh": None, "heat_price_cur_per_mwh": 80 - i,
                        "electricity_cur_per_mwh": 150}
                       for i in range(48)],
            "sinks": [{
                "name": "pool/main/basin",
                "how": {"model": "mixer", "chain_step": 0,
                        "chain": ["mixer", "yesterday", "persistence", "nothing-known"],
                        "weather": "issued", "weather_age_s": 7300, "history_h": 412,
                        "weights": [{"model": "yesterday", "weight_ratio": 0.25,
                                     "summary": "the same hour of the day before"},
                                    {"model": "regression", "weight_ratio": 0.75}]},
                "accuracy": [
                    {"from_lead_h": 1, "to_lead_h": 6, "nmae": 0.09, "yesterday_nmae": 0.145,
                     "coverage_80_ratio": 0.81, "n": 1980},
                    {"from_lead_h": 7, "to_lead_h": 24, "nmae": 0.12, "yesterday_nmae": 0.1,
                     "coverage_80_ratio": 0.78, "n": 5900},
                    {"from_lead_h": 25, "to_lead_h": 48, "nmae": None, "yesterday_nmae": None,
                     "coverage_80_ratio": None, "n": 0}],
                "physics": {"ua_w_per_k": {"value": 412.3, "sd": 31.2},
                            "capacity_wh_per_k": {"value": 9000, "sd": 9100},
                            "time_constant_h": None,
                            "base_w": {"value": 2130, "sd": 140},
                            "change_point_c": {"value": 15.17, "sd": 0.41},
                            "solar_aperture_m2": {"value": 12.4, "sd": 2.9}},
                "slots": [{"at": f"2026-01-05T{10 + i // 4}:{15 * (i % 4):02}:00Z", "p10_w": 1.0,
                           "p50_w": 2000.0, "p90_w": 3000.0} for i in range(48)]}]}
PLAN = {"api": "hsched/v1", "kind": "Plan", "currency": "EUR", "from": "2026-01-05T10:00:00Z",
        "slot_s": 900, "n_slots": 8, "cost_cur": 12.345, "n_late": 1,
        "loops": [{"name": "pool/main", "it_w": [0, 0, 0, 0, 4000, 4000, 4000, 4000],
                   "heat_price_cur_per_mwh": [1, 1, 1, 1, 90, 90, 90, 90]}],
        "placements": [{"job": 7, "host": "pool/h1", "start": "2026-01-05T11:00:00Z",
                        "end": "2026-01-05T12:00:00Z", "n_slots": 4, "late": False,
                        "forced": True}]}
REPORT = {"api": "hsched/v1", "kind": "Report", "currency": "EUR",
          "policies": [{"name": "heat", "it_wh": 50000, "useful_heat_wh": 40000, "jobs_total": 3,
                        "jobs_late": 0, "cost_cur": 7.5, "wait_s_mean": 3600,
                        "sites": [{"name": "pool", "demand_heat_wh": 90000,
                                   "useful_heat_wh": 40000, "recovery_ratio": 0.8,
                                   "coverage_ratio": 0.444, "backup_heat_wh": 50000}]}]}


class Formats(Case):
    def show(self, body, *words, env=None):
        self.socket_path = self.folder / f"s{len(list(self.folder.iterdir()))}"
        self.replay(answer(200, body))
        return self.check(self.hsched(*words, env=env), 0)

    def test_json_is_the_envelope_as_it_came(self):
        body = listing("JobList", JOB)
        self.assertEqual(json.loads(self.show(body, "jobs", "-o", "json").stdout), body)

    def test_jsonl_is_one_object_a_line(self):
        lines = self.show(listing("JobList", JOB, dict(JOB, id=8)), "jobs", "-o", "jsonl").stdout
        self.assertEqual([json.loads(line)["id"] for line in lines.splitlines()], [7, 8])

    def test_csv_has_fields_as_its_header_and_quotes_what_it_must(self):
        job = dict(JOB, why='said "no", twice\nand left')
        rows = list(csv.DictReader(io.StringIO(
            self.show(listing("JobList", job), "jobs", "-o", "csv").stdout)))
        self.assertEqual(rows[0]["why"], 'said "no", twice\nand left')
        self.assertEqual(rows[0]["duration_s"], "5400")
        self.assertEqual(rows[0]["planned_start"], "2026-01-05T18:15:00Z")
        self.assertEqual(rows[0]["started"], "")
        self.assertEqual(len(rows[0]), len(set(rows[0])))

    def test_name_is_one_name_a_line(self):
        self.assertEqual(self.show(listing("JobList", JOB), "jobs", "-o", "name").stdout, "7\n")
        self.assertEqual(self.show(listing("LoopList", LOOP), "loops", "-o", "name").stdout,
                         "pool/main\n")

    def test_a_table_shows_plans_with_a_tilde_and_short_times(self):
        table = self.show(listing("JobList", JOB), "jobs").stdout
        self.assertEqual(table.split("\n")[0].split(), ["ID", "NAME", "STATE", "CLASS", "VCPUS",
                                                        "SPAN", "START", "DUE", "HOST"])
        self.assertIn("~Mon 18:15Z", table)
        self.assertIn("1h30m", table)
        self.assertIn("~pool/h1", table)

    def test_a_far_time_shows_its_date(self):
        table = self.show(listing("JobList", dict(JOB, due="2026-03-01T06:00:00Z")), "jobs").stdout
        self.assertIn("2026-03-01 06:00Z", table)

    def test_an_empty_list_is_words_not_data(self):
        done = self.show(listing("JobList"), "jobs")
        self.assertEqual((done.stdout, done.stderr), ("", "no jobs\n"))
        done = self.show(listing("JobList"), "jobs", "-o", "jsonl")
        self.assertEqual((done.stdout, done.stderr), ("", ""))
        self.assertEqual(self.show(listing("JobList"), "jobs", "-o", "csv").stdout.count("\n"), 1)

    def test_wide_shows_more_than_table(self):
        self.assertNotIn("film", self.show(listing("JobList", JOB), "jobs").stdout)
        self.assertIn("film", self.show(listing("JobList", JOB), "jobs", "-o", "wide").stdout)

    def test_filters_travel_to_the_daemon(self):
        self.show(listing("JobList"), "jobs", "--state", "waiting,done", "--team", "a b&c",
                  "--site", "pool", "--limit", "5")
        self.assertEqual(self.server.requests[0]["target"],
                         "/v1/jobs?state=waiting%2Cdone&team=a%20b%26c&site=pool&limit=5")

    def test_a_loop_shows_kw_percent_and_its_tank(self):
        table = self.show(listing("LoopList", LOOP), "loops").stdout
        for part in ("HEAT EUR/MWh", "TANK °C", "21.5", "9.0", "50%", "52.3", "▁▅█"):
            self.assertIn(part, table)
        self.assertIn("[####....]", self.show(listing("LoopList", LOOP), "loops", "-o", "wide").stdout)

    def test_a_loop_that_is_not_normal_says_below_what_is_wrong(self):
        self.assertNotIn("has been", self.show(listing("LoopList", LOOP), "loops").stdout)
        loop = dict(LOOP, state="sink-unavailable", cause="pump out of order", rejection_wanted=True)
        self.assertIn("pool/main has been in sink-unavailable since 2026-01-05 09:00Z: pump out of order; "
                      "its heat is to be rejected", self.show(listing("LoopList", LOOP, loop), "loops").stdout)

    def test_bars_draw_no_rounding(self):
        loop = dict(LOOP, price_next_h=[{"cur_per_mwh": p} for p in (88.8889, 88.8888, 88.9)])
        self.assertIn("▁▁▁", self.show(listing("LoopList", loop), "loops").stdout)

    def test_small_money_has_two_digits_and_no_exponent(self):
        text = self.show(dict(EXPLANATION, cost_now_cur=9.34e-06, cost_planned_cur=-0.000112), "explain", "7").stdout
        self.assertIn("cost      -0.00011 EUR, started now 0.0000093 EUR", text)

    def test_latest_start_names_what_it_goes_by(self):
        self.assertIn("as long as its class may wait", self.show(EXPLANATION, "explain", "7").stdout)
        text = self.show(dict(EXPLANATION, due="2026-01-06T06:00:00Z"), "explain", "7").stdout
        self.assertIn("start by 2026-01-06 04:30Z to be done by 2026-01-06 06:00Z", text)

    def test_a_suspended_job_shows_prices_now_and_when_it_goes_on(self):
        text = self.show(dict(EXPLANATION, state="suspended"), "explain", "7").stdout
        self.assertIn("heat      now 12.0 EUR/MWh, when it goes on 71.9 EUR/MWh at pool/main", text)

    def test_help_fits_80_columns(self):
        for line in self.check(self.hsched("help"), 0).stdout.splitlines()[4:]:
            for name in line.split()[:1] if line.startswith("  ") else []:
                for text in self.check(self.hsched("help", name), 0).stdout.splitlines():
                    self.assertLessEqual(len(text), 80, text)

    def test_a_plain_locale_gets_plain_letters(self):
        table = self.show(listing("LoopList", LOOP), "loops", env={"LC_ALL": "C"}).stdout
        self.assertTrue(table.isascii(), table)
        self.assertIn("059", table)

    def test_a_name_of_dots_is_asked_for_as_it_is(self):
        self.show(FORECAST, "forecast", "../main")
        self.assertEqual(self.server.requests[0]["target"], "/v1/forecast/../main")

    def test_a_forecast_is_bars_and_hourly_means_on_the_clocks_of_the_site(self):
        done = self.show(FORECAST, "forecast", "pool/main", "--hours", "2")
        self.assertEqual(self.server.requests[0]["target"], "/v1/forecast/pool/main")
        self.assertEqual(done.stderr, "pool/main/basin: forecast by mixer; weather: a forecast "
                                      "issued 2 h ago\n")
        lines = done.stdout.splitlines()
        self.assertEqual(lines[:6], ["p90      ▂█  2.2 to 8.2 kW", "p50      ▂▅  1.5 to 5.5 kW",
                                     "p10      ▁▃  0.8 to 2.8 kW", "outdoor  ▁█  -0.5 to 3.5 °C",
                                     "price    █▁  74.5 to 78.5 EUR/MWh", "hour      12"])
        self.assertEqual(lines[7].split("  ")[0], "FROM (Europe/Berlin)")
        self.assertRegex(lines[9], r"^Mon 12:00 +2\.8 +5\.5 +8\.2 +3\.5 +74\.5$")
        rows = self.show(FORECAST, "forecast", "pool/main", "--hours", "2", "-o", "jsonl").stdout
        self.assertEqual(len(rows.splitlines()), 8)
        slots = self.show(FORECAST, "forecast", "pool/main", "--hours", "2", "--slots").stdout
        self.assertEqual(len(slots.splitlines()), len(lines) + 6)

    def test_a_forecast_says_how_right_it_was(self):
        text = " ".join(self.show(FORECAST, "forecast", "pool/main").stdout.split())
        self.assertIn("1-6 h ahead: off by 9% of the mean, 38% better than 'same as yesterday'; "
                      "81% of hours fell in the 80% interval (1980 judged)", text)
        self.assertIn("7-24 h ahead: off by 12% of the mean, 20% worse than", text)
        self.assertIn("25-48 h ahead: not judged yet", text)

    def test_a_forecast_in_a_plain_locale_is_plain(self):
        for words in ([], ["--model"]):
            done = self.show(FORECAST, "forecast", "pool/main", *words, env={"LC_ALL": "C"})
            self.assertTrue(done.stdout.isascii() and done.stderr.isascii(), done.stdout)
        self.assertIn("heating stops above  15.2 +- 0.4 C\n", done.stdout)
        self.assertIn("sun let in           12 +- 3 m2\n", done.stdout)

    def test_a_model_is_figures_with_their_errors(self):
        text = self.show(FORECAST, "forecast", "pool/main", "--model").stdout
        for line in ("  who speaks           [mixer] > yesterday > persistence > nothing-known",
                     "  weather              a forecast issued 2 h ago",
                     "  heat loss            0.41 ± 0.03 kW/K",
                     "  heat held            9 ± 9 kWh/K, not settled: the error is as large",
                     "  time constant        not learned yet",
                     "  base load            2.13 ± 0.14 kW", "  tank loss            6.1 ± 0.4 W/K"):
            self.assertIn(line + "\n", text)
        self.assertRegex(text, r"regression +75% +-\nyesterday +25% +the same hour of the day")
        rows = list(csv.DictReader(io.StringIO(
            self.show(FORECAST, "forecast", "pool/main", "--model", "-o", "csv").stdout)))
        self.assertEqual(rows[0], {"sink": "pool/main/basin", "figure": "ua_w_per_k",
                                   "value": "412.3", "sd": "31.2", "unit": "W/K"})
        self.assertEqual(rows[2]["value"], "")
        self.assertEqual(rows[-1]["figure"], "tank_loss_w_per_k")

    def test_a_forecast_of_one_sink_has_its_own_heat(self):
        rows = list(csv.DictReader(io.StringIO(
            self.show(FORECAST, "forecast", "pool/main/basin", "--hours", "1", "-o", "csv").stdout)))
        self.assertEqual([(row["p50_w"], row["outdoor_c"]) for row in rows][1], ("2000.0", "-1.0"))
        self.socket_path = self.folder / "wrong"
        self.replay(answer(200, FORECAST))
        done = self.check(self.hsched("forecast", "pool/main/basen"), 3)
        self.assertIn("did you mean 'pool/main/basin'", done.stderr)

    def test_a_building_that_was_never_metered_has_no_forecast(self):
        sink = dict(FORECAST["sinks"][0], accuracy=[], how={"model": "nothing-known"})
        points = [dict(point, p10_w=None, p50_w=None, p90_w=None) for point in FORECAST["points"]]
        done = self.show(dict(FORECAST, sinks=[sink], points=points), "forecast", "pool/main")
        self.assertIn("its meter has said nothing yet", done.stderr)
        self.assertTrue(done.stdout.startswith("outdoor "), done.stdout)

    def test_an_odd_forecast_does_no_harm(self):
        sink = FORECAST["sinks"][0]
        for change in ({"points": [None, 5, {}, {"at": 7}]}, {"points": 5}, {"sinks": [5, None]},
                       {"slot_s": "long"}, {"slot_s": 1e-9}, {"loop": None, "timezone": 9},
                       {"sinks": [dict(sink, accuracy=[5], how=7, physics=[], slots=None)]},
                       {"sinks": [dict(sink, name="\x1b[2J", how={"chain": [1], "weights": [2]})]}):
            for words in ([], ["--model"], ["-o", "csv"]):
                with self.subTest(change=change, words=words):
                    done = self.show(dict(FORECAST, **change), "forecast", "pool/main", *words)
                    self.assertNotIn("\x1b", done.stderr + ("" if "csv" in words else done.stdout))

    def test_a_plan_is_loops_then_placements(self):
        done = self.show(PLAN, "plan")
        self.assertIn("cost 12.35 EUR, 1 late", done.stderr.replace("12.34", "12.35"))
        self.assertRegex(done.stdout, r"pool/main +▁█ +4\.0 +▁█ +90\.0\n")
        self.assertRegex(done.stdout, r"7 +pool/h1 +Mon 11:00Z +Mon 12:00Z +4 +no +yes\n")
        self.assertEqual(self.show(PLAN, "plan", "-o", "name").stdout, "7\n")

    def test_a_report_is_totals_then_sites(self):
        done = self.show(REPORT, "report").stdout
        self.assertRegex(done, r"Heat made useful, kWh +40\.0\n")
        self.assertRegex(done, r"Cost, EUR +7\.50\n")
        self.assertRegex(done, r"pool +90\.0 +40\.0 +80% +44% +50\.0\n")

    def test_show_is_lines_without_what_is_absent(self):
        lines = dict(line.split("  ", 1) for line in self.show(JOB, "show", "7").stdout.splitlines())
        self.assertEqual(lines["Memory"].strip(), "8 GiB")
        self.assertEqual(lines["Duration"].strip(), "1h30m")
        self.assertEqual(lines["Interruptible"].strip(), "yes")
        self.assertEqual(lines["Environment"].strip(), "SEED=1")
        self.assertNotIn("Limit", lines)
        self.assertEqual(json.loads(self.show(JOB, "show", "hs-7", "-o", "json").stdout), JOB)

    def test_explain_says_state_reason_prices_and_what_would_change_it(self):
        text = self.show(dict(EXPLANATION, kind="Explanation", at=JOB["at"]), "explain",
                         "7").stdout
        for part in ("waits for dearer heat", "heat is worth more at 18:15",
                     "now 150.0 EUR/MWh, at the planned start 120.0 EUR/MWh", "saves 0.11 EUR",
                     "by Tue 04:30Z", "unless    submit with --now to start at once"):
            self.assertIn(part, text)

    def test_explain_says_the_next_best_place_and_what_binds(self):
        text = self.show(dict(
            EXPLANATION, capture_ratio=0.8, net_now_cur_per_mwh=23.16, net_planned_cur_per_mwh=-31.1,
            electricity_cur=0.15, heat_cur=0.11,
            alternatives=[{"code": "other-host", "start": "2026-01-05T19:00:00Z",
                           "host": "pool/h2", "extra_cur": 0.021}],
            constraints=[{"code": "due", "text": "it is due at 20:00", "change": "with 6 hours more"}],
            changes=[{"code": "electricity-under", "text": "it would start now if it cost less"}]),
            "explain", "7").stdout
        for part in ("net       now 23.2 EUR/MWh, at the planned start -31.1 EUR/MWh\n",
                     "electricity 0.15 EUR, less heat worth 0.11 EUR (80% of its power is captured)\n",
                     "next best 2026-01-05 19:00Z on pool/h2: 0.021 EUR more\n",
                     "bound by  it is due at 20:00\n          with 6 hours more\n",
                     "change    it would start now if it cost less\n"):
            self.assertIn(part, text)

    def test_an_odd_explanation_does_no_harm(self):
        for change in ({"alternatives": 5}, {"alternatives": [None]}, {"constraints": [7, {}]},
                       {"changes": {"a": 1}}, {"capture_ratio": "much"}):
            with self.subTest(change=change):
                self.assertIn("waits", self.show(dict(EXPLANATION, **change), "explain", "7").stdout)

    def test_wide_loops_show_how_long_the_building_stays_warm(self):
        wide = self.show(listing("LoopList", LOOP), "loops", "-o", "wide").stdout
        self.assertRegex(wide, r"4h33m +over 1d23h45m +- +7h14m +10\.4 +0\.[34]")
        rows = list(csv.DictReader(io.StringIO(
            self.show(listing("LoopList", LOOP), "loops", "-o", "csv").stdout)))
        self.assertEqual((rows[0]["ride_through_s"], rows[0]["full_in_s"]), ("16413.9", ""))

    def test_a_plan_says_how_far_it_can_be_from_the_best(self):
        bound = {"at": "2026-01-05T10:00:00Z", "cost_cur": 10.1, "bound_cur": 10, "gap_ratio": 0.01}
        said = self.show(dict(PLAN, bound=bound), "plan").stderr
        self.assertIn("no plan for less than 10.00: gap at most 1.0 %", said)
        for nothing in ({}, dict(bound, gap_ratio=None)):
            self.assertNotIn("gap at most", self.show(dict(PLAN, bound=nothing), "plan").stderr)

    def test_a_plan_lists_what_it_misses(self):
        miss = {"kind": "job", "name": "9", "cause": "vcpus", "text": "it will end 2h late: full",
                "by": 7200, "unit": "s"}
        text = self.show(dict(PLAN, misses=[miss]), "plan").stdout
        self.assertRegex(text, r"MISSED +NAME +CAUSE +HOW\njob +9 +vcpus +it will end 2h late: full\n")
        self.assertNotIn("MISSED", self.show(dict(PLAN, misses=[]), "plan").stdout)

    def test_logs_are_the_bytes_as_they_are(self):
        console = "boot\x1b[31m\r\nüber\x00\n"
        self.replay(answer(200, console))
        done = subprocess.run([HSCHED, "--socket", self.socket_path, "logs", "7", "--bytes", "99"],
                              capture_output=True, check=False, timeout=30)
        self.assertEqual(done.stdout, console.encode())
        self.assertEqual(self.server.requests[0]["target"], "/v1/jobs/7/log?bytes=99")

    def test_cancel_goes_on_after_one_that_is_gone(self):
        self.replay(answer(404, {"error": "not-found", "text": "no job 1"}),
                    answer(200, dict(JOB, state="cancelled")))
        done = self.check(self.hsched("cancel", "1", "7"), 3)
        self.assertIn("hsched: no job 1", done.stderr)
        self.assertIn("job 7 is cancelled", done.stderr)
        self.assertEqual(done.stdout, "")


class Terminal(Case):
    def screen(self, *words, env=None):
        """What hsched writes to a terminal 70 columns wide."""
        leader, follower = pty.openpty()
        full = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TERM": "xterm-256color",
                "COLUMNS": "70", "HSCHED_SOCKET": str(self.socket_path), **(env or {})}
        with subprocess.Popen([HSCHED, *words], env=full, stdout=follower,
                              stderr=subprocess.DEVNULL) as process:
            process.wait(30)
        os.close(follower)
        data = b""
        while True:
            try:
                part = os.read(leader, 65536)
            except OSError:
                break
            if not part:
                break
            data += part
        os.close(leader)
        return data.decode()

    def test_a_terminal_gets_colour_and_a_pipe_none(self):
        job = dict(JOB, state="failed", name="n" * 60, host="pool/h1", due=None)
        body = answer(200, listing("JobList", job))
        self.replay(body, body, body)
        self.assertIn("\x1b[", self.screen("jobs"))
        plain = self.screen("jobs", env={"NO_COLOR": "1"})
        self.assertNotIn("\x1b", plain)
        self.assertTrue(all(len(line) <= 70 for line in plain.splitlines()), plain)
        piped = self.hsched("jobs", env={"COLUMNS": "60", "TERM": "xterm-256color"}).stdout
        self.assertNotIn("\x1b", piped)
        self.assertIn("n" * 60, piped)

    def test_words_of_a_job_cannot_drive_the_terminal(self):
        job = dict(JOB, name="evil\x1b[2J", why="\x1b]0;x\x07")
        self.replay(answer(200, listing("JobList", job)), answer(200, job))
        self.assertNotIn("\x1b", self.hsched("jobs", "-o", "wide").stdout)
        self.assertNotIn("\x1b", self.hsched("show", "7").stdout)


if __name__ == "__main__":
    unittest.main()
