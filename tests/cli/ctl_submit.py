# SPDX-License-Identifier: Apache-2.0
"""What hsched submit sends, from options, environment and script, and what it says."""

import unittest

from ctl_support import Case, EXPLANATION, JOB, SUBMITTED, answer, refusal


class Submit(Case):
    def sent(self, *words, env=None, stdin="", files=None):
        """The request that hsched submit WORDS sends."""
        for name, text in (files or {}).items():
            (self.folder / name).write_text(text, encoding="utf-8")
        self.socket_path = self.folder / f"s{len(list(self.folder.iterdir()))}"
        server = self.replay(answer(201, SUBMITTED))
        done = self.check(self.hsched("submit", *words, env=env, stdin=stdin, cwd=self.folder), 0)
        self.assertEqual(done.stdout, "7\n")
        self.assertEqual(server.requests[0]["target"], "/v1/jobs")
        return server.requests[0]["json"]

    def refused(self, status, *words, **kwargs):
        return self.check(self.hsched("submit", *words, cwd=self.folder, **kwargs), status).stderr

    def test_every_option_arrives(self):
        request = self.sent(
            "--name", "render", "--image", "debian-12", "--vcpus", "4", "--memory", "2G",
            "--duration", "1h30m", "--limit", "3h", "--earliest", "now+2h", "--due",
            "tomorrow 06:00", "--class", "deferrable", "--interruptible", "--min-run", "15m",
            "--min-share", "0.5", "--max-share", "1",
            "--priority", "-5", "--team", "film", "--site", "pool,school", "--site", "flats",
            "--not-site", "barn", "--env", "A=1", "--env", "B=x=y", "--now=no", "--", "sleep",
            "60")
        self.assertEqual(request, {
            "name": "render", "image": "debian-12", "vcpus": 4, "memory_mib": 2048,
            "duration": "1h30m", "limit": "3h", "earliest": "now+2h", "due": "tomorrow 06:00",
            "class": "deferrable", "interruptible": True, "min_run": "15m", "priority": -5,
            "min_share": 0.5, "max_share": 1.0,
            "team": "film", "sites": ["pool", "school", "flats"], "not_sites": ["barn"],
            "env": {"A": "1", "B": "x=y"}, "now": False, "script": "#!/bin/sh\nexec sleep 60\n"})

    def test_an_array_is_one_request(self):
        self.socket_path = self.folder / "array"
        server = self.replay(answer(201, {"kind": "SubmittedList", "items": [{"id": i, "cannot_meet": None}
                                                                            for i in (7, 8, 9)]}))
        done = self.check(self.hsched("submit", "--array", "3-5%2", "--name", "part", "true", cwd=self.folder), 0)
        self.assertEqual(done.stdout, "7\n8\n9\n")
        sent = [request["json"] for request in server.requests]
        self.assertEqual([(r["name"], r["array"]) for r in sent], [("part", "3-5%2")])

    def submit_lines(self, n, *answers):
        """hsched submit --from a file of @n lines; the requests that it sent"""
        self.socket_path = self.folder / "from"
        server = self.replay(*answers)
        (self.folder / "jobs.jsonl").write_text("".join(f'{{"name":"j{i}","script":"true"}}\n\n' for i in range(n)))
        return server, self.hsched("submit", "--from", "jobs.jsonl", cwd=self.folder)

    def test_a_file_of_jobs_is_sent_many_at_once(self):
        server, done = self.submit_lines(1200, *(answer(
            201, {"items": [{"id": i, "cannot_meet": None} for i in ids]})
            for ids in (range(1, 1001), range(1001, 1201))))
        self.check(done, 0)
        self.assertEqual(done.stdout.split(), [str(i) for i in range(1, 1201)])
        self.assertEqual([len(request["json"]) for request in server.requests], [1000, 200])
        self.assertEqual(server.requests[1]["json"][0]["name"], "j1000")

    def test_a_file_of_jobs_that_is_refused_says_where(self):
        _, done = self.submit_lines(2, refusal(400, "invalid", "item 1: /vcpus: must be 1 or more"))
        self.check(done, 2)
        self.assertIn("item 1: /vcpus", done.stderr)
        self.assertIn("nothing from line 1 of jobs.jsonl on was submitted", done.stderr)

    def test_a_line_that_is_no_job_is_named(self):
        self.socket_path = self.folder / "from"
        server = self.replay(answer(201, {"items": [{"id": 1, "cannot_meet": "it is late"}]}))
        (self.folder / "jobs.jsonl").write_text('{"name":"a"}\n[1]\n')
        done = self.check(self.hsched("submit", "--from", "jobs.jsonl", cwd=self.folder), 6)
        self.assertIn("jobs.jsonl:2: a line is one job request", done.stderr)
        self.assertEqual(done.stdout, "1\n")
        self.assertEqual(len(server.requests), 1)
        for extra in (["true"], ["--vcpus", "2"], ["--dry-run"]):
            self.check(self.hsched("submit", "--from", "jobs.jsonl", *extra, cwd=self.folder), 2)

    def test_an_array_that_is_none_is_refused(self):
        for text in ("5-3", "3", "0-5%0", "0-5%", "a-b", "0-5x", "0-99999"):
            done = self.check(self.hsched("submit", "--array", text, "true"), 2)
            self.assertIn("is no array of at most 10000 tasks", done.stderr)

    def test_memory_is_read_in_its_units(self):
        for text, mib in (("512M", 512), ("512MiB", 512), ("2g", 2048), ("1.5G", 1536),
                          ("1T", 1048576), ("256", 256)):
            with self.subTest(text=text):
                self.assertEqual(self.sent("--memory", text, "true")["memory_mib"], mib)

    def test_a_file_is_sent_as_it_is_with_its_lines(self):
        script = ("#!/bin/sh\n# renders\n#HSCHED duration=2h\n\n#HSCHED min_run=15m\n"
                  "#HSCHED due=tomorrow 06:00  \necho hello\n#HSCHED vcpus=64\n")
        request = self.sent("job.sh", files={"job.sh": script})
        self.assertEqual(request, {"name": "job.sh", "duration": "2h", "min_run": "15m",
                                   "due": "tomorrow 06:00", "script": script})

    def test_a_line_after_the_first_command_is_said_not_to_count(self):
        (self.folder / "late.sh").write_text("#!/bin/sh\n#HSCHED duration=2h\ntrue\n#HSCHED vcpus=64\n")
        done = self.hsched("submit", "late.sh", cwd=self.folder)
        self.assertIn("note: late.sh:4: '#HSCHED' after the first command does not count", done.stderr)

    def test_options_beat_the_environment_which_beats_the_script(self):
        files = {"job.sh": "#!/bin/sh\n#HSCHED vcpus=1\n#HSCHED memory=1G\n#HSCHED duration=1h\n"
                           "#HSCHED site=a\n"}
        request = self.sent("--vcpus", "3", "--site", "c", "job.sh", files=files,
                            env={"HSCHED_VCPUS": "2", "HSCHED_MEMORY": "2G", "HSCHED_SITE": "b"})
        self.assertEqual((request["vcpus"], request["memory_mib"], request["duration"]),
                         (3, 2048, "1h"))
        self.assertEqual(request["sites"], ["c"])

    def test_standard_input_can_be_the_script(self):
        request = self.sent("-", stdin="#!/bin/sh\n#HSCHED duration=5m\ntrue\n")
        self.assertEqual((request["script"], request["duration"]),
                         ("#!/bin/sh\n#HSCHED duration=5m\ntrue\n", "5m"))

    def test_words_are_quoted_for_the_shell(self):
        for words, script in (
                (["--", "echo", "it's", "a b", ""], "exec echo 'it'\\''s' 'a b' ''"),
                (["/bin/echo", "$HOME"], "exec /bin/echo '$HOME'"),
                (["echo a; echo b"], "echo a; echo b"),
                (["sleep", "--help"], "exec sleep --help")):
            with self.subTest(words=words):
                self.assertEqual(self.sent(*words)["script"], f"#!/bin/sh\n{script}\n")

    def test_an_image_alone_is_enough(self):
        self.assertEqual(self.sent("--image", "batch"), {"image": "batch"})

    def test_wrong_options_are_usage_and_say_what_is_right(self):
        for words, sentence in (
                (["--duration", "90", "true"], "--duration:"),
                (["--due", "someday", "true"], "--due:"),
                (["--", ""], "the command is empty"),
                (["--memory", "lots", "true"], "write 512M or 2G"),
                (["--vcpus", "0", "true"], "of 1 or more"),
                (["--vcpus", "2x", "true"], "no whole number"),
                (["--env", "A", "true"], "no KEY=VALUE"),
                (["--interruptible=maybe", "true"], "neither yes nor no"),
                (["--duraton", "1h", "true"], "did you mean '--duration'?"),
                (["--site", ",", "true"], "names no site"),
                (["--name", "x"], "nothing to run")):
            with self.subTest(words=words):
                self.assertIn(sentence, self.refused(2, *words))
        self.assertIn("HSCHED_VCPUS:", self.refused(2, "true", env={"HSCHED_VCPUS": "x"}))

    def test_a_bare_number_is_refused_with_what_would_be_right(self):
        self.assertRegex(self.refused(2, "--duration", "90", "true"), r"90(m|s)")

    def test_a_wrong_script_is_an_invalid_file_with_its_line(self):
        for name, text, sentence in (
                ("a.sh", "#!/bin/sh\n#HSCHED duraton=1h\n", "a.sh:2: unknown key 'duraton'; did "
                                                             "you mean 'duration'?"),
                ("b.sh", "#!/bin/sh\n\n#HSCHED duration=90\n", "b.sh:3: duration:"),
                ("c.sh", "#HSCHED vcpus 3\n", "c.sh:1: write one '#HSCHED key=value' a line"),
                ("d.sh", "", "d.sh: the script is empty"),
                ("e.sh", "#" * 300000, "e.sh: a script may have at most 256 KiB")):
            with self.subTest(name=name):
                (self.folder / name).write_text(text, encoding="utf-8")
                self.assertIn(sentence, self.refused(6, name))

    def test_a_script_gets_no_arguments(self):
        (self.folder / "a.sh").write_text("#!/bin/sh\n", encoding="utf-8")
        self.assertIn("scripts get no arguments", self.refused(2, "a.sh", "x"))

    def test_a_script_that_is_not_there_is_noted(self):
        self.replay(answer(201, SUBMITTED))
        done = self.check(self.hsched("submit", "nosuch.sh", cwd=self.folder), 0)
        self.assertIn("there is no file nosuch.sh", done.stderr)

    def test_the_plan_is_said_and_the_id_stands_alone(self):
        self.replay(answer(201, dict(JOB, explanation=EXPLANATION)))
        done = self.check(self.hsched("submit", "true"), 0)
        self.assertEqual(done.stdout, "7\n")
        for part in ("waits for dearer heat at pool/main", "Mon 18:15Z to Mon 19:45Z on pool/h1",
                     "now 12.0 EUR/MWh, at the planned start 71.9 EUR/MWh at pool/main",
                     "start by Tue 04:30Z", "saves 0.11 EUR"):
            self.assertIn(part, done.stderr)

    def test_one_request_submits_and_explains(self):
        server = self.replay(answer(201, dict(JOB, explanation=EXPLANATION)), answer(200, EXPLANATION))
        done = self.check(self.hsched("submit", "true"), 0)
        self.assertEqual(len(server.requests), 1)
        self.assertIn("waits for dearer heat", done.stderr)

    def test_without_an_explanation_the_window_of_the_job_is_said(self):
        server = self.replay(answer(201, JOB), answer(200, EXPLANATION))
        done = self.check(self.hsched("submit", "true"), 0)
        self.assertEqual(len(server.requests), 1)
        self.assertIn("Mon 18:15Z to Mon 19:45Z on pool/h1", done.stderr)

    def test_what_cannot_be_met_is_accepted_with_status_8(self):
        job = dict(SUBMITTED, cannot_meet="it will be done 2h after its due time")
        self.replay(answer(201, job))
        done = self.check(self.hsched("submit", "true"), 8)
        self.assertEqual(done.stdout, "7\n")
        self.assertIn("hsched: accepted, but it will be done 2h after its due time", done.stderr)

    def test_a_dry_run_submits_nothing_and_prints_no_id(self):
        server = self.replay(answer(200, dict(JOB, id=None, explanation=EXPLANATION)))
        done = self.check(self.hsched("submit", "--dry-run", "true"), 0)
        self.assertEqual(server.requests[0]["target"], "/v1/jobs?dry_run=1")
        self.assertEqual(done.stdout, "")
        self.assertIn("nothing was submitted", done.stderr)
        self.assertIn("Mon 18:15Z", done.stderr)


if __name__ == "__main__":
    unittest.main()
