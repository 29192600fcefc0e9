#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Promise 14: disk full, I/O error or kill -9 at any step leave the old file or the new one, never a mixture."""
import contextlib
import http.client
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

from daemon_support import BUILD, ROOT, rig
import fault_sweep
from faulty_redis import FaultyRig

PUT_FILE = os.environ.get("PUT_FILE", BUILD / "tests" / "cli" / "put_file")
PUT_SEED = os.environ.get("PUT_SEED", BUILD / "tests" / "cli" / "put_seed")
SEED_WHOLE, SEED_ABSENT, SEED_PART = 0, 1, 3
OLD = b"o" * 70000
N_NEW = 50000  # shorter than the old: a mixture cannot pass for the new
NEW = b"n" * N_NEW
FAULTS = [f"error={error}" for error in fault_sweep.ERRORS] + ["signal=KILL"]


@unittest.skipIf(fault_sweep.why_not(), fault_sweep.why_not())
class DiskFull(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="hsched-")
        self.addCleanup(folder.cleanup)
        self.dir = pathlib.Path(folder.name).resolve()
        self.calls = self.dir / "calls"

    def sweep(self, command, paths, prepare, verdict, is_whole=True):
        """
        Run @command once for each fault at each step. @return (runs, [a line for each mixture])

        @prepare   sets the old files up
        @verdict   of one run and its end: None if all is as promised
        @is_whole  every fault at every step also in the sample
        """
        prepare()
        counts = fault_sweep.count_calls(command, paths, self.calls)
        self.assertTrue(counts, "nothing of it was seen")
        bad = []
        steps = fault_sweep.steps(counts, FAULTS)
        if not (is_whole or fault_sweep.IS_LONG):
            steps = steps[::2]  # of three faults a step every other one: no step is left out
        for _, _, inject in steps:
            prepare()
            done = fault_sweep.run(command, paths, inject)
            wrong = verdict(inject, done)
            if wrong:
                bad.append(f"{inject}: {wrong}")
        return len(steps), bad

    def put_file(self, way):
        path = self.dir / "file"

        def prepare():
            path.write_bytes(OLD)

        def verdict(inject, done):
            kept = path.read_bytes() if path.exists() else b""
            if kept not in (OLD, NEW):
                return f"a mixture of {len(kept)} bytes"
            if done.returncode == 0 and kept != NEW:
                return "it said done and the old is there"
            return None if done.returncode in (0, 1, -9, 137) else f"exit {done.returncode}: {done.stderr}"

        return self.sweep([PUT_FILE, way, path, N_NEW], [path, f"{path}.part", self.dir], prepare, verdict)

    def test_every_step_of_the_one_writer__keeps_old_or_new(self):
        n, bad = self.put_file("whole")
        print(f"promise 14: {len(bad)} mixtures in {n} faults, each step of one file")
        self.assertEqual(bad, [])

    def test_guard_removed__plain_fopen_shows_mixtures(self):
        n, bad = self.put_file("plain")
        print(f"promise 14 without its guard: {len(bad)} mixtures in {n} faults")
        self.assertTrue(any("mixture" in line for line in bad), bad)

    def test_every_step_of_a_jobs_seed__makes_it_whole_or_says_so(self):
        """A guest boots from it: what is said to be made is whole. The rest of a kill is made anew at the next start."""
        make, look = ([PUT_SEED, verb, self.dir, N_NEW] for verb in ("make", "check"))

        def seen():
            return subprocess.run(list(map(str, look)), check=False).returncode

        def verdict(inject, done):
            if done.returncode == 0:
                return None if seen() == SEED_WHOLE else "it said done and the seed is not whole"
            if done.returncode == 1 and "cannot" not in done.stderr and "libarchive" not in done.stderr:
                return f"does not say what failed: {done.stderr}"
            if "KILL" in inject and subprocess.run(list(map(str, make)), check=False).returncode + seen() != 0:
                return "it cannot be made anew"
            return None

        (self.dir / "job-7").mkdir()
        (self.dir / "job-7" / "seed.iso").write_bytes(OLD)
        self.assertEqual(seen(), SEED_PART, "a part of one is not told from a whole one")
        # no path is given: the library keeps it in a temporary file first
        n, bad = self.sweep(make, [], lambda: None, verdict, is_whole=False)
        self.assertEqual(bad, [])
        print(f"promise 14: 0 of {n} faults let a job begin with a part of its seed (all of them with --long)")

    def test_every_step_of_hsims_outputs__keeps_old_or_new(self):
        outs = [self.dir / name for name in ("report.json", "trace.jsonl")]
        plots = self.dir / "plots"
        command = [rig.program(BUILD, "hsim"), "run", ROOT / "docs" / "examples" / "limits" / "scenario.json",
                   "--policies", "asap", "-o", outs[0], "--trace", outs[1]]
        if fault_sweep.IS_LONG:
            command += ["--plot", plots]
        paths = [self.dir] + [p for out in outs for p in (out, f"{out}.part")]
        good = {}

        def prepare():
            for out in outs:
                out.write_bytes(OLD)

        def verdict(inject, done):
            for out in outs:
                kept = out.read_bytes() if out.exists() else b""
                if kept not in (OLD, good[out]):
                    return f"a mixture of {len(kept)} bytes in {out.name}"
                if done.returncode == 0 and kept != good[out]:
                    return f"it said done and the old {out.name} is there"
            if done.returncode == 1 and "cannot" not in done.stderr:
                return f"does not say what failed: {done.stderr}"
            return None if done.returncode in (0, 1, -9, 137) else f"exit {done.returncode}: {done.stderr}"

        prepare()
        subprocess.run(command, capture_output=True, check=True)
        good.update({out: out.read_bytes() for out in outs})
        self.assertFalse(OLD in good.values(), "nothing was written")
        n, bad = self.sweep(command, paths, prepare, verdict, is_whole=False)
        print(f"promise 14: {len(bad)} mixtures in {n} faults, each step of report and trace of hsim "
              "(every fault at each with --long)")
        self.assertEqual(bad, [])


@unittest.skipIf(fault_sweep.why_not(), fault_sweep.why_not())
class EpochFile(unittest.TestCase):
    """What hschedd itself writes before it leads: the epoch, outside of Redis."""

    def setUp(self):
        self.rig = FaultyRig(config={"lease_s": 2})
        self.rig.__enter__()
        self.addCleanup(self.rig.__exit__, None, None, None)
        self.rig.end(self.rig.daemon)
        self.addCleanup(self.end)
        self.path = self.rig.dir / "state" / "epoch-main.json"
        self.paths = [self.path, f"{self.path}.part", self.path.parent]

    def end(self):
        """kill -9, of strace's child as well."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.rig.daemon.pid, signal.SIGKILL)
        self.rig.daemon.wait()

    def is_settled(self):
        """It leads, or says that it does not, or has ended."""
        if self.rig.daemon.poll() is not None:
            return True
        try:
            return self.rig.health()[1]["status"] in ("ok", "refused")
        except (OSError, http.client.HTTPException):
            return False

    def start(self, inject, out=os.devnull):
        command = [*fault_sweep.command_for(self.paths, inject, out), rig.program(BUILD, "hschedd"), "--config",
                   self.rig.dir / "hschedd.json"]
        self.rig.daemon = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                           stderr=subprocess.DEVNULL, start_new_session=True)
        self.rig.until("it neither leads nor refuses nor ends", self.is_settled, 30)

    def test_every_step_of_it__keeps_old_or_new(self):
        calls = self.rig.dir / "calls"
        self.start(None, calls)
        self.end()
        steps = fault_sweep.steps(fault_sweep.count_in(calls), FAULTS)
        if not fault_sweep.IS_LONG:
            steps = [step for i, step in enumerate(steps) if step[0] in ("write", "fsync", "rename") and i % 2 == 0]
        self.assertTrue(steps)
        for _, _, inject in steps:
            with self.subTest(inject=inject):
                old = self.path.read_bytes()
                self.start(inject)
                self.end()
                epoch = json.loads(old)["epoch"]
                kept = self.path.read_bytes()
                if kept != old:
                    self.assertGreater(json.loads(kept)["epoch"], epoch)
        self.start(None)
        self.assertEqual(self.rig.health()[1]["status"], "ok")
        print(f"promise 14: 0 mixtures in {len(steps)} faults, steps of hschedd's epoch file (every one with --long); it leads after all of them")


if __name__ == "__main__":
    unittest.main(verbosity=2)
