# SPDX-License-Identifier: Apache-2.0
"""Fails each system call of a program that touches given paths, one run each, by strace."""
import collections
import functools
import os
import re
import shutil
import subprocess

# What a program does to a file and its folder on the way to a new content.
CALLS = ("openat", "fstat", "newfstatat", "flock", "ftruncate", "fchmod", "write", "pwrite64", "fsync", "rename",
         "unlink", "close", "mkdir")
ERRORS = ("ENOSPC", "EIO")
IS_LONG = "HSCHED_TEST_LONG" in os.environ


@functools.lru_cache(maxsize=None)
def why_not():
    """Why this machine cannot do it, or None."""
    if not shutil.which("strace"):
        return "strace is not installed"
    done = subprocess.run(["strace", "-qq", "-o", os.devnull, "-e", "inject=getppid:error=EPERM", "true"],
                          capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"strace cannot inject here: {done.stderr.strip()[-200:]}"


def command_for(paths, inject, out):
    words = ["strace", "-f", "-qq", "-y", "-o", str(out)]
    for path in paths:
        words += ["-P", str(path)]
    return words + ["-e", "trace=" + ",".join(f"?{call}" for call in CALLS)] + (["-e", "inject=" + inject] if inject else [])


def run(command, paths, inject, out=os.devnull, **options):
    return subprocess.run([*command_for(paths, inject, out), *map(str, command)], capture_output=True, text=True,
                          timeout=120, check=False, **options)


def count_calls(command, paths, out, **options):
    """{call: how often} of one good run that touches @paths."""
    done = run(command, paths, None, out, **options)
    if done.returncode != 0:
        raise RuntimeError(f"the good run failed: {done.stderr}")
    return count_in(out)


def count_in(out):
    """{call: how often} in what strace wrote."""
    found = re.findall(r"^\d+ +(\w+)\(", out.read_text(), re.M)
    return collections.Counter(call for call in found if call in CALLS)


def steps(counts, kinds):
    """Every (call, N, what is injected)."""
    return [(call, n, f"{call}:{kind}:when={n}") for call in counts for n in range(1, counts[call] + 1)
            for kind in kinds]
