# SPDX-License-Identifier: Apache-2.0
"""Nothing sees the future: what lies after an origin is destroyed, in heat and in the weather that
was not to be known, and what every model says at that origin stays the same to the last bit.
On a SYNTHETIC series (tests/support/heatseries.py) and, where the shared folder is there, on a
measured one with the weather forecasts that were issued for it."""

import csv
import gzip
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import heatseries  # noqa: E402

HSIM = os.environ["HSIM"]
DATA = pathlib.Path(os.environ.get("HSCHED_TEST_SHARED", "/nonexistent")) / "data"


def read_table(path):
    opened = gzip.open(path, "rt") if path.suffix == ".gz" else path.open()
    with opened as file:
        rows = list(csv.reader(file))
    return rows[0], rows[1:]


def write_table(path, header, rows):
    path.write_text("".join(",".join(row) + "\n" for row in [header, *rows]))
    return path


def garbage(row, header, spared):
    return [row[0]] + [cell if name in spared else str(37 + i) for i, (name, cell) in
                       enumerate(zip(header[1:], row[1:]))]


class Cases:
    """Mixed into a TestCase that sets heat (a path), issued (a path), origins."""

    def setUp(self):
        temp = tempfile.TemporaryDirectory()
        self.addCleanup(temp.cleanup)
        self.folder = pathlib.Path(temp.name)
        self.prepare()
        self.header, self.rows = read_table(self.heat)
        self.first = heatseries.parse_stamp(self.rows[0][0])
        if os.environ.get("HSCHED_TEST_SHORT"):  # a sanitizer's run: slower, and the same code
            self.origins = self.origins[-1:]

    def dump(self, heat, weather, origins):
        path, list_path = self.folder / "dump.csv", self.folder / "origins.txt"
        list_path.write_text("".join(f"{origin}\n" for origin in origins))
        done = subprocess.run([HSIM, "forecast", "--heat", heat, "--weather", weather, "--origins", list_path, "--dump", path],
                              capture_output=True, text=True, check=False, timeout=200)
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = {origin: [] for origin in origins}
        for line in path.read_text().splitlines()[1:]:
            lines[int(line.split(",")[0])].append(line)
        return lines

    def is_past(self, stamp, origin):
        return heatseries.parse_stamp(stamp) - self.first < origin * 3600

    def destroyed(self, origin, spared=(), is_cut=False):
        rows = []
        for row in self.rows:
            if self.is_past(row[0], origin):
                rows.append(row)
            elif not is_cut:
                rows.append(garbage(row, self.header, spared))
        return write_table(self.folder / "destroyed.csv", self.header, rows)

    def same(self, got, wanted, what):
        self.assertEqual(len(got), len(wanted), what)
        for one, other in zip(got, wanted):
            if one != other:
                self.fail(f"{what}: {one} is not {other}")

    def check(self, weather, destroy, weather_of=lambda origin: None):
        whole = self.dump(self.heat, weather, self.origins)
        for i, origin in enumerate(self.origins):
            before = self.origins[: i + 1]
            lines = self.dump(destroy(origin), weather_of(origin) or weather, before)
            self.assertGreater(len(lines[origin]), 48, "no model spoke")
            for earlier in before:
                self.same(lines[earlier], whole[earlier], f"{weather}, origin {earlier} h, destroyed after {origin} h")

    def test_persisted(self):
        self.check("persisted", self.destroyed)

    def test_persisted_when_the_rest_of_the_file_is_not_there(self):
        self.check("persisted", lambda origin: self.destroyed(origin, is_cut=True))

    def test_none(self):
        self.check("none", self.destroyed)

    def test_none_does_not_see_past_weather_either(self):
        heat_only = write_table(self.folder / "heat_only.csv", self.header[:2], [row[:2] for row in self.rows])
        seen, unseen = (self.dump(path, "none", self.origins) for path in (self.heat, heat_only))
        for origin in self.origins:
            self.same(seen[origin], unseen[origin], f"none, origin {origin} h")

    def test_perfect_sees_weather_alone(self):
        spared = ("t_out_c", "ghi_w_m2", "wind_m_s")
        self.check("perfect", lambda origin: self.destroyed(origin, spared))

    def test_perfect_does_see_the_weather(self):
        """That the check can fail: with the weather destroyed too, who uses weather says something else."""
        origin = self.origins[-1]
        whole = self.dump(self.heat, "perfect", [origin])
        blind = self.dump(self.destroyed(origin), "perfect", [origin])
        users = {line.split(",")[1] for line in set(whole[origin]) - set(blind[origin])}
        naive = {"persistence", "yesterday", "lastweek"}
        self.assertFalse(users & naive)
        self.assertTrue(users, "no model uses the weather")

    def test_issued_uses_no_later_issue(self):
        header, rows = read_table(self.issued)

        def later_destroyed(origin):
            kept = [row if self.is_past(row[0], origin) or heatseries.parse_stamp(row[0]) - self.first == origin * 3600
                    else [*row[:3], *("40" for _ in row[3:])] for row in rows]
            return write_table(self.folder / "fc_destroyed.csv", header, kept)

        self.check(str(self.issued), self.destroyed, later_destroyed)


class Synthetic(Cases, unittest.TestCase):
    origins = [60, 404, 671]

    def prepare(self):
        rows = heatseries.make_rows(31)
        self.heat = heatseries.write(self.folder / "heat.csv", rows, skip=range(300, 305))
        self.issued = heatseries.write_issued(self.folder / "fc.csv", rows)


@unittest.skipUnless(DATA.is_dir(), f"the shared series are not at {DATA}")
class Shared(Cases, unittest.TestCase):
    origins = [468, 777]

    def prepare(self):
        self.heat = DATA / "heat_dk_sonderborg_house1.csv"
        self.issued = DATA / "wxfc_dk_sonderborg.csv.gz"


if __name__ == "__main__":
    unittest.main()
