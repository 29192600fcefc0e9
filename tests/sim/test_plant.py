# SPDX-License-Identifier: Apache-2.0
"""The plant of a run: layers, lifts and ramps, on a small made-up week; every balance is checked
by hsim itself, slot by slot, and here over the run. Prints what layers cost the planner."""

import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import test_hsim  # noqa: E402


class Plant(test_hsim.Hsim):
    def run_changed(self, change, policies="asap", days=7):
        """A run with each site's loop and rack changed by `change(loop, rack)`, by policy."""
        scenario = test_hsim.make_scenario(self.folder, days, 60)
        for site in scenario["estate"]["sites"]:
            change(site["loops"][0], site["racks"][0])
        test_hsim.write_scenario(self.folder, scenario)
        out = json.loads(self.run_scenario("--policies", policies))["policies"]
        for entry in out:
            self.assertLess(abs(entry["balance_residual_ratio"]), 1e-9)
            self.assertAlmostEqual(
                entry["demand_heat_wh"], delta=1e-6 * entry["demand_heat_wh"],
                second=entry["useful_heat_wh"] + entry["lift_elec_wh"] + entry["backup_heat_wh"])
        return {entry["name"]: entry for entry in out}

    def test_the_planner_saves_with_layers_as_it_does_without(self):
        shown = {}
        for nodes in (1, 3, 10):
            def change(loop, rack, nodes=nodes):
                loop["tank"]["nodes"] = nodes
            shown[nodes] = self.run_changed(change, "asap,heat", days=2)
        for nodes, got in shown.items():
            print(f"nodes {nodes}: " + ", ".join(
                f"{name} recovery {got[name]['recovery_ratio']:.4f} cost {got[name]['cost_cur']:.2f} "
                f"late {got[name]['jobs_late']}" for name in ("asap", "heat")))
        for name in ("asap", "heat"):
            mixed = shown[1][name]
            for nodes in (3, 10):
                got = shown[nodes][name]
                # empty layers lose nothing, so layers lose less than a mixed tank, and not much
                self.assertLess(got["lost_heat_wh"], mixed["lost_heat_wh"])
                self.assertGreater(got["recovery_ratio"], mixed["recovery_ratio"] - 0.005)
                self.assertLess(got["recovery_ratio"], mixed["recovery_ratio"] + 0.05)
                self.assertLess(abs(got["cost_cur"] / mixed["cost_cur"] - 1), 0.03)
                self.assertEqual(got["jobs_late"], mixed["jobs_late"])
        for got in shown.values():
            self.assertLess(got["heat"]["cost_cur"], got["asap"]["cost_cur"])

    def test_heat_pumps_electricity_is_paid_for_and_is_no_useful_heat(self):
        def change(loop, rack):
            loop["sinks"][0].update({"kind": "dhw", "supply_min_c": 65, "lift": "heat-pump"})
        lifted = self.run_changed(change)["asap"]
        plain = self.run_changed(lambda loop, rack: None)["asap"]
        # from 40..60 degrees C to 65: 1 / COP between 5 / 152 and 25 / 152
        share = lifted["lift_elec_wh"] / (lifted["lift_elec_wh"] + lifted["useful_heat_wh"])
        self.assertGreater(share, 5 / 153)
        self.assertLess(share, 25 / 152)
        # the same heat, and its electricity, replace more backup at the price of electricity
        self.assertLess(lifted["backup_heat_wh"], plain["backup_heat_wh"])
        self.assertLess(lifted["erf"], lifted["useful_heat_wh"] / (1.08 * lifted["it_wh"]))

    def test_preheat_leaves_a_share_to_the_backup(self):
        def change(loop, rack):
            loop["sinks"][0].update({"kind": "dhw", "supply_min_c": 60, "lift": "preheat"})
            del loop["tank"]
        got = self.run_changed(change)["asap"]
        # mains at 10 to 50 of 60: four fifths at most
        self.assertLess(got["coverage_ratio"], 0.8)
        self.assertGreater(got["coverage_ratio"], 0.3)

    def test_slow_cooling_misses_heat_that_rises(self):
        def change(loop, rack):
            rack["ramp_w_per_min"] = 5
        slow = self.run_changed(change)["asap"]
        quick = self.run_changed(lambda loop, rack: None)["asap"]
        self.assertEqual(quick["missed_heat_wh"], 0)
        self.assertGreater(slow["missed_heat_wh"], 0.01 * quick["captured_heat_wh"])
        self.assertAlmostEqual(slow["captured_heat_wh"] + slow["missed_heat_wh"],
                               quick["captured_heat_wh"], delta=1)


# only what is said here; the base class' own tests run in its file
for name in list(vars(test_hsim.Hsim)):
    if name.startswith("test_"):
        setattr(Plant, name, None)
del test_hsim.Hsim

if __name__ == "__main__":
    unittest.main(verbosity=2)
