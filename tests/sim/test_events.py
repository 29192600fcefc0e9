# SPDX-License-Identifier: Apache-2.0
"""Scripted faults, maintenance and the costs of moves and suspends, on synthetic data (made here,
by formula and a seed), for every controller that decides: no work is lost, energy closes, the
effect is the one that docs/simulator.md states, and a bad event is refused with its place."""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

from test_hsim import HSIM, IDLE_W, MAX_W, PINNED, START, VCPUS, make_scenario, stamp, write_scenario

POLICIES = os.environ.get("HSIM_EVENT_POLICIES", "asap,thermostat,sticky,carbon,heat").split(",")
W_PER_VCPU = (MAX_W - IDLE_W) / VCPUS
BASE_W = IDLE_W + PINNED * W_PER_VCPU
HOUR = 3600


def make_event(kind, thing, from_h=8, for_h=6, **more):
    return {"at": stamp(START + HOUR * from_h + 420), "for": f"{for_h}h", "kind": kind,
            "object": thing, **more}


class Events(unittest.TestCase):
    plain = None  # entries without events; made once

    def get_plain(self):
        Events.plain = Events.plain or self.run_with()
        return Events.plain

    def setUp(self):
        temp = tempfile.TemporaryDirectory()
        self.addCleanup(temp.cleanup)
        self.folder = pathlib.Path(temp.name)

    def run_with(self, policies=POLICIES, **more):
        """Report entries by controller: a day of jobs, on three hosts and two."""
        write_scenario(self.folder, {**make_scenario(self.folder, 1, 50), **more})
        done = subprocess.run([HSIM, "run", str(self.folder / "scenario.json"), "--policies",
                               ",".join(policies)], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return {entry["name"]: entry for entry in json.loads(done.stdout)["policies"]}

    def assert_sound(self, entries):
        for name, entry in entries.items():
            with self.subTest(controller=name):
                self.assertEqual(entry["jobs_done"], entry["jobs_total"])
                self.assertLess(abs(entry["balance_residual_ratio"]), 1e-6)
                self.assertAlmostEqual(entry["demand_heat_wh"],
                                       entry["useful_heat_wh"] + entry["backup_heat_wh"], delta=1)

    def assert_it_wh(self, entries, plain, less_wh):
        """The same work, less what lost hosts did not draw, more what was lost and added."""
        for name, entry in entries.items():
            with self.subTest(controller=name):
                self.assertAlmostEqual(entry["it_wh"], plain[name]["it_wh"] - less_wh
                                       + entry["lost_work_wh"] + entry["overhead_wh"], delta=0.1)

    def test_plant_faults_cost_heat_and_no_work(self):
        plain = self.get_plain()
        self.assert_sound(plain)
        for kind in ("sink-off", "pump-fault"):
            entries = self.run_with(events=[make_event(kind, "pool/main")])
            self.assert_sound(entries)
            self.assert_it_wh(entries, plain, 0)
            for name, entry in entries.items():
                with self.subTest(kind=kind, controller=name):
                    self.assertLess(entry["useful_heat_wh"], plain[name]["useful_heat_wh"])
                    self.assertEqual(entry["jobs_late"], plain[name]["jobs_late"])
                    # at least the pinned work's heat has nowhere to go while the pump stands
                    if kind == "pump-fault":
                        self.assertGreaterEqual(entry["rejected_heat_wh"],
                                                0.8 * 3 * BASE_W * 6 - 1)

    def test_a_sensor_fault_harms_heat_alone(self):
        plain = self.get_plain()
        entries = self.run_with(["asap", "heat"], events=[
            make_event("sensor-stuck", "pool/main/building/demand_heat_w"),
            make_event("sensor-nan", "school/main/building/demand_heat_w", 6, 5),
            make_event("sensor-stale", "pool/main/tank/0.5_c", 9, 3),
            make_event("sensor-jump", "school/main/tank/0.5_c", value=30)])
        self.assert_sound(entries)
        self.assert_it_wh(entries, plain, 0)
        self.assertEqual(entries["heat"]["jobs_late"], 0)
        self.assertNotEqual(entries["heat"]["cost_cur"], plain["heat"]["cost_cur"])
        self.assertEqual(entries["asap"]["cost_cur"], plain["asap"]["cost_cur"])

    def test_a_lost_host_loses_no_job(self):
        plain = self.get_plain()
        entries = self.run_with(events=[make_event("host-lost", "pool")])
        self.assert_sound(entries)
        self.assert_it_wh(entries, plain, 3 * BASE_W * 6)
        self.assertGreater(entries["asap"]["restarts"], 0)
        for entry in entries.values():
            self.assertEqual(entry["restarts"] > 0, entry["lost_work_wh"] > 0)

    def test_maintenance_runs_out_and_hard_maintenance_is_known_to_heat(self):
        plain = self.get_plain()
        soft = self.run_with(events=[make_event("maintenance", "pool/r1")])
        self.assert_sound(soft)
        self.assert_it_wh(soft, plain, 0)
        self.assertTrue(all(entry["restarts"] == 0 for entry in soft.values()))
        hard = self.run_with(events=[make_event("maintenance", "pool/r1", hard=True)])
        self.assert_sound(hard)
        self.assert_it_wh(hard, plain, 3 * BASE_W * 6)
        self.assertGreater(hard["asap"]["restarts"], 0)
        self.assertEqual(hard["heat"]["restarts"], 0)

    def assert_overhead(self, entries, plain):
        self.assert_sound(entries)
        self.assert_it_wh(entries, plain, 0)
        for name, entry in entries.items():
            with self.subTest(controller=name):
                disturbed = entry["suspends"] + entry["moves"] > 0
                self.assertEqual(entry["overhead_wh"] > 0, disturbed)

    def test_costs_are_counted_as_power_and_time(self):
        plain = self.get_plain()
        costs = {"suspend_s": 300, "move_s": 600}
        self.assert_overhead(self.run_with(costs=costs), plain)
        # four hours without any host: long work has to stop for them, whatever prices say
        hours_off = [make_event("maintenance", site, from_h, 1) for site in ("pool", "school") for from_h in (4, 8, 12, 16)]
        entries = self.run_with(["heat"], costs=costs, events=hours_off)
        self.assert_overhead(entries, plain)
        self.assertGreater(entries["heat"]["suspends"], 0)

    def test_everything_at_once_gives_the_same_bytes_twice(self):
        script = [make_event("sink-off", "pool/main/building", 2),
                  make_event("pump-fault", "school/main", 5),
                  make_event("rejection-fault", "school/main", 5, value=0),
                  make_event("sensor-nan", "pool/main/tank/0.5_c", 10),
                  make_event("sensor-stuck", "school/main/building/demand_heat_w", 9, 9),
                  make_event("host-lost", "pool/r1/h-2", 7, 3),
                  make_event("feed-lost", "pool", 1, 20),
                  make_event("maintenance", "school", 11, 2, hard=True)]
        first = self.run_with(events=script, costs={"suspend_s": 60, "move_s": 60})
        self.assert_sound(first)
        self.assertGreater(first["asap"]["rejection_over_limit_slots"], 0)
        self.assertEqual(first, self.run_with(events=script, costs={"suspend_s": 60, "move_s": 60}))

    def test_bad_events_say_where_and_what_would_be_right(self):
        for event, parts in (
                (make_event("sink-off", "pool/main/buildin"),
                 ("/events/1/object", "did you mean 'pool/main/building'")),
                (make_event("sink-of", "pool/main/building"), ("/events/1/kind", "sink-off")),
                ({**make_event("host-lost", "pool/h-1"), "for": None, "until": stamp(START)},
                 ("/events/1/until", "is not after 'at'")),
                (make_event("host-lost", "pool/h-1", 24 * 9), ("/events/1/at", "outside the run"))):
            with self.subTest(event=event):
                scenario = make_scenario(self.folder, 1, 5)
                scenario["events"] = [make_event("pump-fault", "pool/main"), event]
                write_scenario(self.folder, scenario)
                path = self.folder / "scenario.json"
                done = subprocess.run([HSIM, "run", str(path)], capture_output=True, text=True,
                                      check=False)
                self.assertEqual((done.returncode, done.stdout), (6, ""))
                text = path.read_text().splitlines()
                line = int(done.stderr.split(":")[1])
                self.assertTrue(done.stderr.startswith(f"{path}:{line}:"), done.stderr)
                self.assertGreater(line, text.index(' "events": ['))
                for part in parts:
                    self.assertIn(part, done.stderr)

    def test_the_documentation_names_every_kind(self):
        docs = pathlib.Path(__file__).parents[2] / "docs" / "simulator.md"
        section = docs.read_text().split("## Events")[1].split("\n## ")[0]
        write_scenario(self.folder, {**make_scenario(self.folder, 1, 5),
                                     "events": [make_event("none-such", "pool")]})
        done = subprocess.run([HSIM, "run", str(self.folder / "scenario.json")],
                              capture_output=True, text=True, check=False)
        kinds = re.findall(r"[a-z]+-[a-z]+|maintenance", done.stderr.split("none-such")[1])
        self.assertGreater(len(kinds), 8, done.stderr)
        for kind in kinds:
            self.assertIn(f"`{kind}`", section)


if __name__ == "__main__":
    unittest.main(verbosity=2)
