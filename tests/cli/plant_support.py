# SPDX-License-Identifier: Apache-2.0
"""What the tests of plants over real sockets share: a served plant, and a daemon that reads it."""
import datetime
import json
import math
import os
import subprocess
import time
import unittest

import daemon_support
from daemon_support import BUILD, rig

START = "2026-01-05T00:00:00Z"
SPEED = 3600
HOURS = 24 * 7 if os.environ.get("HSCHED_TEST_LONG") else 10


def at(hours):
    """Plan time so long after the start."""
    start = datetime.datetime.fromisoformat(START.replace("Z", "+00:00"))
    return (start + datetime.timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def make_estate(points):
    """A pool with a tank in three layers. @points by loop, sink and rack"""
    estate = json.loads(json.dumps(daemon_support.ESTATE))
    site = estate["sites"][0]
    loop = site["loops"][0]
    loop["tank"] = {"volume_l": 2000, "nodes": 3, "min_c": 35, "max_c": 60, "loss_w_per_k": 6, "ambient_c": 18}
    loop["points"] = points["loop"]
    loop["sinks"][0]["points"] = points["sink"]
    site["racks"][0]["points"] = points["rack"]
    return estate


class PlantRig(daemon_support.MemRig):
    """A scenario to serve; start_server() and set_plant() are the caller's, before __enter__."""

    def __init__(self, points):
        rig.Rig.__init__(self, BUILD, {"estate": make_estate(points), "start": START, "heat": []}, speed=SPEED,
                         config={"store": "mem", "heat_history": False})
        self.server = None
        rows = ["hour,heat_kw"] + [f"2026-01-{4 + h // 24:02}T{h % 24:02}:00:00Z,{3 + 2 * math.sin(h / 4):.3f}"
                                   for h in range(24 * 12)]
        (self.dir / "heat.csv").write_text("\n".join(rows) + "\n")
        (self.dir / "scenario.json").write_text(json.dumps({
            "estate": "estate.json", "start": START, "days": 8, "slot_s": 900, "policies": ["asap"], "jobs": [],
            "heat": [{"sink": "pool/main/basin", "csv": "heat.csv", "column": "heat_kw"}]}))

    def start_server(self, *options, hours=HOURS, faults=()):
        """hsim serve; its truth goes to truth.json."""
        command = [rig.program(BUILD, "hsim"), "serve", self.dir / "scenario.json", "--speed", SPEED, "--for",
                   f"{hours}h", "--period", "60s", *options]
        for fault in faults:
            command += ["--fault", fault]
        with (self.dir / "serve.log").open("wb") as log, (self.dir / "truth.json").open("wb") as out:
            self.server = subprocess.Popen(list(map(str, command)), stdout=out, stderr=log,
                                           preexec_fn=rig.die_with_parent)
        self.processes.append(self.server)

    def set_plant(self, plant):
        self.config["plant"] = plant
        (self.dir / "hschedd.json").write_text(json.dumps(self.config))

    def readings(self):
        return {r["point"]: r for r in self.get("/v1/loops")["items"][0]["readings"]}

    def log(self):
        return (self.dir / "hschedd.log").read_text()

    def truth(self):
        return json.loads((self.dir / "truth.json").read_text())


class PlantCase(unittest.TestCase):
    rig = None

    def wait(self, what, ready, timeout_s=30):
        deadline = time.monotonic() + timeout_s
        while not ready():
            self.assertLess(time.monotonic(), deadline, f"{what}:\n{self.rig.log_tail('hschedd.log')}")
            time.sleep(0.05)

    def watch(self):
        """Until the server ends: what is believed is never what a fault made of it."""
        while self.rig.server.poll() is None:
            for reading in self.rig.readings().values():
                if reading["value"] is not None and reading["point"].endswith("_c"):
                    self.assertTrue(30 <= reading["value"] <= 62, reading)
                if reading["value"] is not None and reading["point"].endswith("demand_heat_w"):
                    self.assertTrue(900 <= reading["value"] <= 5100, reading)
            time.sleep(0.1)

    def assert_counters(self):
        """The last counters are the truth's."""
        last, truth = self.rig.readings(), self.rig.truth()["points"]
        for point in ("pool/main/captured_heat_wh", "pool/main/basin/useful_heat_wh"):
            self.assertAlmostEqual(last[point]["value"], truth[point], delta=0.02 * truth[point], msg=point)
