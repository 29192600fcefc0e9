# SPDX-License-Identifier: Apache-2.0
"""A daemon whose Redis is made to fail: what both are told, and what the daemon then says of it."""
import subprocess
import time

from daemon_support import BUILD, RedisRig, rig

JOB = {"name": "frames", "vcpus": 1, "memory_mib": 512, "duration": "1h", "script": "#!/bin/sh\ntrue\n"}


class FaultyRig(RedisRig):
    """@redis_args are added to redis-server's; config of hschedd as in RedisRig."""

    def __init__(self, redis_args=(), config=None, speed=1):
        super().__init__(speed, config)
        self.redis_args = list(redis_args)
        self.server = None

    def start_redis(self, wait=True):
        self.redis_socket.unlink(missing_ok=True)
        self.server = self.spawn("env", "--ignore-signal=XFSZ", "redis-server", "--port", "0", "--unixsocket", self.redis_socket,
                                 "--appendonly", "yes", "--appendfsync", "always", "--save", "",
                                 "--dir", self.dir, *self.redis_args, log="redis.log")
        if wait:
            self.wait_for("redis-server", self.redis_socket.exists, self.server, "redis.log")

    def kill_redis(self):
        self.server.kill()
        self.server.wait()

    def spawn_daemon(self):
        """Start it without waiting until it can work. Answers 503 at least when this returns."""
        self.daemon = self.spawn(rig.program(BUILD, "hschedd"), "--config", self.dir / "hschedd.json",
                                 log="hschedd.log")
        self.wait_for("hschedd", self.listens, self.daemon, "hschedd.log")

    def listens(self):
        try:
            return self.ask("GET", "/healthz")[0] > 0
        except (OSError, rig.http.client.HTTPException):
            return False

    def redis(self, *args, check=True):
        """redis-cli on the unix socket."""
        done = subprocess.run(["redis-cli", "-s", str(self.redis_socket), *map(str, args)], env=self.env,
                              capture_output=True, text=True, timeout=20, check=False)
        if check and (done.returncode != 0 or done.stdout.startswith(("ERR", "NOAUTH", "(error)"))):
            raise RuntimeError(f"redis-cli {args}: {done.stdout}{done.stderr}")
        return done.stdout.strip()

    def drop_clients(self):
        """End every connection but redis-cli's own: the next one meets what was changed."""
        self.redis("client", "kill", "type", "normal", "skipme", "yes")

    def health(self):
        """(status, what is shown)"""
        status, _, shown = self.ask("GET", "/healthz")
        return status, shown

    def log(self):
        return self.log_tail("hschedd.log", 10000)

    def until(self, what, is_so, timeout_s=15.0, period_s=0.02):
        """@return seconds it took; AssertionError with the log if it does not come"""
        begin = time.monotonic()
        while not is_so():
            if time.monotonic() - begin > timeout_s:
                shown = self.health() if self.listens() else "no answer"
                raise AssertionError(f"{what}: {shown}\n{self.log_tail('hschedd.log', 30)}")
            time.sleep(period_s)
        return time.monotonic() - begin
