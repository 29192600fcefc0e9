#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The last line of ./dev test tells the truth: nothing that failed is counted as passed."""
import contextlib
import io
import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import summary  # noqa: E402

CMOCKA = "[ RUN      ] tank__is_full\n[       OK ] tank__is_full\n[ RUN      ] tank__leaks\n[  SKIPPED ] tank__leaks\n"
UNITTEST = ("test_a (__main__.A.test_a) ... ok\ntest_b (__main__.A.test_b)\nSays what it does. ... FAIL\n"
            "test_c (__main__.A.test_c) ... skipped 'no guests'\n")


def entry(name, result="OK", stdout="", stderr=""):
    return {"name": name, "result": result, "stdout": stdout, "stderr": stderr, "duration": 0.1}


class Summary(unittest.TestCase):
    """Runs main() over a log of @entries."""

    def judge(self, *entries):
        with tempfile.TemporaryDirectory() as folder:
            build = pathlib.Path(folder) / "build"
            (build / "meson-logs").mkdir(parents=True)
            (build / "meson-info").mkdir()
            tests = [{"name": e["name"], "suite": ["hsched:unit"]} for e in entries]
            (build / "meson-info" / "intro-tests.json").write_text(json.dumps(tests))
            log = build / "meson-logs" / "testlog.json"
            log.write_text("\n".join(map(json.dumps, entries)))
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                status = summary.main([str(log)])
        self.said = out.getvalue()
        return status, out.getvalue().splitlines()[-1]

    def test_counts_cases_of_both_frameworks(self):
        got = self.judge(entry("tank", stdout=CMOCKA), entry("demo", "FAIL", stderr=UNITTEST))
        self.assertEqual(got, (1, "2 passed, 1 failed, 2 skipped"))

    def test_figures_of_promises_are_shown_in_their_order(self):
        self.judge(entry("a", stderr="test_a (__main__.A.test_a) ... promise 10: 1 of 1\nok\n"),
                   entry("b", stdout="promise 9: 0 calls (promise: 10)\nno promise here\n"))
        self.assertEqual([line for line in self.said.splitlines() if "promise" in line],
                         ["promise 9: 0 calls (promise: 10)", "promise 10: 1 of 1"])

    def test_a_crash_is_a_failure(self):
        got = self.judge(entry("tank", "FAIL", stdout="[ RUN      ] tank__is_full\n"))
        self.assertEqual(got, (1, "0 passed, 1 failed, 0 skipped"))

    def test_a_leak_after_the_last_case_is_a_failure(self):
        got = self.judge(entry("tank", "FAIL", stdout=CMOCKA, stderr="LeakSanitizer: detected memory leaks"))
        self.assertEqual(got, (1, "1 passed, 1 failed, 1 skipped"))

    def test_a_time_out_is_a_failure(self):
        self.assertEqual(self.judge(entry("tank", "TIMEOUT", stdout=CMOCKA))[0], 1)

    def test_nothing_ran_is_a_failure(self):
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(summary.main(["/nonexistent/build/meson-logs/testlog.json"]), 1)

    def test_all_passed(self):
        self.assertEqual(self.judge(entry("tank", stdout="[       OK ] tank__is_full\n")),
                         (0, "1 passed, 0 failed, 0 skipped"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
