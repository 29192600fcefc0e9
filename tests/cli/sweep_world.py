# SPDX-License-Identifier: Apache-2.0
"""The world of daemon_sweep: two simulated hosts at two sites, and what makes hschedd act on a job.

Plan time runs at 300 times life, so that the next plan is a second away. `annex` is cheap and closed
for maintenance; at `pool` power is cheap in every other slot of 3 s."""
import copy
import datetime
import json
import pathlib
import subprocess
import time

from daemon_support import BUILD, ESTATE, rig

SPEED = 300
EXIT_STATUS = 7
START = "2026-01-05T10:00:00Z"
FAR = "now+60h"
POLICY = {"api": "hsched.policy/v1", "name": "default", "classes": {
    "service": {"base": "movable", "max_moves_per_day": 1000}, "soft": {"base": "elastic"}}}
OVER = ("done", "failed", "cancelled")


def make_estate():
    estate = copy.deepcopy(ESTATE)
    annex = copy.deepcopy(estate["sites"][0])
    annex["name"] = "annex"
    annex["racks"][0]["hosts"][0]["name"] = "h2"
    estate["sites"].append(annex)
    return estate


def write_prices(path):
    at = datetime.datetime(2026, 1, 5, 9)
    with path.open("w") as file:
        file.write("utc,pool,annex\n")
        for i in range(6000):
            file.write(f"{at + datetime.timedelta(minutes=15 * i):%Y-%m-%dT%H:%M:%SZ},{20 if i % 2 else 900},2\n")


class World:
    """A rig, and what the tests ask of it. @hschedd may be a variant (tests/variants)."""

    def __init__(self, folder, hschedd="hschedd"):
        folder = pathlib.Path(folder)
        (folder / "policies").mkdir()
        (folder / "policies" / "default.json").write_text(json.dumps(POLICY))
        write_prices(folder / "price.csv")
        price = [{"site": site, "csv": str(folder / "price.csv"), "column": site} for site in ("pool", "annex")]
        self.rig = rig.Rig(BUILD, {"estate": make_estate(), "start": START, "heat": [], "price": price},
                           speed=SPEED, plant="csv", policies=folder / "policies")
        self.rig.hschedd = hschedd

    def __enter__(self):
        self.rig.__enter__()
        self.close_annex()
        return self

    def __exit__(self, *exc):
        self.rig.__exit__(*exc)

    # --- asking

    def post(self, path, body=None, key=None):
        """(status, answer); OSError if the daemon dies over it"""
        connection = rig.UnixConnection(self.rig.socket, 10)
        try:
            connection.request("POST", path, body=json.dumps(body) if body is not None else None,
                               headers={"Idempotency-Key": key} if key else {})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def job(self, job_id):
        return self.rig.job(job_id)

    def redis(self, *args):
        return subprocess.run(["redis-cli", "-s", str(self.rig.redis_socket), *args], check=True, text=True,
                              capture_output=True).stdout

    def stored(self, job_id):
        for table in ("jobs", "history"):
            row = self.redis("hget", f"hs:{{main}}:{table}", str(job_id)).strip()
            if row:
                return json.loads(row[row.index("{"):])
        return {}

    def intents(self):
        return self.redis("hvals", "hs:{main}:intents").split()

    def machines(self, job_id):
        """{host: machine} of the job that are not over, as the hosts have them"""
        found = {}
        for path in (self.rig.dir / "state" / "hosts").rglob(f"sim-{job_id}.json"):
            machine = json.loads(path.read_text())
            if not machine["over"]:
                found["/".join(path.parts[-3:-1])] = machine
        return found

    def files(self, job_id):
        """Epochs in which machines of the job were made, over or not."""
        return {json.loads(path.read_text())["epoch"]
                for path in (self.rig.dir / "state" / "hosts").rglob(f"sim-{job_id}.json")}

    # --- doing

    def submit(self, **fields):
        status, job = self.post("/v1/jobs", {"name": "j", "vcpus": 1, "memory_mib": 512, "duration": "20h",
                                             "env": {"HSCHED_SIM_EXIT": str(EXIT_STATUS)}, **fields})
        if status != 201:
            raise RuntimeError(job)
        return job["id"]

    def maintenance(self, site):
        """Ids of what is under way there."""
        return [item["id"] for item in self.rig.get("/v1/maintenance")["items"] if item["name"] == site]

    def close_annex(self):
        if not self.maintenance("annex"):
            self.post("/v1/maintenance", {"kind": "site", "name": "annex", "for": "400h"})

    def end_maintenance(self, site):
        for number in self.maintenance(site):
            self.post(f"/v1/maintenance/{number}/end")

    def until(self, what, is_so, timeout_s=30):
        deadline = time.monotonic() + timeout_s
        while not is_so():
            if time.monotonic() > deadline:
                raise AssertionError(f"{what}:\n{self.rig.log_tail('hschedd.log', 30)}")
            time.sleep(0.02)

    def running(self, **fields):
        """A new job that runs."""
        job_id = self.submit(**fields)
        self.until("it does not run", lambda: self.job(job_id)["state"] == "running")
        return job_id
