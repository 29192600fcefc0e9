#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""hschedd with a weather service: what it says reaches the forecast, what ails it stops nothing."""
import http.server
import json
import threading
import time
import unittest

from daemon_support import MemRig


class Service(http.server.ThreadingHTTPServer):
    """A weather service on this machine; @mode: good, slow or garbage."""

    daemon_threads = True

    def __init__(self, mode):
        self.mode, self.n_requests, self.is_over = mode, 0, threading.Event()
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/v1/forecast"

    def close(self):
        self.is_over.set()
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.n_requests += 1
        if self.server.mode == "slow":
            self.server.is_over.wait(60)
            return
        hour = int(time.time()) // 3600 * 3600
        answer = {"utc_offset_seconds": 0, "hourly_units": {"time": "unixtime", "temperature_2m": "°C"},
                  "hourly": {"time": [hour + 3600 * i for i in range(72)], "temperature_2m": [-4.5] * 72}}
        body = b"<html>" if self.server.mode == "garbage" else json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "max-age=3600")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args):
        pass


class Weather(unittest.TestCase):
    def begin(self, mode=None, url=None):
        """A daemon in real time with the source; @mode None: nothing listens at @url."""
        self.service = Service(mode) if mode else None
        if self.service:
            self.addCleanup(self.service.close)
        self.rig = MemRig()
        self.rig.config.update(start=None, weather=[{"site": "pool", "kind": "open-meteo",
                                                     "url": url or self.service.url}])
        (self.rig.dir / "hschedd.json").write_text(json.dumps(self.rig.config))
        self.rig.__enter__()
        self.addCleanup(self.rig.__exit__, None, None, None)

    def wait(self, ready, timeout_s=10):
        deadline = time.monotonic() + timeout_s
        while not ready():
            self.assertLess(time.monotonic(), deadline, self.rig.log_tail("hschedd.log"))
            time.sleep(0.05)

    def forecast(self):
        return self.rig.get("/v1/forecast/pool/main")

    def is_issued(self):
        return any(sink["how"]["weather"] == "issued" for sink in self.forecast()["sinks"])

    def log(self):
        return (self.rig.dir / "hschedd.log").read_text()

    def check_cycle_goes_on(self, for_s):
        """Jobs are taken, planned and run, and nobody waits for the weather."""
        job = self.rig.submit("--duration", "1h", "--", "sleep", "60")
        slowest, deadline = 0, time.monotonic() + for_s
        while time.monotonic() < deadline:
            began = time.monotonic()
            self.rig.get("/healthz")
            slowest = max(slowest, time.monotonic() - began)
            time.sleep(0.02)
        self.assertLess(slowest, 0.5)
        self.assertNotEqual(self.rig.job(job)["state"], "new")
        self.assertTrue(self.forecast()["points"])

    def test_a_forecast__reaches_the_sinks_and_survives_a_restart(self):
        self.begin("good")
        self.wait(self.is_issued)
        self.assertEqual(self.forecast()["points"][8]["outdoor_c"], -4.5)
        self.assertEqual(self.service.n_requests, 1)
        self.assertTrue((self.rig.dir / "state/weather/pool.json").exists())
        self.rig.end(self.rig.daemon)
        self.rig.start_daemon()
        self.wait(self.is_issued)
        self.assertEqual(self.service.n_requests, 1)

    def test_fault_slow_source__delays_nothing(self):
        self.begin("slow")
        self.wait(lambda: self.service.n_requests == 1)
        self.check_cycle_goes_on(2)
        began = time.monotonic()
        self.rig.end(self.rig.daemon)
        self.assertLess(time.monotonic() - began, 5)

    def test_fault_dead_source__is_said_once_and_the_cycle_goes_on(self):
        self.begin(url="http://127.0.0.1:1/v1/forecast")
        self.wait(lambda: "the last forecast holds" in self.log())
        self.check_cycle_goes_on(0.5)
        self.assertEqual(self.log().count("the last forecast holds"), 1)

    def test_fault_garbage__is_said_and_the_cycle_goes_on(self):
        self.begin("garbage")
        self.wait(lambda: "the last forecast holds" in self.log())
        self.check_cycle_goes_on(0.5)
        self.assertFalse(self.is_issued())


if __name__ == "__main__":
    unittest.main()
