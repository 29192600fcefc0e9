#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every way in which a real Redis fails hschedd, and what its user is told: docs/operate.md, When Redis fails.

One daemon lives through one fault after the other: /healthz and the log name it, once, a submit gets 503 with the
reason and a Retry-After, what runs goes on running, and when the fault is over all is well within BACK_S. A sample
runs always, all of them with HSCHED_TEST_LONG."""
import contextlib
import http.client
import json
import os
import re
import resource
import signal
import socket
import subprocess
import unittest

from daemon_support import ROOT
from faulty_redis import JOB, FaultyRig

BACK_S = 10.0  # promise 9
N_ALL = 15  # with --long
IS_LONG = "HSCHED_TEST_LONG" in os.environ
ACL = (ROOT / "docs" / "examples" / "redis.acl").read_text().splitlines()
# the rights that operators are told to give, with a password that we know
USER = [">first" if word.startswith("#") else word
        for line in ACL if line.startswith("user hschedd ") for word in line.split()[2:]]


class Faults(unittest.TestCase):
    longest_s = 0.0
    n = 0

    @classmethod
    def tearDownClass(cls):
        print(f"promise 9: {cls.n} faults of redis ({N_ALL} with --long), each named, back after {cls.longest_s:.1f} s at most (promise: {BACK_S:.0f})")

    def setUp(self):
        self.rig = FaultyRig()
        (self.rig.dir / "password").touch(mode=0o600)
        self.password("first")
        self.rig.config["redis"].update(user="hschedd", password_file="password")
        (self.rig.dir / "hschedd.json").write_text(json.dumps(self.rig.config))
        self.addCleanup(self.rig.__exit__, None, None, None)
        self.begin_redis()
        self.rig.start_daemon()
        self.job = self.submit(now=True)
        self.rig.until("it does not run", lambda: self.rig.job(self.job)["state"] == "running")

    def begin_redis(self):
        self.rig.redis_args = ["--user", "hschedd", *USER]
        self.rig.start_redis()

    def password(self, text):
        (self.rig.dir / "password").write_text(text + "\n")

    def submit(self, **fields):
        status, _, job = self.rig.ask("POST", "/v1/jobs", {**JOB, **fields})
        self.assertEqual(status, 201, job)
        return job["id"]

    def lines(self, word):
        return [line for line in self.rig.log().splitlines() if word in line]

    @contextlib.contextmanager
    def fault(self, name, words, nudge=True):
        """Within: it was injected. @words is what is said of it; @nudge: only a write notices it."""
        with self.subTest(fault=name):
            said = len(self.lines("store: is down"))
            yield
            self.named(name, words, nudge)
            self.rig.until("the log does not say it",
                           lambda: re.search("store: is down.*" + words, "\n".join(self.lines("store: is down")[said:])))
            # once for each reason ("closed", then "refused"), not for each try
            self.assertIn(len(self.lines("store: is down")) - said, (1, 2, 3), self.rig.log_tail("hschedd.log"))
            Faults.n += 1

    def named(self, name, words, nudge):
        def is_named():
            if nudge:
                with contextlib.suppress(OSError):
                    self.rig.ask("POST", "/v1/jobs", JOB, timeout=5)
            status, shown = self.rig.health()
            return status == 503 and re.search(words, shown["store_fault"] or "")
        self.rig.until(f"{name}: healthz does not say '{words}'", is_named, 12)
        status, headers, answer = self.rig.ask("POST", "/v1/jobs", JOB)
        self.assertEqual((status, answer["error"], headers["Retry-After"] is not None), (503, "unavailable", True))
        self.assertRegex(answer["text"], words)
        self.assertEqual(self.rig.job(self.job)["state"], "running")
        done = self.rig.hsched("submit", "--duration", "1h", "--", "true", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr.replace("\n", " "), "try again later")

    def back(self):
        took_s = self.rig.until("it is not back", self.rig.answers, BACK_S)
        Faults.longest_s = max(Faults.longest_s, took_s)
        self.submit()
        self.assertEqual(self.rig.job(self.job)["state"], "running")

    def test_refused_writes__are_named_and_end(self):
        redis = self.rig.redis
        with self.fault("full", r"it is full \(maxmemory\)"):
            redis("config", "set", "maxmemory", "1")
        redis("config", "set", "maxmemory", "0")
        self.back()
        redis("rename", "hs:{main}:jobs", "kept")
        with self.fault("key of another type", r"hs:\{main\}:jobs is a string, not a hash"):
            redis("set", "hs:{main}:jobs", "x")
        redis("rename", "kept", "hs:{main}:jobs")
        self.back()
        if not IS_LONG:
            return  # the other two are in the store's contract test as well
        with self.fault("demoted to a replica", "it is a replica"):
            redis("replicaof", "127.0.0.1", "1")
        redis("replicaof", "no", "one")
        self.back()
        with self.fault("no right to write", "our user lacks a right"):
            redis("acl", "setuser", "hschedd", "-fcall")
        redis("acl", "setuser", "hschedd", "+@all")
        self.back()

    def test_lost_connections__are_named_and_end(self):
        redis = self.rig.redis
        with self.fault("password changed", "redis refuses our user or password: WRONGPASS", nudge=False):
            redis("acl", "setuser", "hschedd", "resetpass", ">second")
            self.rig.drop_clients()
        self.password("second")  # no restart
        self.back()
        admin = self.admin()
        with self.fault("too many clients", "max number of clients", nudge=False):
            admin("CONFIG SET maxclients 1", "CLIENT KILL TYPE normal SKIPME yes")
        admin("CONFIG SET maxclients 1000")
        self.back()
        with self.fault("gone", "Connection refused|No such file", nudge=False):
            self.rig.kill_redis()
        self.begin_redis()
        self.password("first")
        self.back()
        with self.fault("stopped", "no answer within|it accepts and does not answer"):
            self.rig.server.send_signal(signal.SIGSTOP)
        self.rig.server.send_signal(signal.SIGCONT)
        self.back()

    def admin(self):
        """A connection that is there before the last one is refused: calls with commands."""
        client = socket.socket(socket.AF_UNIX)
        client.connect(str(self.rig.redis_socket))
        self.addCleanup(client.close)

        def tell(*commands):
            client.sendall("".join(f"{command}\r\n" for command in commands).encode())
            client.recv(4096)
        return tell

    @property
    def journal(self):
        """Redis' append-only file."""
        return next((self.rig.dir / "appendonlydir").glob("*.incr.aof"))

    def test_disk_full__ends_redis_or_its_writes_and_is_named(self):
        """With appendfsync always Redis ends itself rather than acknowledge what it cannot keep."""
        with self.fault("disk full", "Connection refused|No such file"):
            resource.prlimit(self.rig.server.pid, resource.RLIMIT_FSIZE, (self.journal.stat().st_size,) * 2)
        self.begin_redis()
        self.back()
        if not IS_LONG:
            return
        self.assertEqual(self.rig.redis("config", "set", "appendfsync", "everysec"), "OK")
        with self.fault("disk full, everysec", "it cannot write its own files"):
            resource.prlimit(self.rig.server.pid, resource.RLIMIT_FSIZE,
                             (self.journal.stat().st_size, resource.RLIM_INFINITY))
        resource.prlimit(self.rig.server.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        self.back()

    def test_journal_cut_or_damaged__is_named_and_mended(self):
        self.submit()
        with self.fault("journal torn, and Redis told to refuse it", "Connection refused|No such file", nudge=False):
            self.rig.kill_redis()
            with self.journal.open("ab") as journal:
                journal.write(b"*3\r\n$4\r\nHSET\r\n$3\r\nha")
            self.rig.redis_args = ["--user", "hschedd", *USER, "--aof-load-truncated", "no"]
            self.rig.start_redis(wait=False)
            self.assertEqual(self.rig.server.wait(10), 1)
        subprocess.run(["redis-check-aof", "--fix", str(self.journal)], input="y\n", text=True, capture_output=True,
                       check=True)
        self.begin_redis()
        self.back()  # nothing that was answered is lost
        if not IS_LONG:
            return
        with self.fault("journal torn", "Connection refused|No such file", nudge=False):
            self.rig.kill_redis()
            with self.journal.open("ab") as journal:
                journal.write(b"*3\r\n$4\r\nHSET\r\n$3\r\nha")
        self.begin_redis()
        self.back()
        with self.fault("journal damaged", "Connection refused|No such file", nudge=False):
            self.rig.kill_redis()
            good = self.journal.read_bytes()
            self.journal.write_bytes(good[:len(good) // 2] + b"\x00\xff garbage" + good[len(good) // 2:])
            self.rig.start_redis(wait=False)
            self.assertEqual(self.rig.server.wait(10), 1)
        self.journal.write_bytes(good)
        self.begin_redis()
        self.back()

    def is_refused(self):
        try:
            return self.rig.health()[1]["status"] == "refused"
        except (OSError, http.client.HTTPException):
            return False  # it begins anew, and opens its socket again

    def test_acknowledged_writes_lost__it_stops_leading_and_says_why(self):
        self.submit()
        kept = self.journal.stat().st_size
        lost = self.submit()
        self.rig.kill_redis()
        os.truncate(self.journal, kept)
        self.begin_redis()
        self.rig.until("it leads on", self.is_refused, 20)
        self.assertIn("rolled back", self.rig.health()[1]["why"])
        self.assertRegex(self.rig.log(), "the store was rolled back")
        self.assertEqual(self.rig.redis("hexists", "hs:{main}:jobs", lost), "0")
        status, headers, answer = self.rig.ask("POST", "/v1/jobs", JOB)
        self.assertEqual((status, answer["error"], headers["Retry-After"] is not None), (503, "unavailable", True))
        Faults.n += 1

    @unittest.skipUnless(IS_LONG, "HSCHED_TEST_LONG is not set")
    def test_still_loading__is_named_and_ends(self):
        for _ in range(20):
            self.submit()
        with self.fault("loading", "LOADING|it accepts and does not answer", nudge=False):
            self.rig.kill_redis()
            self.rig.redis_args = ["--user", "hschedd", *USER, "--key-load-delay", "20000"]
            self.rig.start_redis()
        self.back()

    def test_policy_that_evicts__is_told_at_start(self):
        self.rig.redis("config", "set", "maxmemory-policy", "allkeys-lru")
        self.rig.drop_clients()
        self.rig.until("it is not told", lambda: "maxmemory-policy 'allkeys-lru'"
                       in (self.rig.health()[1]["store_weakness"] or ""))
        self.rig.until("it is not logged", lambda: "weaker than promised: redis has maxmemory-policy 'allkeys-lru'"
                       in self.rig.log())


if __name__ == "__main__":
    unittest.main(verbosity=2)
