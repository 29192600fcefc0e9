# SPDX-License-Identifier: Apache-2.0
"""What the tests of hsched share: running it, and a socket that answers what a test says.

The replay server stands in for the daemon only where a daemon cannot be brought to answer so on
demand: refusals, nonsense, silence. What the daemon really says is tested against the daemon.
"""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import unittest

HSCHED = os.environ.get("HSCHED", "build/ctl/hsched")


def run(*args, socket_path=None, env=None, stdin="", cwd=None):
    """hsched ARGS: its exit status, stdout and stderr."""
    full = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    for key, value in os.environ.items():
        if "SAN_OPTIONS" in key:
            full[key] = value
    if socket_path is not None:
        full["HSCHED_SOCKET"] = str(socket_path)
    full.update(env or {})
    done = subprocess.run([HSCHED, *map(str, args)], env=full, input=stdin, text=True,
                          capture_output=True, timeout=60, cwd=cwd, check=False)
    return done


def answer(status, body, headers=()):
    """One HTTP answer; a dict becomes JSON."""
    text = json.dumps(body) if isinstance(body, (dict, list)) else body
    data = text.encode()
    head = [f"HTTP/1.1 {status} Replayed", f"Content-Length: {len(data)}", *headers]
    return ("\r\n".join(head) + "\r\n\r\n").encode() + data


def refusal(status, word, text, headers=()):
    """An error of docs/api.md."""
    return answer(status, {"api": "hsched/v1", "kind": "Error", "error": word, "where": "/v1",
                           "text": text}, headers)


class Replay(threading.Thread):
    """Answers the nth connection with the nth of @answers; None hangs up without a word."""

    def __init__(self, path, answers):
        super().__init__(daemon=True)
        self.answers = list(answers)
        self.requests = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(8)
        self.start()

    def run(self):
        while self.answers:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            with peer:
                self.requests.append(self.read_request(peer))
                reply = self.answers.pop(0)
                if reply is not None:
                    peer.sendall(reply)

    @staticmethod
    def read_request(peer):
        data = b""
        while b"\r\n\r\n" not in data:
            data += peer.recv(65536)
        head, body = data.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        fields = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:])}
        while len(body) < int(fields.get("content-length", 0)):
            body += peer.recv(65536)
        method, target, _ = lines[0].split(" ")
        return {"method": method, "target": target, "headers": fields,
                "json": json.loads(body) if body else None}

    def close(self):
        self.listener.close()


class Case(unittest.TestCase):
    """A test with a folder of its own and, where asked, a replay server in it."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hsched-cli-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.socket_path = self.folder / "s"
        self.server = None

    def replay(self, *answers):
        self.server = Replay(self.socket_path, answers)
        self.addCleanup(self.server.close)
        return self.server

    def hsched(self, *args, **kwargs):
        return run(*args, socket_path=self.socket_path, **kwargs)

    def check(self, done, status):
        self.assertEqual(done.returncode, status, f"stdout: {done.stdout}\nstderr: {done.stderr}")
        return done


JOB = {
    "api": "hsched/v1", "kind": "Job", "at": "2026-01-05T10:00:00Z", "currency": "EUR", "id": 7,
    "name": "render", "image": "debian-12", "team": "film", "class": "deferrable",
    "base_class": "deferrable", "vcpus": 4, "memory_mib": 8192, "duration_s": 5400,
    "limit_s": None, "earliest": None, "due": "2026-01-06T06:00:00Z", "interruptible": True,
    "min_run_s": 900, "priority": 0, "now": False, "sites": ["pool"], "not_sites": [],
    "env": {"SEED": "1"}, "state": "waiting", "submitted": "2026-01-05T10:00:00Z",
    "started": None, "ended": None, "ran_s": 0, "host": "", "exit_status": None, "suspends": 0,
    "moves": 0, "why": "", "planned_start": "2026-01-05T18:15:00Z",
    "planned_end": "2026-01-05T19:45:00Z", "planned_host": "pool/h1", "cannot_meet": None,
    "reasons": [{"code": "heat-later", "text": "heat is worth more at 18:15",
                 "object": "pool/main", "change": "submit with --now to start at once"}],
}

SUBMITTED = dict(JOB, explanation=None)

EXPLANATION = {
    "job": 7, "state": "waiting", "text": "waits for dearer heat at pool/main",
    "reasons": JOB["reasons"], "heat_price_now_cur_per_mwh": 12.04,
    "heat_price_planned_cur_per_mwh": 71.9, "electricity_now_cur_per_mwh": 150,
    "electricity_planned_cur_per_mwh": 120, "loop": "pool/main",
    "planned_start": "2026-01-05T18:15:00Z", "planned_end": "2026-01-05T19:45:00Z",
    "planned_host": "pool/h1", "latest_start": "2026-01-06T04:30:00Z", "cost_now_cur": 0.42,
    "cost_planned_cur": 0.31, "currency": "EUR", "saving_cur": 0.11,
}


def listing(kind, *items):
    return {"api": "hsched/v1", "kind": kind, "at": "2026-01-05T10:00:00Z", "currency": "EUR",
            "items": list(items)}
