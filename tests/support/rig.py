# SPDX-License-Identifier: Apache-2.0
"""rig - a private Redis and hschedd in a folder of their own, for the demo and the tests.

    with Rig(build, scenario, speed=1440) as rig:
        rig.hsched("submit", "--duration", "1h", "--", "sleep", "3600")
        rig.get("/v1/jobs")

Everything it starts ends with it, also when the caller is killed. Listens on unix sockets only."""
import ctypes
import datetime
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

UTC = datetime.timezone.utc
PR_SET_PDEATHSIG = 1


def die_with_parent():
    """In a new child: ask the kernel to end it when the driver dies, however that happens."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def parse_time(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def program(build, name):
    """Path of a program in a build folder."""
    folders = {"hsched": "ctl", "hschedd": "scheduler/daemon", "hsim": "scheduler/sim"}
    path = pathlib.Path(build).resolve() / folders.get(name, "tests/variants") / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is not built: run ./dev build")
    return path


def read_scenario(path):
    """A scenario file with its paths made absolute."""
    scenario = json.loads(pathlib.Path(path).read_text())
    for kind in ("heat", "weather", "price", "carbon", "jobs"):
        for entry in scenario.get(kind, []):
            for key in ("csv", "swf", "issued"):
                if key in entry:
                    entry[key] = str((pathlib.Path(path).parent / entry[key]).resolve())
    return scenario


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


class PrivateRedis:
    """A Redis on a unix socket in a temporary folder; also keeps and ends further processes."""

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="hsched-"))
        self.socket = self.redis_socket = self.dir / "redis.sock"
        self.env = {**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        self.processes = []

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *_exc):
        for process in reversed(self.processes):
            self.end(process)
        shutil.rmtree(self.dir, ignore_errors=True)

    def start(self):
        self.start_redis()

    def end(self, process):
        """Ask the process to end, insist after 10 s. @return its exit code"""
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        return process.returncode

    def spawn(self, *command, log):
        with (self.dir / log).open("ab") as out:
            process = subprocess.Popen(list(map(str, command)), stdout=out, stderr=out, env=self.env,
                                       cwd=self.dir, stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)
        self.processes.append(process)
        return process

    def wait_for(self, what, ready, process, log, timeout_s=20):
        deadline = time.monotonic() + timeout_s
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{what} did not come up:\n{self.log_tail(log)}")
            time.sleep(0.02)

    def log_tail(self, log, lines=20):
        path = self.dir / log
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""

    def start_redis(self):
        process = self.spawn("redis-server", "--port", "0", "--unixsocket", self.redis_socket,
                             "--appendonly", "yes", "--appendfsync", "always", "--save", "",
                             "--dir", self.dir, log="redis.log")
        self.wait_for("redis-server", self.redis_socket.exists, process, "redis.log")


class Rig(PrivateRedis):
    """@scenario is a dict as hsim reads it; its paths must be absolute."""

    def __init__(self, build, scenario, *, speed, estate=None, policies=None, plant="sim", config=None):
        super().__init__()
        self.build = pathlib.Path(build).resolve()
        self.scenario = scenario
        self.socket = self.dir / "hschedd.sock"
        self.daemon = None
        self.hschedd = "hschedd"  # or a variant of it: tests/variants
        # the user of a private libvirtd reads seeds and writes consoles in here
        self.dir.chmod(0o755)
        (self.dir / "state").mkdir()
        (self.dir / "state").chmod(0o777)
        (self.dir / "estate.json").write_text(json.dumps(estate or scenario["estate"]))
        self.config = {
            "api": "hsched.daemon/v1", "cell": "main", "estate": "estate.json",
            "state": str(self.dir / "state"), "redis": {"url": f"unix:{self.redis_socket}"},
            "listen": [{"unix": str(self.socket)}], "speed": speed, "start": scenario["start"],
            "plant": {"kind": plant, "heat": scenario["heat"]},
            "signals": {k: scenario[k] for k in ("price", "carbon") if scenario.get(k)},
            **(config or {}),
        }
        if policies:
            self.config["policies"] = str(policies)
        (self.dir / "hschedd.json").write_text(json.dumps(self.config, indent=1))
        self.env["HSCHED_SOCKET"] = str(self.socket)

    def start(self):
        self.start_redis()
        self.start_daemon()

    def start_daemon(self):
        self.daemon = self.spawn(program(self.build, self.hschedd), "--config", self.dir / "hschedd.json",
                                 log="hschedd.log")
        self.wait_for("hschedd", self.answers, self.daemon, "hschedd.log")

    def answers(self):
        try:
            return self.get("/healthz").get("status") == "ok"
        except (OSError, http.client.HTTPException, RuntimeError):
            return False

    def get(self, path, timeout=10):
        """The JSON answer of the daemon; RuntimeError on a status other than 200."""
        connection = UnixConnection(self.socket, timeout)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{path}: {answer.status} {body[:300]!r}")
            return json.loads(body)
        finally:
            connection.close()

    def hsched(self, *args, check=True, timeout=20):
        """Run the CLI against this daemon."""
        done = subprocess.run([str(program(self.build, "hsched")), *map(str, args)], env=self.env,
                              capture_output=True, text=True, timeout=timeout, check=False)
        if check and done.returncode != 0:
            raise RuntimeError(f"hsched {' '.join(map(str, args))}: exit {done.returncode}: {done.stderr}")
        return done

    def submit(self, *args):
        """Submit a job. @return its id, also when it is accepted but will be late"""
        done = self.hsched("submit", *args, check=False)
        if done.returncode not in (0, 8):
            raise RuntimeError(f"hsched submit {' '.join(map(str, args))}: exit {done.returncode}: {done.stderr}")
        return int(done.stdout)

    def job(self, job_id):
        """One job, as the API shows it."""
        return self.get(f"/v1/jobs/{job_id}")

    def jobs(self, query=""):
        """All jobs of @query ("state=done"), page after page, by id."""
        items, before = [], None
        while True:
            asked = "&".join(filter(None, [query, f"before={before}" if before else ""]))
            page = self.get(f"/v1/jobs?{asked}" if asked else "/v1/jobs", 30)
            items += page["items"]
            before = page["next"]
            if before is None:
                return sorted(items, key=lambda job: job["id"])

    def now(self):
        """Plan time."""
        return parse_time(self.get("/healthz")["at"])

    def wait_until(self, at, step=None, period_s=0.5):
        """Sleep until plan time @at, calling @step now and then."""
        while True:
            now = self.now()
            if now >= at:
                return
            if step:
                step(now)
            time.sleep(min(period_s, max(0.01, (at - now).total_seconds() / self.config["speed"])))
