#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Layout, shell scripts, example files and links: what a machine can read over for us."""
import json
import pathlib
import re
import shutil
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def tree(*suffixes):
    """Our files with one of @suffixes ("": any), build folders and lint fixtures left out."""
    for file in sorted(ROOT.rglob("*")):
        parts = file.relative_to(ROOT).parts
        hidden = parts[0].startswith(".") and parts[0] != ".ci"
        if hidden or parts[0].startswith("build") or "fixtures" in parts or "__pycache__" in parts:
            continue
        if file.is_file() and (not suffixes or file.suffix in suffixes):
            yield file


def run(*command):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


class Files(unittest.TestCase):
    def test_rooms_are_kept(self):
        got = run("python3", "tests/lint/check_rooms.py", str(ROOT))
        self.assertEqual(got.returncode, 0, got.stdout + got.stderr)

    @unittest.skipUnless(shutil.which("clang-format"), "clang-format is not installed")
    def test_sources_are_laid_out_by_clang_format(self):
        got = run("clang-format", "--dry-run", "-Werror", *map(str, tree(".c", ".h")))
        files = sorted({line.split(":")[0] for line in got.stderr.splitlines() if "error:" in line})
        self.assertEqual(got.returncode, 0, "run ./dev fmt:\n" + "\n".join(files))

    @unittest.skipUnless(shutil.which("shellcheck"), "shellcheck is not installed")
    def test_shell_scripts_pass_shellcheck(self):
        scripts = []
        for file in tree("", ".sh"):
            with file.open("rb") as opened:
                if re.match(rb"#!.*\b(ba)?sh\b", opened.readline()):
                    scripts.append(str(file))
        self.assertTrue(scripts)
        got = run("shellcheck", "-x", *scripts)
        self.assertEqual(got.returncode, 0, got.stdout)

    def test_example_json_is_json(self):
        for file in tree(".json"):
            with self.subTest(file=file.name):
                json.loads(file.read_text())

    def test_python_files_compile(self):
        for file in tree(".py"):
            compile(file.read_text(), str(file), "exec")

    def test_links_between_pages_lead_somewhere(self):
        dead = []
        for page in tree(".md"):
            for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
                if "://" not in target and not (page.parent / target).exists():
                    dead.append(f"{page.relative_to(ROOT)}: {target}")
        self.assertEqual(dead, [])

    def test_no_large_file_is_kept(self):
        large = [str(f.relative_to(ROOT)) for f in tree() if f.stat().st_size > 400 * 1024]
        self.assertEqual(large, [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
