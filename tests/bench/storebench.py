# SPDX-License-Identifier: Apache-2.0
"""The bench `store`: durable submits through the real API beside redis-benchmark SET on the same Redis, and the
start of hschedd with a history and waiting jobs. One JSON object a line."""
import concurrent.futures
import json
import os
import pathlib
import random
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
import record  # noqa: E402
import rig  # noqa: E402

CELL = "hs:{main}:"
START_AT_S = 1767607200  # 2026-01-05T10:00:00Z
# not before tomorrow: what is measured is the submit, not the start of machines
JOB = {"name": "part", "vcpus": 1, "memory_mib": 512, "duration": "1h", "team": "film",
       "earliest": "2026-01-06T10:00:00Z", "due": "2026-01-07T10:00:00Z",
       "script": "#!/bin/sh\n" + "echo a line of a script of an ordinary length\n" * 8}
SINGLE_S = 3.0
BULK_JOBS = 400  # a request, within the limit of a body


def estate(n_sites=4, n_hosts=50):
    return {
        "api": "hsched.estate/v1", "estate": "bench", "cell": "main", "slot_s": 900, "currency": "EUR",
        "sites": [{
            "name": f"s{s}", "timezone": "UTC", "latitude": 50, "longitude": 0,
            "electricity": {"price_cur_per_mwh": 150, "gco2_per_kwh": 250, "limit_w": 60000000},
            "loops": [{
                "name": "main", "capture_ratio": 0.8, "supply_c": 45,
                "sinks": [{
                    "name": "basin", "kind": "pool", "supply_min_c": 35, "heat_limit_w": 300000,
                    "backup": {"kind": "gas-boiler", "efficiency_ratio": 0.9, "price_cur_per_mwh": 80,
                               "gco2_per_kwh": 202}}]}],
            "racks": [{
                "name": "r1", "loop": "main", "cooling": "direct-to-chip", "limit_w": 60000000,
                "hosts": [{"name": "h", "count": n_hosts, "uri": "sim:", "vcpus": 64, "memory_mib": 1048576,
                           "idle_w": 150, "max_w": 600}]}]} for s in range(n_sites)]}


class StoreRig(rig.Rig):
    def __init__(self, build):
        super().__init__(build, {"estate": estate(), "start": "2026-01-05T10:00:00Z", "heat": []}, speed=1, plant="csv")

    def start(self):
        self.start_redis()

    def redis_cli(self, *args):
        return subprocess.check_output(["redis-cli", "-s", str(self.redis_socket), *args], text=True)


def at(second):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))


def make_job(job_id, rng, is_over):
    """A job as hs_job_format() writes it."""
    vcpus, submitted = rng.choice((1, 1, 2, 4)), START_AT_S - rng.randrange(30 * 86400 if is_over else 7200)
    duration = rng.randrange(600, 7200)
    job = {"id": job_id, "name": f"part-{job_id % 977}", "image": None, "team": rng.choice(("film", "lab", "ops")),
           "class": "deferrable", "base_class": "deferrable", "vcpus": vcpus, "memory_mib": 512 * vcpus,
           "duration_s": duration, "limit_s": None, "earliest": None, "due": at(START_AT_S + 86400 + job_id % 86400),
           "interruptible": job_id % 2 == 0, "movable": False, "min_run_s": 0, "min_share": None, "max_share": None,
           "priority": 0, "now": False, "sites": [], "not_sites": [], "after": [], "env": {"SEED": str(job_id)},
           "script": JOB["script"], "state": "done" if is_over else "waiting", "since": at(submitted),
           "submitted": at(submitted), "started": None, "ended": None, "ran_s": 0.0, "share": 1.0, "throttled": None,
           "host": None, "exit_status": None, "suspends": 0, "moves": 0, "moved": None, "cancel_wanted": False,
           "why": None}
    if is_over:
        job.update(started=at(submitted + 600), ended=at(submitted + 600 + duration), ran_s=float(duration),
                   exit_status=0, host=f"s{job_id % 4}/h-{1 + job_id % 50}")
    return job


def put(out, table, key, value):
    """HSET of one sealed record, as the wire has it."""
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    parts = [b"HSET", (CELL + table).encode(), str(key).encode(), record.seal(table, str(key), text).encode()]
    out.write(b"*4\r\n" + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))


def fill(redis, n_history, n_waiting, seed=1):
    """Put a history and waiting jobs into the Redis on the socket @redis."""
    rng = random.Random(seed)
    models = [json.dumps(make_job(0, rng, True), separators=(",", ":")) for _ in range(64)]
    pipe = subprocess.Popen(["redis-cli", "-s", str(redis), "--pipe"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    out = pipe.stdin
    for i in range(1, n_history + 1):
        put(out, "history", i, models[i % len(models)].replace('"id":0', f'"id":{i}', 1))
        put(out, "ends", i, f'{{"id":{i},"ended_at_s":{START_AT_S - n_history + i}}}')
    for i in range(n_history + 1, n_history + n_waiting + 1):
        put(out, "jobs", i, make_job(i, rng, False))
    put(out, "meta", "next_id", str(n_history + n_waiting + 1))
    put(out, "meta", "ends_first", "1")
    put(out, "meta", "ends_next", str(n_history + 1))
    out.close()
    if pipe.wait() != 0:
        raise RuntimeError("redis-cli --pipe failed")


def memory_mib(pid, key):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1]) / 1024
    return None


def cpu_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def bench_start(build, n_history, n_waiting):
    """How long until hschedd is ready, and what memory it takes; with what readyz said meanwhile."""
    with StoreRig(build) as store:
        store.redis_cli("config", "set", "appendonly", "no")
        fill(store.redis_socket, n_history, n_waiting)
        store.redis_cli("config", "set", "appendonly", "yes")
        while "aof_rewrite_in_progress:1" in store.redis_cli("info", "persistence"):
            time.sleep(0.2)
        began, told, answered_s = time.monotonic(), [], None
        store.daemon = store.spawn(rig.program(build, "hschedd"), "--config", store.dir / "hschedd.json", log="hschedd.log")
        while time.monotonic() < began + 300:
            try:
                connection = rig.UnixConnection(store.socket, 120)
                connection.request("GET", "/readyz")
                answer = connection.getresponse()
                body = json.loads(answer.read())
                connection.close()
                answered_s = answered_s or time.monotonic() - began
                if answer.status == 200:
                    break
                told.append(body["jobs_read"])
            except (OSError, rig.http.client.HTTPException):
                pass
            time.sleep(0.02)
        ready_s = time.monotonic() - began
        newest = store.get("/v1/jobs?limit=1", 60)["items"]
        pid = store.daemon.pid
        line = {"bench": "store", "op": "start", "history": n_history, "waiting": n_waiting, "ready_s": round(ready_s, 2),
                "cpu_s": round(cpu_s(pid), 2), "rss_mib": round(memory_mib(pid, "VmRSS"), 1),
                "peak_mib": round(memory_mib(pid, "VmHWM"), 1), "progress_told": len(set(told)),
                "first_answer_s": round(answered_s, 2) if answered_s else None}
        began = time.monotonic()
        over = store.get(f"/v1/jobs/{max(1, n_history // 2)}", 60) if n_history else None
        line["history_get_ms"] = round(1000 * (time.monotonic() - began), 2)
        assert newest and (over is None or over["state"] == "done")
        print(json.dumps(line), flush=True)
        bench_backup(build, store, line)


def bench_backup(build, store, sizes):
    """A backup beside the daemon that leads, and its restore into an empty Redis."""
    file = store.dir / "state.backup"
    command = [str(rig.program(build, "hschedd")), "--config", str(store.dir / "hschedd.json")]
    began = time.monotonic()
    subprocess.run([*command, "--backup", str(file)], check=True, capture_output=True)
    backup_s = time.monotonic() - began
    store.end(store.daemon)
    store.redis_cli("flushall")
    began = time.monotonic()
    subprocess.run([*command, "--restore", str(file)], check=True, capture_output=True)
    print(json.dumps({"bench": "store", "op": "backup", "history": sizes["history"], "waiting": sizes["waiting"],
                      "backup_s": round(backup_s, 2), "file_mib": round(file.stat().st_size / (1 << 20), 1),
                      "restore_s": round(time.monotonic() - began, 2)}), flush=True)


def redis_set_per_s(store, clients):
    """redis-benchmark SET of values as long as a job's record, on the same Redis with appendfsync always."""
    text = subprocess.check_output(["redis-benchmark", "-s", str(store.redis_socket), "-t", "set", "-c", str(clients),
                                    "-n", str(4000 if clients == 1 else 40000), "-r", "100000", "-d", "800", "--csv"], text=True)
    return float(text.splitlines()[1].split(",")[1].strip('"'))


class Poster:
    """One connection that posts jobs and keeps how long each answer took."""

    def __init__(self, socket, body):
        self.connection, self.body, self.took_s, self.n = rig.UnixConnection(socket, 60), body, [], 0

    def post(self):
        began = time.monotonic()
        self.connection.request("POST", "/v1/jobs", body=self.body)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status != 201:
            raise RuntimeError(f"{answer.status}: {text[:300]!r}")
        self.took_s.append(time.monotonic() - began)
        self.n += 1

    def run(self, until):
        while time.monotonic() < until:
            self.post()


def percentile_ms(values, share):
    ordered = sorted(values)
    return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2)


def measure(store, op, n_posters, jobs, set_per_s):
    body = json.dumps(JOB if jobs == 1 else [JOB] * jobs)
    posters = [Poster(store.socket, body) for _ in range(n_posters)]
    pid, began, cpu_began = store.daemon.pid, time.monotonic(), cpu_s(store.daemon.pid)
    with concurrent.futures.ThreadPoolExecutor(n_posters) as pool:
        for done in [pool.submit(poster.run, began + SINGLE_S) for poster in posters]:
            done.result()
    took_s = time.monotonic() - began
    took = [s for poster in posters for s in poster.took_s]
    per_s = sum(poster.n for poster in posters) * jobs / took_s
    print(json.dumps({"bench": "store", "op": op, "connections": n_posters, "jobs_a_request": jobs,
                      "submits_per_s": round(per_s, 1), "p50_ms": percentile_ms(took, 0.5), "p99_ms": percentile_ms(took, 0.99),
                      "redis_set_per_s": round(set_per_s, 1), "redis_ratio": round(per_s / set_per_s, 3),
                      "hschedd_cpu_us_a_job": round(1e6 * (cpu_s(pid) - cpu_began) / (per_s * took_s), 1)}), flush=True)
    return per_s / set_per_s


def bench_submits(build):
    """Durable submits through the API; every line has a daemon with an empty store of its own."""
    for op, n_posters, jobs, clients in (("submit", 1, 1, 1), ("submit", 32, 1, 50), ("submit-bulk", 2, BULK_JOBS, 50)):
        with StoreRig(build) as store:
            store.start_daemon()
            before = redis_set_per_s(store, clients)
            measure(store, op, n_posters, jobs, before)


def bench(build, n_history, n_waiting):
    bench_submits(build)
    bench_start(build, n_history, n_waiting)
    return 0
