# SPDX-License-Identifier: Apache-2.0
"""systemcalls - what a running process asks of the kernel, and a kill -9 as it asks.

    with Tracer(pid, "-e", "inject=rename:signal=KILL:when=2"):
        ...
The signal comes as the call is entered: what it was to do is not done."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

CALL = re.compile(r"^(\d+) +(\w+)\((.*)")


def missing():
    """Why no process can be traced here, or ""."""
    if not shutil.which("strace"):
        return "no strace on this machine"
    tried = subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], capture_output=True, text=True, check=False)
    return "" if tried.returncode == 0 else f"strace may not trace here: {tried.stderr.strip()[-200:]}"


class Tracer:
    """strace on every thread of @pid while in its block; .calls afterwards."""

    def __init__(self, pid, *options):
        self.pid = pid
        self.options = options
        self.calls = []  # (name, which of that name in its thread, text), in order

    def __enter__(self):
        self.file = tempfile.NamedTemporaryFile("r", prefix="hsched-", suffix=".strace")
        self.strace = subprocess.Popen(["strace", "-f", "-qq", "-s", "4000", "-p", str(self.pid), "-o", self.file.name,
                                        "-e", "signal=none", *self.options],
                                       stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 10
        while not self.holds():
            if is_dead(self.pid):
                break  # the signal came while it idled
            if self.strace.poll() is not None or time.monotonic() > deadline:
                self.strace.kill()
                said = self.strace.stderr.read()
                self.__exit__()
                raise RuntimeError(f"strace did not attach: {said}")
            time.sleep(0.005)
        return self

    def holds(self):
        """All of its threads are traced."""
        try:
            tasks = list(pathlib.Path(f"/proc/{self.pid}/task").iterdir())
            return all(f"TracerPid:\t{self.strace.pid}\n" in (task / "status").read_text() for task in tasks)
        except OSError:
            return False

    def describe(self):
        """What strace waits for, and the threads that it holds."""
        found = []
        for pid in (self.strace.pid, self.pid):
            for task in sorted(pathlib.Path(f"/proc/{pid}/task").glob("*")):
                try:
                    state = (task / "stat").read_text().rpartition(")")[2].split()[0]
                    tracer = re.search(r"TracerPid:\t(\d+)", (task / "status").read_text())[1]
                    found.append(f"{task.name} {state} in {(task / 'wchan').read_text()}, traced by {tracer}")
                except OSError:
                    found.append(f"{task.name} gone")
        return "; ".join(found)

    def __exit__(self, *_exc):
        # Asked to let go of threads that are dying, strace 6.1 waits for one that it holds stopped itself, for ever.
        # With the process it ends by itself.
        if self.strace.poll() is None and not is_dead(self.pid):
            self.strace.send_signal(signal.SIGTERM)
        try:
            self.strace.wait(5)
        except subprocess.TimeoutExpired:
            say(f"strace does not end and is killed: {self.describe()}")
            self.strace.kill()
            self.strace.wait()
        self.strace.stderr.close()
        ranks = {}
        for line in self.file:
            match = CALL.match(line)
            if match:
                key = match[1], match[2]
                ranks[key] = ranks.get(key, 0) + 1
                self.calls.append((match[2], ranks[key], match[3]))
        self.file.close()


def is_dead(pid):
    """It is gone, or a zombie that its parent has not looked at yet."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def is_long():
    """The full count is wanted: ./dev test --long."""
    return os.environ.get("HSCHED_TEST_LONG") == "1"


def say(text):
    print(text, file=sys.stderr, flush=True)
