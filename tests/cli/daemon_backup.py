#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`hschedd --backup` and `--restore`: the state of one moment, whole or not at all, and led by nobody in between."""
import concurrent.futures
import gzip
import json
import os
import random
import subprocess
import time
import unittest

from daemon_support import BUILD, RedisRig, record, rig

import systemcalls  # tests/support, on the path since daemon_support was read

LONG = bool(os.environ.get("HSCHED_TEST_LONG"))
N_DAMAGES = 2000 if LONG else 60
N_KILLS = 6  # of some 20; all of them in the long run
JOB = {"name": "part", "vcpus": 1, "memory_mib": 512, "duration": "1h", "script": "#!/bin/sh\ntrue\n", "team": "film",
       "earliest": "2026-01-06T10:00:00Z", "due": "2026-01-07T10:00:00Z"}
TABLES = ("jobs", "intents", "maintenance", "forecasts", "repeats", "hosts", "files", "ends", "history")
JOB_ID_GAP = 1_000_000  # scheduler/daemon/restore.c


class Backup(unittest.TestCase):
    def setUp(self):
        self.rig = RedisRig()
        self.rig.__enter__()
        self.addCleanup(self.rig.__exit__, None, None, None)
        self.file = self.rig.dir / "state.backup"

    # --- the world

    def submit(self, n, **fields):
        status, _, answer = self.rig.ask("POST", "/v1/jobs", [{**JOB, **fields}] * n)
        self.assertEqual(status, 201, answer)
        return [item["id"] for item in answer["items"]]

    def submit_many(self, n, **fields):
        for i in range(0, n, 500):
            self.submit(min(500, n - i), **fields)

    def cancel(self, ids):
        for job_id in ids:
            self.assertEqual(self.rig.ask("POST", f"/v1/jobs/{job_id}/cancel")[0], 200)

    def until(self, what, is_so, timeout_s=20):
        deadline = time.monotonic() + timeout_s
        while not is_so():
            if time.monotonic() > deadline:
                self.fail(f"{what}:\n{self.rig.log_tail('hschedd.log')}")
            time.sleep(0.05)

    def command(self, *args, config="hschedd.json"):
        return [str(rig.program(BUILD, "hschedd")), "--config", str(self.rig.dir / config), *map(str, args)]

    def run_hschedd(self, *args, expect=0, config="hschedd.json"):
        done = subprocess.run(self.command(*args, config=config), capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done.stdout if expect == 0 else done.stderr

    def backup(self):
        return self.run_hschedd("--backup", self.file)

    def lines(self):
        with gzip.open(self.file, "rt") as file:
            return [json.loads(line) for line in file]

    def records(self, table):
        """Of the backup, by key."""
        return {row["key"]: record.open_record(table, row["key"], row["record"])
                for row in self.lines() if row.get("table") == table}

    def state(self):
        """All tables of the store, and the journal's texts."""
        state = {}
        for table in TABLES:
            flat = self.rig.redis("hgetall", f"hs:{{main}}:{table}").splitlines()
            state[table] = dict(zip(flat[::2], flat[1::2]))
        return state

    def lose_redis(self):
        """The machine with Redis is gone, and a new one is empty."""
        self.rig.redis("flushall")

    def start_daemon(self):
        self.rig.start_daemon()
        self.until("it does not lead", lambda: self.rig.get("/healthz")["role"] == "leader")

    # --- what holds

    def test_restored__is_what_was_backed_up(self):
        over = self.submit(12)
        self.cancel(over)
        waiting = self.submit(5, name="waits")
        said = self.backup()
        self.assertIn(": 5 jobs that are not over, 12 that are", said)
        self.assertEqual(oct(self.file.stat().st_mode & 0o777), "0o600")
        # whatever the store holds is in it: who adds a table adds it to stateparts.c
        kept = {row.get("table", row.get("log")) for row in self.lines()}
        self.assertEqual({key.rsplit(":", 1)[1] for key in self.rig.redis("keys", "hs:{main}:*").split()} - kept, {"lease"})
        later = self.submit(2, name="later")
        report = self.rig.get("/v1/report")["policies"][0]
        self.rig.end(self.rig.daemon)
        self.lose_redis()
        self.assertIn("whole", self.run_hschedd("--restore", self.file, "--check"))
        self.assertEqual(self.rig.redis("dbsize").strip(), "0")
        said = self.run_hschedd("--restore", self.file)
        self.assertRegex(said, r"restored in epoch 10\d\d; job numbers go on from 10000\d\d")
        self.start_daemon()
        self.assertEqual([job["id"] for job in self.rig.jobs()], over + waiting)
        self.assertEqual({job["name"] for job in self.rig.jobs("state=waiting")}, {"waits"})
        self.assertEqual(self.rig.job(over[0])["script"], JOB["script"])
        self.assertEqual(self.rig.get("/v1/report")["policies"][0]["jobs_total"], report["jobs_total"] - len(later))
        self.assertGreater(self.submit(1)[0], later[-1] + JOB_ID_GAP // 2)
        self.assertIn("was restored from a backup", self.rig.redis("xrange", "hs:{main}:journal", "-", "+"))
        self.rig.end(self.rig.daemon)
        self.rig.start_daemon()  # and from now on as ever

    def test_restored__machine_that_began_after_the_backup_is_taken_over(self):
        job_id = self.submit(1, earliest="2026-01-05T10:15:00Z", duration="20h", due="2026-01-08T10:00:00Z")[0]
        self.backup()
        self.rig.end(self.rig.daemon)
        self.rig.config["speed"] = 300
        (self.rig.dir / "hschedd.json").write_text(json.dumps(self.rig.config))
        self.rig.start_daemon()
        self.until("it does not run", lambda: self.rig.job(job_id)["state"] == "running")
        self.rig.end(self.rig.daemon)
        self.lose_redis()
        self.run_hschedd("--restore", self.file)
        self.start_daemon()
        self.until("it does not run", lambda: self.rig.job(job_id)["state"] == "running")
        self.assertIn(f"machine 'hs-{job_id}' on 'pool/h1' is running", self.rig.log_tail("hschedd.log", 30))
        self.assertEqual(len(list((self.rig.dir / "state").rglob("sim-*.json"))), 1)

    def test_backup_while_jobs_come__is_of_one_moment(self):
        """Jobs are submitted and cancelled meanwhile: each is in the backup once, and none before the first is missing."""
        known = self.submit(300)
        stop = time.monotonic() + 3
        acknowledged = []

        def churn(_):
            while time.monotonic() < stop:
                ids = self.submit(3)
                acknowledged.extend(ids)
                self.cancel(ids[:2])

        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            running = [pool.submit(churn, i) for i in range(3)]
            n = 0
            while time.monotonic() < stop - 0.5:
                before = list(acknowledged)
                self.backup()
                n += 1
                jobs, history, ends = (self.records(table) for table in ("jobs", "history", "ends"))
                over = {str(json.loads(end)["id"]) for end in ends.values()}
                self.assertEqual(set(jobs) & set(history), set())
                self.assertEqual(set(history), over)
                self.assertEqual({*map(str, known), *map(str, before)} - set(jobs) - set(history), set())
                ids = {int(key) for key in {**jobs, **history}}
                next_id = int(self.records("meta")["next_id"])
                self.assertEqual(ids, set(range(1, max(ids) + 1)))
                self.assertGreater(next_id, max(ids))
                self.assertEqual(int(self.records("meta").get("ends_next", 1)) - 1, len(over))
            for done in running:
                done.result()
        self.assertGreater(n, 0)
        print(f"backup: {n} taken while {len(acknowledged)} jobs came, each of one moment", flush=True)

    def test_file_that_is_not_whole__changes_nothing(self):
        self.submit(8)
        self.backup()
        self.rig.end(self.rig.daemon)
        self.lose_redis()
        whole = self.file.read_bytes()
        chance = random.Random(6)
        cases = [b"", b"{}\n", b"not a backup", gzip.compress(b""), gzip.compress(b'{"hsched_backup":1}\n'), whole[:-1],
                 gzip.compress(gzip.decompress(whole) + b"{}\n"), gzip.compress(gzip.decompress(whole).rsplit(b"\n", 2)[0] + b"\n")]
        for i in range(N_DAMAGES):
            at = chance.randrange(20, len(whole))  # behind the time and name of the gzip header
            cases.append(whole[:at] if i % 2 else whole[:at] + bytes([whole[at] ^ 1 << chance.randrange(8)]) + whole[at + 1:])
        plain = gzip.decompress(whole)
        for _ in range(N_DAMAGES // 4):  # somebody has unpacked, edited and packed it again
            at = chance.randrange(plain.index(b'"record"'), len(plain) - 20)
            cases.append(gzip.compress(plain[:at] + bytes([plain[at] ^ 1]) + plain[at + 1:], mtime=0))
        refused = 0
        for case in cases:
            if case == whole:
                continue
            self.file.write_bytes(case)
            done = subprocess.run(self.command("--restore", self.file), capture_output=True, text=True, timeout=60, check=False)
            self.assertIn(done.returncode, (1, 6), f"{case[:40]!r}: {done.stdout}{done.stderr}")
            self.assertIn(f"hschedd: {self.file}: ", done.stderr)
            refused += 1
        self.assertEqual(self.rig.redis("dbsize").strip(), "0")
        print(f"restore: {refused} of {refused} damaged or cut files refused, redis untouched", flush=True)

    def test_newer_backup__is_refused_by_name(self):
        self.file.write_bytes(gzip.compress(b'{"hsched_backup":2,"cell":"main","store_id":"a","taken_at":"2026-01-05T10:00:00Z"}\n'))
        self.rig.end(self.rig.daemon)
        self.assertIn("is of a newer hschedd", self.run_hschedd("--restore", self.file, expect=1))

    def test_other_cell__is_refused(self):
        self.backup()
        self.rig.end(self.rig.daemon)
        plain = gzip.decompress(self.file.read_bytes()).replace(b'"cell":"main"', b'"cell":"east"', 1)
        self.file.write_bytes(gzip.compress(plain))
        self.assertIn("is of cell 'east', the estate of hschedd.json is of cell 'main'",
                      self.run_hschedd("--restore", self.file, expect=6))

    def test_state_that_is_there__is_replaced_only_by_force(self):
        kept = self.submit(3)
        self.backup()
        self.submit(2, name="newer")
        self.rig.end(self.rig.daemon)
        before = self.state()
        self.assertIn("holds a state of cell 'main' already", self.run_hschedd("--restore", self.file, expect=1))
        self.assertEqual(self.state(), before)
        said = self.run_hschedd("--restore", self.file, "--force")
        self.assertIn("journal and ledger are kept as they were", said)
        self.start_daemon()
        self.assertEqual([job["id"] for job in self.rig.jobs()], kept)

    def test_while_somebody_leads__nothing_is_restored(self):
        self.submit(3)
        self.backup()
        before = self.state()
        refusal = self.run_hschedd("--restore", self.file, "--force", expect=1)
        self.assertIn(f"process {self.rig.daemon.pid} works in", refusal)
        elsewhere = {**self.rig.config, "state": str(self.rig.dir / "elsewhere"), "lease_s": 3}
        (self.rig.dir / "elsewhere.json").write_text(json.dumps(elsewhere))
        refusal = self.run_hschedd("--restore", self.file, "--force", expect=1, config="elsewhere.json")
        self.assertRegex(refusal, r"hschedd on '.+' \(pid \d+\) leads this cell since .+: stop it first")
        self.assertEqual(self.state(), before)
        self.assertEqual(self.rig.get("/healthz")["role"], "leader")

    def restore_until(self, n, expect):
        """Restore, and kill -9 as it sends for the @n-th time; 0: never. @return how often it sent"""
        log = self.rig.dir / "calls"
        inject = ["-e", f"inject=sendto:signal=KILL:when={n}"] if n else []
        done = subprocess.run(["strace", "-f", "-qq", "-o", str(log), "-e", "trace=sendto", *inject,
                               *self.command("--restore", self.file)], capture_output=True, text=True, timeout=60, check=False)
        self.assertIn(done.returncode, expect, done.stderr)
        return log.read_text().count("sendto(")

    def test_restore_broken_off__is_led_by_nobody_and_begun_again(self):
        """kill -9 as it sends; the daemon refuses a half state, the next restore brings the whole one."""
        if systemcalls.missing():
            self.skipTest(systemcalls.missing())
        self.cancel(self.submit(40))
        self.submit_many(1500)
        self.backup()
        self.rig.end(self.rig.daemon)
        self.lose_redis()
        n_sends = self.restore_until(0, (0,))
        whole = self.state()
        n_entries = int(self.rig.redis("xlen", "hs:{main}:journal"))
        steps = range(1, n_sends + 1) if LONG else sorted(random.Random(4).sample(range(n_sends * 2 // 3, n_sends + 1), N_KILLS))
        seen = {"empty": 0, "half": 0, "whole": 0}
        for n in steps:
            self.lose_redis()
            self.restore_until(n, (-9, 137))
            is_half = self.rig.redis("hexists", "hs:{main}:meta", "restoring").strip() == "1"
            is_empty = self.rig.redis("hlen", "hs:{main}:jobs").strip() == "0"
            seen["half" if is_half else "empty" if is_empty else "whole"] += 1
            if is_half:
                self.assertIn("a restore was broken off", self.run_hschedd("--backup", self.rig.dir / "half", expect=1))
            if is_half and seen["half"] == 1:
                self.rig.daemon = self.rig.spawn(*self.command(), log="hschedd.log")
                self.until("it does not refuse", lambda: self.role() == "refused")
                self.assertIn("a restore was broken off", self.rig.ask("GET", "/healthz")[2]["why"])
                self.rig.end(self.rig.daemon)
            if is_half or is_empty:
                self.assertIn("restored in epoch", self.run_hschedd("--restore", self.file))
            self.assertEqual(self.state(), whole)
            self.assertEqual(int(self.rig.redis("xlen", "hs:{main}:journal")), n_entries)
        self.assertGreater(seen["half"], 0)
        self.start_daemon()
        self.assertEqual(len(self.rig.jobs("state=waiting")), 1500)
        print(f"restore: killed at {len(steps)} of {n_sends} sends ({seen['empty']} before the first row, {seen['half']} half "
              f"way, {seen['whole']} at the end): half a state led by nobody, then whole", flush=True)

    def role(self):
        try:
            return self.rig.ask("GET", "/healthz")[2].get("role")
        except (OSError, rig.http.client.HTTPException):
            return "away"

    def test_damaged_record__is_kept_in_the_quarantine(self):
        ids = self.submit(3)
        self.rig.end(self.rig.daemon)
        sealed = self.rig.redis("hget", "hs:{main}:jobs", ids[1]).rstrip("\n")
        self.rig.redis("hset", "hs:{main}:jobs", ids[1], sealed.replace("film", "firm"))
        self.assertIn("1 damaged records are in the backup's table 'quarantine'", self.backup())
        self.lose_redis()
        self.run_hschedd("--restore", self.file)
        kept = json.loads(self.records("quarantine")[f"jobs/{ids[1]}"])
        self.assertIn("firm", kept["record"])
        self.start_daemon()
        self.assertEqual([job["id"] for job in self.rig.jobs()], [ids[0], ids[2]])

    def test_backup_that_fails__leaves_the_old_one(self):
        self.submit(2)
        self.backup()
        before = self.file.read_bytes()
        self.rig.redis("config", "set", "maxclients", "1")
        for process in self.rig.processes:
            if "redis-server" in str(process.args[0]):
                self.rig.end(process)
        refusal = self.run_hschedd("--backup", self.file, expect=1)
        self.assertIn("redis: does not answer", refusal)
        self.assertEqual(self.file.read_bytes(), before)
        self.assertEqual([path.name for path in self.rig.dir.glob("state.backup*")], ["state.backup"])

    def test_options_that_contradict__are_refused(self):
        for args in (["--backup", "a", "--restore", "b"], ["--force"], ["--backup", "a", "--check"], ["--restore", "a", "--check", "--force"]):
            self.run_hschedd(*args, expect=2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
