#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""hschedd --check: good files pass, bad ones exit 6 and say where and what would be right."""
import json
import shutil
import subprocess
import unittest

from daemon_support import BUILD, ROOT, Files, rig


class Check(unittest.TestCase):
    def setUp(self):
        self.files = Files()
        self.addCleanup(self.files.close)

    def refused(self, *wanted):
        status, _, err = self.files.check()
        self.assertEqual(status, 6, err)
        for pattern in wanted:
            self.assertRegex(err, pattern)
        return err

    def test_good_files__pass(self):
        status, out, err = self.files.check()
        self.assertEqual((status, err), (0, ""))
        self.assertIn("ok", out)

    def test_what_cannot_work__is_noted_and_passes(self):
        self.files.estate["sites"][0]["racks"][0]["cooling"] = "air-to-water"
        status, out, err = self.files.check()
        self.assertEqual((status, err), (0, "note: rack 'pool/r1': cooling air-to-water hands over heat at 30 °C at "
                                            "most, loop 'pool/main' wants 45 °C; lower its supply_c or give its sinks "
                                            "a heat pump\n"))
        self.assertIn("ok", out)

    def test_example__passes(self):
        shutil.copytree(ROOT / "docs/examples", self.files.dir / "examples")
        done = subprocess.run([str(rig.program(BUILD, "hschedd")), "--check", "--config",
                               str(self.files.dir / "examples/hschedd.json")], capture_output=True, text=True,
                              check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_unknown_key__is_placed_and_the_nearest_named(self):
        self.files.config["polices"] = "policies.d"
        self.refused(r"hschedd\.json:\d+:\d+: /polices: .*'policies'")

    def test_wrong_type__is_placed(self):
        self.files.config["speed"] = "fast"
        self.refused(r"hschedd\.json:\d+:\d+: /speed: must be a number")

    def test_all_errors__come_at_once(self):
        self.files.config.update(speed="fast", store="etcd", cell=7)
        self.files.estate["sites"][0]["racks"][0]["hosts"][0]["vcpus"] = -1
        err = self.refused(r"hschedd\.json:\d+:\d+: /speed", r"/store", r"/cell", r"estate\.json:\d+:\d+: ")
        self.assertGreaterEqual(len(err.splitlines()), 4)

    def test_unknown_time_zone__is_placed_and_the_nearest_named(self):
        self.files.estate["sites"][0]["timezone"] = "Europe/Berln"
        self.refused(r"estate\.json:\d+:\d+: /sites/0/timezone: no time zone .* did you mean 'Europe/Berlin'")

    def test_holidays_and_closed_days__are_read(self):
        self.files.estate["sites"][0].update(timezone="Europe/Berlin", holidays="DE-NW",
                                             closed=["2026-12-24", "2026-07-20/2026-09-01"])
        self.assertEqual(self.files.check()[0], 0)

    def test_bad_holidays_and_closed_days__are_placed(self):
        self.files.estate["sites"][0].update(holidays="DE-NX", closed=["24.12.2026"])
        self.refused(r"/sites/0/holidays: ", r"/sites/0/closed/0: '24.12.2026' is no day, write it as")

    def test_weather__passes_with_a_service_a_file_and_a_record(self):
        for entry in ({"kind": "open-meteo"}, {"kind": "met-norway", "contact": "ops@example.org"},
                      {"kind": "csv", "path": "issues.csv.gz"}, {"kind": "met-norway", "path": "met.json"},
                      {"kind": "open-meteo", "url": "https://weather.example.org/v1/forecast?a=b"}):
            self.files.config["weather"] = [{"site": "pool", **entry}]
            self.files.write("hschedd.json", self.files.config)
            status, _, err = self.files.check()
            self.assertEqual((status, err), (0, ""), entry)

    def test_weather__says_what_is_missing(self):
        for entry, wanted in (({"site": "pond", "kind": "open-meteo"}, "no site 'pond'"),
                              ({"site": "pool", "kind": "crystal"}, "kind: .*met-norway"),
                              ({"site": "pool", "kind": "csv"}, "needs 'path'"),
                              ({"site": "pool", "kind": "met-norway"}, "needs 'contact'"),
                              ({"site": "pool", "kind": "met-norway", "contact": "a\nHost: b"}, "plain ASCII"),
                              ({"site": "pool", "kind": "open-meteo", "url": "http://example.org/"}, "https://"),
                              ({"site": "pool", "kind": "open-meteo", "url": "https://a.b/", "path": "c"},
                               "leave one out")):
            self.files.config["weather"] = [entry]
            self.files.write("hschedd.json", self.files.config)
            self.refused(r"hschedd\.json:\d+:\d+: /weather/0.*" + wanted)

    def test_weather_of_a_service__is_for_real_time_only(self):
        self.files.config.update(speed=60, weather=[{"site": "pool", "kind": "open-meteo"}])
        self.refused(r"/weather/0: .*today's weather only")

    def test_weather_of_a_site_without_a_place__is_refused(self):
        del self.files.estate["sites"][0]["latitude"]
        self.files.config["weather"] = [{"site": "pool", "kind": "open-meteo"}] * 2
        self.refused(r"needs latitude", r"/weather/1: .*listed twice")

    def test_missing_estate_file__is_named(self):
        self.files.config["estate"] = "nowhere.json"
        self.refused(r"nowhere\.json")

    def test_missing_estate_field__is_named(self):
        del self.files.config["estate"]
        self.refused(r"hschedd\.json:1:1: .*'estate' is missing")

    def test_malformed_json__is_placed(self):
        self.files.write("hschedd.json", '{"api": "hsched.daemon/v1",\n "cell": }')
        self.refused(r"hschedd\.json:2:\d+")

    def test_socket_in_no_directory__is_refused(self):
        self.files.config["listen"] = [{"unix": "nowhere/hschedd.sock"}]
        self.refused(r"hschedd\.json:\d+:\d+: /listen/0/unix: .*nowhere' does not exist")

    def test_socket_path_of_a_file__is_refused(self):
        self.files.write("plain", "")
        self.files.config["listen"] = [{"unix": "plain"}]
        self.refused(r"/listen/0/unix: .* is not a socket")

    def test_socket_path_too_long__is_refused(self):
        self.files.config["listen"] = [{"unix": "s" * 120}]
        self.refused(r"/listen/0/unix: .* is longer than 107")

    def test_same_socket_twice__is_refused(self):
        self.files.config["listen"] *= 2
        self.refused(r"/listen/1: .*listed twice")

    def test_tcp__is_not_supported_yet(self):
        self.files.config["listen"].append({"tcp": "127.0.0.1:8480"})
        self.refused(r"hschedd\.json:\d+:\d+: /listen/1: .*not supported yet")

    def test_duplicate_site__is_placed(self):
        self.files.estate["sites"].append(json.loads(json.dumps(self.files.estate["sites"][0])))
        self.refused(r"estate\.json:\d+:\d+: /sites/1.*pool")

    def test_bad_policy__is_placed(self):
        self.files.config["policies"] = "policies.d"
        self.files.write("policies.d/10.json", {"api": "hsched.policy/v1", "name": "x",
                                                "weights": {"heat": "much"}})
        self.refused(r"policies\.d/10\.json:\d+:\d+: /weights/heat: ")

    def test_missing_policies__are_refused(self):
        self.files.config["policies"] = "policies.d"
        self.refused(r"policies\.d: cannot read")

    def test_unknown_user__is_placed(self):
        self.files.config["auth"] = {"unix_users": ["no-such-user"]}
        self.refused(r"/auth/unix_users/0: ")

    def test_no_redis__is_refused(self):
        del self.files.config["store"]
        self.refused(r"needs 'redis'")

    def test_redis_url__is_placed(self):
        del self.files.config["store"]
        self.files.config.update(redis={"url": "localhost"}, readings={"url": "redis://h:99999"})
        self.refused(r"hschedd\.json:\d+:\d+: /redis/url: ", r"hschedd\.json:\d+:\d+: /readings/url: ")

    def redis(self, **fields):
        del self.files.config["store"]
        self.files.config["redis"] = {"url": "unix:/run/redis.sock", **fields}

    def test_password_file__must_be_closed_to_others(self):
        self.redis(password_file="password")
        self.files.write("password", "secret\n")
        for mode in (0o640, 0o604, 0o620):
            (self.files.dir / "password").chmod(mode)
            self.assertNotIn("secret\n", self.refused(rf"/redis: .*password' holds a secret .*mode {mode:04o}.*chmod 600"))
        (self.files.dir / "password").chmod(0o600)
        self.assertEqual(self.files.check()[0], 0)

    def test_password_file__holds_one_line(self):
        self.redis(password_file="password")
        for text in ("", "\n", "two\nlines\n"):
            self.files.write("password", text)
            (self.files.dir / "password").chmod(0o600)
            self.refused(r"/redis: .*must hold one line")

    def test_password_twice__is_refused(self):
        self.redis(url="redis://:secret@h", password_file="password")
        self.assertNotIn("secret", self.refused(r"/redis: the password is in the url and in password_file"))

    def test_tls_without_rediss__is_refused(self):
        self.redis(url="redis://h", tls={"server_name": "h"})
        self.refused(r"/redis: tls needs an url that begins with rediss://")

    def test_tls_files__are_looked_at(self):
        self.redis(url="rediss://h", tls={"ca": "ca.pem"})
        self.refused(r"/redis: ca '.*/ca\.pem' holds no certificates: No such file")
        (self.files.dir / "hschedd.json").unlink()
        self.files.config["redis"]["tls"] = {"cert": "cert.pem"}
        self.refused(r"/redis: cert and key go together")

    def test_duplicate_key__is_placed(self):
        self.files.write("hschedd.json", '{"cell": "a",\n "cell": "b"}')
        self.refused(r"hschedd\.json:2:\d+: .*cell")

    def test_number_out_of_range__is_placed_with_its_bounds(self):
        self.files.config["speed"] = 0
        self.refused(r"hschedd\.json:\d+:\d+: /speed: must be 0\.001 to 100000, is 0")

    def test_fast_clock__needs_simulated_hosts(self):
        self.files.config["speed"] = 61
        self.assertEqual(self.files.check()[0], 0)
        self.files.estate["sites"][0]["racks"][0]["hosts"][0]["uri"] = "qemu:///system"
        (self.files.dir / "estate.json").unlink()
        self.refused(r"/speed: over 60 every host must be simulated, 'pool/h1' is 'qemu:///system'")

    def test_unknown_sink_and_site__are_placed(self):
        self.files.write("heat.csv", "at,heat_kw\n2026-01-05T10:00:00Z,1\n")
        self.files.config["plant"] = {"kind": "csv", "heat": [
            {"sink": "pool/main/jacuzzi", "csv": "heat.csv", "column": "heat_kw"}]}
        self.files.config["signals"] = {"price": [{"site": "moon", "csv": "heat.csv", "column": "heat_kw"}]}
        self.refused(r"/plant/heat/0: no sink 'pool/main/jacuzzi'", r"/signals/price/0: no site 'moon'")

    def test_missing_series__is_named(self):
        self.files.config["plant"] = {"kind": "sim", "heat": [
            {"sink": "pool/main/basin", "csv": "nowhere.csv", "column": "heat_kw"}]}
        self.refused(r"hschedd\.json:\d+:\d+: /plant/heat/0: .*nowhere\.csv")

    def test_simulated_plant__needs_heat_of_every_sink(self):
        self.files.config["plant"] = {"kind": "sim"}
        self.refused(r"/plant: sink 'pool/main/basin' needs a series")


class Usage(unittest.TestCase):
    def run_it(self, *args):
        return subprocess.run([str(rig.program(BUILD, "hschedd")), *args], capture_output=True, text=True,
                              timeout=20, check=False)

    def test_help_and_version__go_to_stdout(self):
        for args in (["--help"], ["--version"]):
            done = self.run_it(*args)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("hschedd", done.stdout)

    def test_no_config_or_nonsense__is_usage(self):
        for args in ([], ["--nonsense"], ["--config", "x", "y"], ["--log-level", "loud", "--config", "x"]):
            done = self.run_it(*args)
            self.assertEqual((done.returncode, done.stdout), (2, ""), args)
        self.assertIn("name hschedd.json with --config FILE", self.run_it().stderr)
        self.assertIn("takes no words, only options: y", self.run_it("--config", "x", "y").stderr)

    def test_missing_file__is_a_bad_file(self):
        done = self.run_it("--config", "nowhere.json")
        self.assertEqual(done.returncode, 6)
        self.assertIn("nowhere.json", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
