# SPDX-License-Identifier: Apache-2.0
"""Every way to fail: its exit status, and a sentence that says what to do."""

import os
import socket
import subprocess
import unittest

from ctl_support import HSCHED, Case, JOB, SUBMITTED, answer, listing, refusal


class Refusals(Case):
    def test_each_word_of_the_api_has_its_exit_status(self):
        for http, word, status in ((400, "invalid", 2), (405, "unsupported", 2),
                                   (403, "denied", 4), (404, "not-found", 3),
                                   (409, "conflict", 7), (503, "unavailable", 1),
                                   (503, "timeout", 1), (503, "stale", 1), (500, "internal", 1)):
            with self.subTest(word=word):
                self.socket_path = self.folder / word
                self.replay(refusal(http, word, f"because of {word}"))
                done = self.check(self.hsched("show", "9"), status)
                self.assertIn(f"hsched: because of {word}\n", done.stderr)
                self.assertEqual(done.stdout, "")

    def test_a_refusal_without_a_body_is_mapped_by_its_status(self):
        for http, status in ((403, 4), (404, 3), (409, 7), (500, 1), (502, 1)):
            with self.subTest(http=http):
                self.socket_path = self.folder / str(http)
                self.replay(answer(http, ""))
                done = self.check(self.hsched("jobs"), status)
                self.assertIn(f"status {http} and no reason", done.stderr)

    def test_retry_after_is_said(self):
        self.replay(refusal(503, "unavailable", "the store is down", ["Retry-After: 5"]))
        done = self.check(self.hsched("submit", "true"), 1)
        self.assertIn("the store is down", done.stderr)
        self.assertIn("try again in 5 s", done.stderr)

    def test_no_daemon_is_said_with_the_socket_and_the_next_step(self):
        done = self.check(self.hsched("jobs"), 5)
        self.assertIn(f"does not answer at {self.socket_path}", done.stderr)
        self.assertIn("No such file", done.stderr)
        self.assertIn("--socket or HSCHED_SOCKET", done.stderr)

    def test_a_dead_socket_is_unreachable(self):
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(self.socket_path))
        self.check(self.hsched("jobs"), 5)

    def test_a_silent_daemon_is_given_up(self):
        with socket.socket(socket.AF_UNIX) as silent:
            silent.bind(str(self.socket_path))
            silent.listen(1)
            done = self.check(self.hsched("jobs", "--timeout", "1s"), 5)
        self.assertIn("too long to answer", done.stderr)

    def test_a_socket_that_may_not_be_opened_is_denied(self):
        if os.geteuid() == 0:
            prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
            if subprocess.run([*prefix, HSCHED, "--version"], capture_output=True,
                              check=False).returncode != 0:
                self.skipTest("the build folder is closed to other users")
        else:
            prefix = []
        with socket.socket(socket.AF_UNIX) as closed:
            closed.bind(str(self.socket_path))
            closed.listen(1)
            self.folder.chmod(0o755)
            self.socket_path.chmod(0)
            done = subprocess.run([*prefix, HSCHED, "--socket", self.socket_path, "jobs"],
                                  capture_output=True, text=True, check=False, timeout=30)
        self.check(done, 4)
        self.assertIn("auth.unix_users", done.stderr)

    def test_nonsense_is_a_failure_not_a_crash(self):
        for name, body in (("html", "<html>"), ("cut", '{"items":['), ("empty", "")):
            with self.subTest(name=name):
                self.socket_path = self.folder / name
                self.replay(answer(200, body))
                self.assertIn("no JSON", self.check(self.hsched("jobs"), 1).stderr)

    def test_answers_of_another_shape_do_not_crash(self):
        for n, body in enumerate(([], {"items": 5}, {"items": [1, None, "x"]}, {})):
            for command in (["jobs"], ["show", "1"], ["explain", "1"], ["plan"], ["report"],
                            ["loops"], ["forecast", "a/b"], ["cancel", "1"], ["submit", "true"]):
                with self.subTest(body=body, command=command):
                    self.socket_path = self.folder / f"{command[0]}{n}"
                    self.replay(answer(200, body))
                    self.check(self.hsched(*command), 1 if command[0] == "submit" else 0)

    def test_a_lost_connection_is_tried_again_under_the_same_key(self):
        server = self.replay(None, answer(201, SUBMITTED))
        self.assertEqual(self.check(self.hsched("submit", "true"), 0).stdout, "7\n")
        keys = [request["headers"]["idempotency-key"] for request in server.requests]
        self.assertEqual(len(keys), 2)
        self.assertEqual(keys[0], keys[1])

    def test_two_submissions_have_two_keys(self):
        server = self.replay(answer(201, SUBMITTED), answer(201, SUBMITTED))
        self.hsched("submit", "true")
        self.hsched("submit", "true")
        keys = {request["headers"]["idempotency-key"] for request in server.requests}
        self.assertEqual(len(keys), 2)

    def test_a_full_disk_is_a_failure(self):
        self.replay(answer(200, listing("JobList", JOB)))
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([HSCHED, "--socket", self.socket_path, "jobs"], stdout=full,
                                  stderr=subprocess.PIPE, text=True, check=False, timeout=30)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot write", done.stderr)


class Usage(Case):
    def test_wrong_words_are_told_what_is_right(self):
        for words, sentence in (
                (["submti"], "did you mean 'submit'?"),
                (["zzzzzz"], "'hsched help' lists them"),
                ([], "name a command"),
                (["jobs", "--stat", "x", "--teem", "a"], "did you mean '--team'?"),
                (["jobs", "-Z"], "unknown option '-Z'"),
                (["jobs", "--team"], "'--team' wants a value"),
                (["jobs", "extra"], "'extra' is one word too many"),
                (["jobs", "-o", "jsn"], "did you mean 'json"),
                (["jobs", "-o", "qqqqqqq"], "table, wide, json, jsonl, csv and name"),
                (["jobs", "--state", "waitng"], "did you mean 'waiting'?"),
                (["jobs", "--limit", "0"], "no whole number from 1"),
                (["jobs", "--timeout", "5"], "--timeout:"),
                (["show"], "'show' wants JOB"),
                (["show", "abc"], "no job id"),
                (["show", "0"], "no job id"),
                (["cancel", "1", "x"], "nothing was cancelled"),
                (["forecast", "pool"], "write SITE/LOOP"),
                (["forecast", "a/b", "--hours", "many"], "no whole number"),
                (["logs", "1", "-o", "json"], "unknown option '-o'"),
                (["help", "submti"], "did you mean 'submit'?")):
            with self.subTest(words=words):
                done = self.check(self.hsched(*words), 2)
                self.assertIn(sentence, done.stderr)
                self.assertEqual(done.stdout, "")

    def test_help_is_there_for_each_command(self):
        listed = self.check(self.hsched("help"), 0).stdout
        names = [line.split()[0] for line in listed.splitlines() if line.startswith("  ")]
        self.assertEqual(names, sorted(names))
        self.assertGreaterEqual(len(names), 14)
        for name in names:
            with self.subTest(name=name):
                by_word = self.check(self.hsched("help", name), 0)
                by_option = self.check(self.hsched(name, "--help"), 0)
                self.assertEqual(by_word.stdout, by_option.stdout)
                self.assertTrue(by_word.stdout.startswith(f"usage: hsched {name} "))
                self.assertEqual(by_word.stderr, "")

    def test_coolings_and_templates_are_explained_with_sources(self):
        self.assertEqual(len(self.check(self.hsched("help", "cooling"), 0).stdout.splitlines()), 7)
        self.assertIn("greenhouse", self.check(self.hsched("help", "template"), 0).stdout)
        one = self.check(self.hsched("help", "cooling", "immersion"), 0).stdout
        self.assertIn("captured     85 % of IT heat\n               assumed; ", one)
        self.assertIn("heat/basin, a pool", self.check(self.hsched("help", "template", "leisure-centre"), 0).stdout)
        self.assertIn("did you mean 'immersion'?", self.check(self.hsched("help", "cooling", "imersion"), 3).stderr)

    def test_a_field_is_explained_from_the_tables_that_parse_it(self):
        done = self.check(self.hsched("help", "field", "tank/volume_l"), 0)
        self.assertRegex(done.stdout, r"estate/sites/\*/loops/\*/tank/volume_l +l +required")
        self.assertEqual(len(done.stdout.splitlines()), 2)
        every = self.check(self.hsched("help", "field"), 0).stdout
        self.assertIn("job/min_run", every)
        self.assertGreater(len(every.splitlines()), 60)
        done = self.check(self.hsched("help", "field", "volum_l"), 3)
        self.assertIn("did you mean 'volume_l'?", done.stderr)

    def test_version_is_a_number(self):
        self.assertRegex(self.check(self.hsched("--version"), 0).stdout, r"^hsched \d+\.\d+\.\d+$")


if __name__ == "__main__":
    unittest.main()
