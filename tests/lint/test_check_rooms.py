#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every rule of check_rooms.py bites on its fixture, and on nothing else there."""
import pathlib
import re
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import check_rooms  # noqa: E402


class Rules(unittest.TestCase):
    """One test a rule, made below from the table of rules."""

    def test_clean_tree_passes(self):
        self.assertEqual(check_rooms.Checker(HERE / "fixtures" / "clean").run(), [])

    def test_no_fixture_without_a_rule(self):
        folders = {f.name for f in (HERE / "fixtures").iterdir()}
        self.assertEqual(folders - {"clean"}, set(check_rooms.RULES))

    def bites(self, rule):
        root = HERE / "fixtures" / rule
        breaches = check_rooms.Checker(root).run()
        self.assertTrue(breaches, f"nothing found in {root.name}")
        for breach in breaches:
            self.assertIn(f"[{rule}]", breach)
        for file in root.glob("**/bad_*"):
            rel = file.relative_to(root).as_posix()
            self.assertTrue(any(b.startswith(rel + ":") for b in breaches), f"{rel} went unseen")


def _add(rule):
    name = "test_" + re.sub(r"\W", "_", rule) + "__bites_on_its_fixture"
    setattr(Rules, name, lambda self: self.bites(rule))


for _rule in check_rooms.RULES:
    _add(_rule)

if __name__ == "__main__":
    unittest.main(verbosity=2)
