#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What forecasts have learned outlives hschedd: kill -9, a clean stop, damage."""
import datetime
import json
import math
import subprocess
import time
import unittest

from daemon_support import RedisRig, SCENARIO

START = datetime.datetime.fromisoformat(SCENARIO["start"].replace("Z", "+00:00"))
DAYS = 10
SINK = "pool/main/basin"
KEY = "hs:{main}:forecasts"


def write_series(path, column, value):
    """@DAYS hourly values before the start and two days after."""
    hours = [START + datetime.timedelta(hours=h) for h in range(-24 * DAYS, 48)]
    rows = [f"{at:%Y-%m-%dT%H:%M:%SZ},{value(i):.4f}" for i, at in enumerate(hours)]
    path.write_text("\n".join([f"time_utc,{column}", *rows]) + "\n")


class Learned(unittest.TestCase):
    def setUp(self):
        self.rig = RedisRig()
        write_series(self.rig.dir / "heat.csv", "heat_kw",
                     lambda i: 9 + 4 * math.sin(2 * math.pi * i / 24) + 0.7 * math.sin(i * i))
        write_series(self.rig.dir / "air.csv", "t_out_c", lambda i: 3 + 5 * math.sin(2 * math.pi * i / 24 + 1))
        self.rig.config["plant"] = {"kind": "csv", "heat": [
            {"sink": SINK, "csv": "heat.csv", "column": "heat_kw"}]}
        self.rig.config["signals"] = {"weather": [{"site": "pool", "csv": "air.csv", "column": "t_out_c"}]}
        self.configure(heat_history=True)
        self.rig.__enter__()
        self.addCleanup(self.rig.__exit__, None, None, None)

    def configure(self, **fields):
        self.rig.config.update(fields)
        (self.rig.dir / "hschedd.json").write_text(json.dumps(self.rig.config))

    def redis(self, *args, last=None):
        """@last: the last argument, too long for a command line"""
        return subprocess.check_output(["redis-cli", "-s", str(self.rig.redis_socket), *(["-x"] if last else []),
                                        *args], input=last, text=True)

    def wait_kept(self):
        deadline = time.monotonic() + 10
        while set(self.redis("hkeys", KEY).split()) != {SINK, "arrivals", "runtimes", "plant", "moves"}:
            self.assertLess(time.monotonic(), deadline, self.rig.log_tail("hschedd.log"))
            time.sleep(0.05)

    def forecast(self):
        """{instant: quantiles} of the loop's only sink."""
        loop = self.rig.get("/v1/forecast/pool/main")
        return {point["at"]: tuple(point[key] for key in ("p10_w", "p50_w", "p90_w"))
                for point in loop["sinks"][0]["slots"]}, loop["sinks"][0]

    def restart_untrained(self, spoil=None):
        """End the daemon at once; the next one has its store and no history to train on."""
        self.rig.daemon.kill()
        self.rig.daemon.wait()
        if spoil:
            spoil()
        (self.rig.dir / "hschedd.log").unlink()
        self.configure(heat_history=False)
        self.rig.start_daemon()

    def test_kill_9__the_forecast_goes_on(self):
        self.wait_kept()
        before, sink = self.forecast()
        self.assertGreater(len({quantiles[1] for quantiles in before.values()}), 10)
        self.restart_untrained()
        after, again = self.forecast()
        shared = sorted(before.keys() & after.keys())
        self.assertGreater(len(shared), 180)
        self.assertEqual([before[at] for at in shared], [after[at] for at in shared])
        for key in ("accuracy", "physics", "how"):
            self.assertEqual(sink[key], again[key])

    def test_without_the_row__it_would_not(self):
        self.wait_kept()
        before, _ = self.forecast()
        self.restart_untrained(lambda: self.redis("hdel", KEY, SINK))
        after, _ = self.forecast()
        shared = sorted(before.keys() & after.keys())[8:]
        self.assertNotEqual([before[at] for at in shared], [after[at] for at in shared])

    def test_damage__is_said_and_learned_anew(self):
        self.wait_kept()

        def spoil():
            kept = self.rig.read_record("forecasts", SINK)
            kept["forecast"]["frame"] = "00" + kept["forecast"]["frame"][2:]
            self.redis("hset", KEY, SINK, last=json.dumps(kept))
            self.redis("hset", KEY, "arrivals", "{")
            self.redis("hset", KEY, "pool/main/gone", "{}")

        self.restart_untrained(spoil)
        log = self.rig.log_tail("hschedd.log", 100)
        self.assertIn(f"what was learned of '{SINK}' cannot be used, its forecast learns anew", log)
        self.assertIn("what was learned of 'arrivals' cannot be used", log)
        self.assertIn("what was learned of 'pool/main/gone', which is no sink of the estate", log)
        self.assertEqual(self.rig.get("/healthz")["status"], "ok")

    def test_row_of_the_future__is_said_and_not_overwritten(self):
        """The clock was wrong then, or is now: that is not for hschedd to say."""
        self.wait_kept()
        kept = []

        def spoil():
            row = self.rig.read_record("forecasts", SINK)
            row["learned_to_at_s"] += 10 * 86400
            self.redis("hset", KEY, SINK, last=json.dumps(row))
            kept.append(self.redis("hget", KEY, SINK))

        self.restart_untrained(spoil)
        log = self.rig.log_tail("hschedd.log", 100)
        self.assertIn("lies in the future: the clock was wrong then, or is now", log)
        self.assertIn("what forecasts learned is not written for 24 h", log)
        self.assertEqual(self.rig.end(self.rig.daemon), 0)
        self.assertEqual(self.redis("hget", KEY, SINK), kept[0])

    def test_clean_stop__writes_what_is_newest(self):
        self.wait_kept()
        self.redis("del", KEY)
        self.assertEqual(self.rig.end(self.rig.daemon), 0)
        self.assertEqual(set(self.redis("hkeys", KEY).split()), {SINK, "arrivals", "runtimes", "plant", "moves"})


if __name__ == "__main__":
    unittest.main(verbosity=2)
