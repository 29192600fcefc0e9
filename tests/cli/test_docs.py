#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the pages show, works: runs every ```sh block of README.md, CONTRIBUTING.md and docs/.

Each page's blocks run in order in one copy of the tree's pages, with the programs on PATH. A
page that talks to the daemon says `<!-- with: daemon -->` once; it then gets a private one. A
block that needs more says so in the comment above it, `<!-- run by: what runs it instead -->`.
A block that begins with `#!` is a file to read, not commands. What could harm the machine that
tests must never stand in a block that is run."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
import rig  # noqa: E402

BUILD = pathlib.Path(os.environ.get("HSCHED_BUILD", ROOT / "build"))
# A guest's script belongs in a ```text block: run here, it would act on the reader's machine.
HARMFUL = re.compile(r"\b(poweroff|halt|reboot|shutdown|sudo|mkfs|mount|dd|apt|apt-get|systemctl|rm -rf|kill|pkill)\b")
BLOCK = re.compile(r"(?:<!--(?P<note>(?:(?!-->).)*)-->\s*\n)?```sh\n(?P<text>.*?)```", re.S)


def pages():
    found = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [p for p in found if "```sh" in p.read_text()]


def blocks_of(page):
    """[(line, text)] of the blocks that are to be run."""
    text = page.read_text()
    for hit in BLOCK.finditer(text):
        if not hit["text"].startswith("#!") and "run by:" not in (hit["note"] or ""):
            yield text.count("\n", 0, hit.start("text")) + 1, hit["text"]


def example_scenario(folder):
    subprocess.run([sys.executable, ROOT / "docs/examples/demo/generate.py", "--out", folder], check=True,
                   stdout=subprocess.DEVNULL)
    return rig.read_scenario(folder / "scenario.json")


class Pages(unittest.TestCase):
    """One test a page, made below."""

    def test_pages_are_found(self):
        self.assertTrue(pages())

    def test_no_block_could_harm_the_machine(self):
        harmful = [f"{p.relative_to(ROOT)}:{line}" for p in pages() for line, text in blocks_of(p) if HARMFUL.search(text)]
        self.assertEqual(harmful, [])

    def run_blocks(self, page, env, cwd):
        for line, text in blocks_of(page):
            where = f"{page.relative_to(ROOT)}:{line}"
            done = subprocess.run(["bash", "-euo", "pipefail", "-c", text], cwd=cwd, env=env, text=True,
                                  capture_output=True, timeout=120, check=False)
            self.assertEqual(done.returncode, 0, f"{where}:\n{text}{done.stdout[-2000:]}{done.stderr[-2000:]}")

    def check(self, page):
        self.test_no_block_could_harm_the_machine()
        with tempfile.TemporaryDirectory(prefix="hsched-docs-") as folder:
            cwd = pathlib.Path(folder) / "tree"
            shutil.copytree(ROOT / "docs", cwd / "docs")
            (cwd / "build").symlink_to(BUILD.resolve())
            folders = [str(rig.program(BUILD, n).parent) for n in ("hsched", "hschedd", "hsim")]
            env = {**os.environ, "PATH": ":".join([*folders, os.environ["PATH"]])}
            if "<!-- with: daemon -->" not in page.read_text():
                self.run_blocks(page, env, cwd)
                return
            scenario = example_scenario(pathlib.Path(folder) / "day")
            with rig.Rig(BUILD, scenario, speed=60, policies=ROOT / "docs/examples/demo/policies.d") as daemon:
                self.run_blocks(page, {**env, **daemon.env, "PATH": env["PATH"]}, cwd)


def _add(page):
    name = "test_" + re.sub(r"\W+", "_", page.relative_to(ROOT).as_posix()) + "__commands_work"
    setattr(Pages, name, lambda self: self.check(page))


for _page in pages():
    _add(_page)

if __name__ == "__main__":
    unittest.main(verbosity=2)
