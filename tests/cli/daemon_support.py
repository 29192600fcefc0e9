# SPDX-License-Identifier: Apache-2.0
"""What the tests of hschedd share: a small simulated estate and a rig with or without Redis."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
import record  # noqa: E402
import rig  # noqa: E402

BUILD = pathlib.Path(os.environ.get("HSCHED_BUILD", ROOT / "build"))

ESTATE = {
    "api": "hsched.estate/v1", "estate": "small", "cell": "main", "slot_s": 900, "currency": "EUR",
    "sites": [{
        "name": "pool", "timezone": "UTC", "latitude": 50, "longitude": 0,
        "electricity": {"price_cur_per_mwh": 150, "gco2_per_kwh": 250, "limit_w": 60000},
        "loops": [{
            "name": "main", "capture_ratio": 0.8, "supply_c": 45,
            "sinks": [{
                "name": "basin", "kind": "pool", "supply_min_c": 35, "heat_limit_w": 30000,
                "backup": {"kind": "gas-boiler", "efficiency_ratio": 0.9, "price_cur_per_mwh": 80,
                           "gco2_per_kwh": 202}}]}],
        "racks": [{
            "name": "r1", "loop": "main", "cooling": "direct-to-chip", "limit_w": 12000,
            "hosts": [{"name": "h1", "uri": "sim:", "vcpus": 16, "memory_mib": 65536, "idle_w": 150,
                       "max_w": 600}]}]}]}

SCENARIO = {"estate": ESTATE, "start": "2026-01-05T10:00:00Z", "heat": []}


class RedisRig(rig.Rig):
    """A daemon with a Redis of its own."""

    def __init__(self, speed=1, config=None):
        super().__init__(BUILD, SCENARIO, speed=speed, plant="csv", config=config)

    def redis(self, *args):
        return subprocess.check_output(["redis-cli", "-s", str(self.redis_socket), *map(str, args)], text=True)

    def read_record(self, table, key):
        """A record of the store, as JSON; None if there is none."""
        sealed = self.redis("hget", f"hs:{{main}}:{table}", key).rstrip("\n")
        return json.loads(record.open_record(table, str(key), sealed)) if sealed else None

    def write_record(self, table, key, value, schema=record.SCHEMA):
        self.redis("hset", f"hs:{{main}}:{table}", key, record.seal(table, str(key), json.dumps(value), schema))

    def ask(self, method, path, body=None, headers=(), timeout=10):
        """@return (status, headers, JSON or text)"""
        connection = rig.UnixConnection(self.socket, timeout)
        try:
            data = json.dumps(body) if isinstance(body, (dict, list)) else body
            connection.request(method, path, body=data, headers=dict(headers))
            answer = connection.getresponse()
            text = answer.read().decode()
            is_json = answer.getheader("Content-Type", "").startswith("application/json")
            return answer.status, answer.headers, json.loads(text) if is_json else text
        finally:
            connection.close()


class MemRig(RedisRig):
    """A daemon that forgets; no Redis runs."""

    def __init__(self, speed=1):
        super().__init__(speed, {"store": "mem"})

    def start(self):
        self.start_daemon()


class Files:
    """A folder with a good hschedd.json and estate.json, to be spoilt."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="hsched-")
        self.dir = pathlib.Path(self.folder.name)
        self.config = {"api": "hsched.daemon/v1", "estate": "estate.json", "store": "mem",
                       "state": "state", "listen": [{"unix": "hschedd.sock"}]}
        self.estate = json.loads(json.dumps(ESTATE))

    def write(self, name, content):
        path = self.dir / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1))

    def check(self, *args):
        """hschedd --check on what was written: (exit status, stdout, stderr)"""
        if not (self.dir / "estate.json").exists():
            self.write("estate.json", self.estate)
        if not (self.dir / "hschedd.json").exists():
            self.write("hschedd.json", self.config)
        done = subprocess.run([str(rig.program(BUILD, "hschedd")), "--config", str(self.dir / "hschedd.json"),
                               "--check", *args], capture_output=True, text=True, timeout=20, check=False)
        return done.returncode, done.stdout, done.stderr

    def close(self):
        self.folder.cleanup()
