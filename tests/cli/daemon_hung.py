#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One host that takes connections and never says a word: nobody else may notice."""
import copy
import socket
import tempfile
import time
import unittest

from daemon_support import BUILD, ESTATE, SCENARIO, rig

N_ASKED = 100
LIMIT_S = 0.1  # docs/architecture.md, The reactor: a hung call costs its own queue only


class Hung(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="hsched-")
        self.addCleanup(folder.cleanup)
        self.mute = socket.socket(socket.AF_UNIX)
        self.addCleanup(self.mute.close)
        self.mute.bind(f"{folder.name}/mute.sock")
        self.mute.listen(16)
        estate = copy.deepcopy(ESTATE)
        hosts = estate["sites"][0]["racks"][0]["hosts"]
        hosts.append({**hosts[0], "name": "h2", "uri": f"qemu+unix:///session?socket={folder.name}/mute.sock"})
        self.rig = rig.Rig(BUILD, {**SCENARIO, "estate": estate}, speed=1, plant="csv")
        self.rig.__enter__()
        self.addCleanup(self.rig.__exit__, None, None, None)

    def ask_all(self):
        spans = []
        for i in range(N_ASKED):
            path = ("/v1/jobs", "/v1/hosts", "/healthz", "/v1/plan")[i % 4]
            begin = time.monotonic()
            self.rig.get(path)
            spans.append(time.monotonic() - begin)
            time.sleep(0.01)
        return sorted(spans)

    def test_answers__stay_quick(self):
        spans = self.ask_all()
        self.assertLess(spans[int(0.99 * N_ASKED) - 1], LIMIT_S)

    def test_work__goes_on_elsewhere(self):
        job = self.rig.submit("--now", "--duration", "1h", "--", "true")
        deadline = time.monotonic() + 10
        while self.rig.job(job)["state"] != "running" and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual((self.rig.job(job)["state"], self.rig.job(job)["host"]), ("running", "pool/h1"))
        states = {host["name"]: host["state"] for host in self.rig.get("/v1/hosts")["items"]}
        self.assertEqual(states, {"pool/h1": "up", "pool/h2": "unknown"})

    def test_term__is_not_held_up(self):
        begin = time.monotonic()
        self.assertEqual(self.rig.end(self.rig.daemon), 0)
        self.assertLess(time.monotonic() - begin, 9)


if __name__ == "__main__":
    unittest.main(verbosity=2)
