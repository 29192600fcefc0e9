# SPDX-License-Identifier: Apache-2.0
"""The bench `ingest`: readings through a Redis without persistence, validated and absorbed on one core, beside XREAD alone."""
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
import rig  # noqa: E402
import storebench  # noqa: E402

ROUNDS = 5


class ReadingsRedis(rig.PrivateRedis):
    def start(self):
        process = self.spawn("redis-server", "--port", "0", "--unixsocket", self.redis_socket, "--appendonly", "no",
                             "--save", "", "--dir", self.dir, log="redis.log")
        self.wait_for("redis-server", self.redis_socket.exists, process, "redis.log")


def measure(redis, program, mode, n):
    """@return readings a CPU second, readings a second"""
    args = [f"unix:{redis.redis_socket}", str(redis.dir / "estate.json"), str(n)]
    subprocess.run(["redis-cli", "-s", str(redis.redis_socket), "FLUSHALL"], check=True, stdout=subprocess.DEVNULL)
    core = max(os.sched_getaffinity(0))
    with subprocess.Popen([program, mode, *args], stdout=subprocess.PIPE, text=True,
                          preexec_fn=lambda: os.sched_setaffinity(0, {core})) as reader:
        try:
            assert reader.stdout.readline() == "ready\n"
            time.sleep(0.1)
            reader.send_signal(signal.SIGSTOP)  # all of it is there when it begins
            subprocess.run([program, "feed", *args], check=True)
            reader.send_signal(signal.SIGCONT)
            n_good, n_refused, cpu_s, wall_s = map(float, reader.stdout.readline().split())
        finally:
            reader.kill()
    assert n_good >= n and n_refused == 0, (n_good, n_refused)
    return n / cpu_s, n / wall_s


def run(args):
    program = str(pathlib.Path(args.build).resolve() / "tests" / "bench" / "bench_ingest")
    with ReadingsRedis() as redis:
        (redis.dir / "estate.json").write_text(json.dumps(storebench.estate()))
        pairs = [(measure(redis, program, "read", args.readings), measure(redis, program, "bare", args.readings))
                 for _ in range(ROUNDS)]
    ours = statistics.median(ours[0] for ours, _ in pairs)
    bare = statistics.median(bare[0] for _, bare in pairs)
    print(json.dumps({"bench": "ingest", "readings_per_s": round(ours), "bare_ratio": round(ours / bare, 3),
                      "bare_per_s": round(bare), "wall_readings_per_s": round(statistics.median(o[1] for o, _ in pairs)),
                      "readings": args.readings, "rounds": ROUNDS, "per": "CPU second of the reader"}), flush=True)
    return 0
