#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""hschedd, `hsim serve` and mosquitto_sub at a real mosquitto: the same values, also over a broker that is killed."""
import json
import os
import shutil
import signal
import socket
import subprocess
import unittest

from daemon_support import BUILD, rig
from plant_support import HOURS, PlantCase, PlantRig, at

# At this speed a message comes every three minutes of plan time, and the machine may be busy.
AGE = {"max_age": "20m"}
BROKER = shutil.which("mosquitto") or ("/usr/sbin/mosquitto" if os.path.exists("/usr/sbin/mosquitto") else None)
POINTS = {
    "loop": {
        "captured_heat_wh": {"mqtt": "bms", "topic": "pool/loop", "pointer": "/heat/captured_kwh", "scale": 1000},
        "tank/0.9_c": {"mqtt": "bms", "topic": "pool/loop", "pointer": "/tank/top", "min": 10, "max": 95,
                       "rate_per_s": 1},
        "tank/0.1_c": {"mqtt": "bms", "topic": "pool/tank_bottom", "min": 10, "max": 95},
        "rejection_wanted": {"mqtt": "bms", "topic": "hsched/rejection", "write": True},
        "heartbeat": {"mqtt": "bms", "topic": "hsched/beat", "write": True}},
    "sink": {
        "demand_heat_w": {"mqtt": "bms", "topic": "pool/basin", "pointer": "/demand_w", "max": 10000},
        "useful_heat_wh": {"mqtt": "bms", "topic": "pool/basin", "pointer": "/useful_wh"}},
    "rack": {"elec_w": {"mqtt": "bms", "topic": "hsched/r1/elec_w", "write": True}},
}


for things in POINTS.values():
    for point in things.values():
        point.update(AGE)


def find_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class MqttRig(PlantRig):
    def __init__(self, *faults, hours=HOURS, broker_lines=(), access=None, is_served=True):
        super().__init__(POINTS)
        self.port = find_port()
        self.plain_port = find_port() if broker_lines else self.port
        self.broker_lines = broker_lines
        self.broker = None
        self.start_broker()
        if is_served:
            self.start_server("--mqtt", f"bms=127.0.0.1:{self.plain_port}", hours=hours, faults=faults)
        self.set_plant({"mqtt": [{"name": "bms", "host": "127.0.0.1", "port": self.port, "write": True,
                                  **(access or {})}]})

    def start_broker(self):
        """On a port of its own; with @broker_lines a second listener that has them."""
        lines = [f"listener {self.plain_port} 127.0.0.1", "allow_anonymous true", "persistence false"]
        if self.broker_lines:
            lines = ["per_listener_settings true", *lines, f"listener {self.port} 127.0.0.1", *self.broker_lines]
        (self.dir / "mosquitto.conf").write_text("\n".join(lines) + "\n")
        self.broker = self.spawn(BROKER, "-c", self.dir / "mosquitto.conf", log="mosquitto.log")
        self.wait_for("mosquitto", self.broker_answers, self.broker, "mosquitto.log")

    def broker_answers(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill_broker(self):
        self.broker.kill()
        self.broker.wait()

    def hear(self, topic, timeout_s=10):
        """The next message there, as mosquitto_sub prints it."""
        return subprocess.check_output(["mosquitto_sub", "-h", "127.0.0.1", "-p", str(self.plain_port), "-t", topic,
                                        "-C", "1", "-W", str(timeout_s)], text=True).strip()

    def say(self, topic, text, *options):
        subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(self.plain_port), "-t", topic, "-m", text, *options],
                       check=True, timeout=10)


@unittest.skipUnless(BROKER and shutil.which("mosquitto_sub"), "no mosquitto")
class Mqtt(PlantCase):
    def open(self, *faults, **options):
        self.rig = MqttRig(*faults, **options)
        self.addCleanup(self.rig.__exit__, None, None, None)
        self.rig.__enter__()
        return self.rig

    def test_values__are_those_that_mosquitto_sub_hears(self):
        plant = self.open(f"freeze@{at(3)}+100d", hours=24 * 7)
        self.wait("time", lambda: plant.now() > rig.parse_time(at(4)))
        loop = json.loads(plant.hear("pool/loop"))
        basin = json.loads(plant.hear("pool/basin"))
        readings = plant.readings()
        for point, got in (("pool/main/captured_heat_wh", loop["heat"]["captured_kwh"] * 1000),
                           ("pool/main/tank/0.9_c", loop["tank"]["top"]),
                           ("pool/main/tank/0.1_c", float(plant.hear("pool/tank_bottom"))),
                           ("pool/main/basin/demand_heat_w", basin["demand_w"]),
                           ("pool/main/basin/useful_heat_wh", basin["useful_wh"])):
            self.assertEqual(readings[point]["quality"], "good", point)
            self.assertAlmostEqual(readings[point]["value"], got, delta=1e-9 * abs(got), msg=point)
            self.assertGreater(got, 0, point)
        self.assertIn(plant.hear("hsched/beat"), ("0", "1"))
        self.assertGreater(float(plant.hear("hsched/r1/elec_w")), 100)

    def test_figures__are_the_truth_over_faults_and_a_broker_killed_twice(self):
        plant = self.open(f"nan:pool/main/tank/0.9_c@{at(2)}+30m", f"scale:pool/main/basin/demand_heat_w@{at(3)}+30m")
        plant.hsched("submit", "--duration", "3h", "--vcpus", "10", "--", "work")
        for hours in (4, 6):
            plant.wait_until(rig.parse_time(at(hours)))
            plant.kill_broker()
            self.wait("loss", lambda: plant.log().count("connection lost") >= hours // 3, 20)
            plant.start_broker()
        self.watch()
        self.assert_counters()
        self.assertGreater(plant.truth()["points"]["pool/main/captured_heat_wh"], 0.8 * (150 * HOURS + 700))
        self.assertGreaterEqual(plant.log().count(f"mqtt 'bms' at 127.0.0.1:{plant.port}: connected"), 3)
        for text in ("nan is not-a-number", "is out-of-range", "nan is stale", "is unconfirmed"):
            self.assertIn(text, plant.log())

    def test_last_will__says_that_the_daemon_is_gone(self):
        plant = self.open(is_served=False)
        self.wait("status", lambda: plant.hear("hsched/main/status") == "online")
        plant.daemon.send_signal(signal.SIGKILL)
        self.wait("will", lambda: plant.hear("hsched/main/status") == "offline")

    def hear_all(self, topic, seconds=2):
        """All that comes there in that time: {topic: JSON}."""
        done = subprocess.run(["mosquitto_sub", "-h", "127.0.0.1", "-p", str(self.rig.plain_port), "-t", topic, "-v", "-W",
                               str(seconds)], capture_output=True, text=True, check=False)
        return {line.split(" ", 1)[0]: json.loads(line.split(" ", 1)[1]) for line in done.stdout.splitlines()}

    def test_own_figures__are_found_by_home_assistant(self):
        plant = self.open(access={"discovery": "homeassistant"}, hours=24 * 7)
        self.wait("figures", lambda: plant.readings()["pool/main/basin/demand_heat_w"]["quality"] == "good")
        for _ in range(2):  # and again at a broker that forgot
            configs = self.hear_all("homeassistant/#")
            self.assertEqual(len(configs), 12)
            demand = configs["homeassistant/sensor/hsched_main_pool_main_demand_heat_w/config"]
            self.assertEqual((demand["unit_of_measurement"], demand["device_class"], demand["state_topic"],
                              demand["availability_topic"]),
                             ("W", "power", "hsched/main/pool/main", "hsched/main/status"))
            self.assertIn("value_json.demand_heat_w", demand["value_template"])
            self.assertEqual(len({config["unique_id"] for config in configs.values()}), 12)
            self.assertIn("homeassistant/binary_sensor/hsched_main_pool_main_rejection_wanted/config", configs)
            state = json.loads(plant.hear("hsched/main/pool/main"))
            self.assertTrue(900 <= state["demand_heat_w"] <= 5100, state)
            self.assertIn(state["rejection_wanted"], (True, False))
            site = json.loads(plant.hear("hsched/main/pool"))
            self.assertGreater(site["it_w"], 100)
            self.assertEqual(plant.hear("hsched/main/status"), "online")
            n_before = plant.log().count(": connected")
            plant.kill_broker()
            plant.start_broker()
            self.wait("link", lambda n=n_before: plant.log().count(": connected") > n)

    def test_messages__that_are_old_wrong_or_repaired(self):
        plant = self.open(is_served=False)
        plant.say("pool/basin", '{"demand_w": 4999}', "-r")
        self.rig.end(plant.daemon)
        plant.start_daemon()  # what the broker kept is of unknown age
        self.wait("link", lambda: plant.log().count("connected") >= 2)
        for _ in range(3):
            plant.say("pool/basin", '{"demand_w": 3000, "useful_wh": 10}')
        self.wait("value", lambda: plant.readings()["pool/main/basin/demand_heat_w"]["value"] == 3000)
        self.assertNotIn("4999", json.dumps(plant.readings()))
        for text in ('{"demand_w": "lots"}', '{"demand_w": ', '{"other": 1}', '{"demand_w": [1]}', "\x7f" * 90000):
            plant.say("pool/basin", text)
        plant.say("pool/basin", '{"demand_w": 3001}')
        self.wait("value", lambda: plant.readings()["pool/main/basin/demand_heat_w"]["value"] == 3001)
        self.assertIn("not a reading: mqtt 'bms', point 'pool/main/basin/demand_heat_w', topic 'pool/basin': 'lots' is "
                      "not a number", plant.log())
        plant.say("pool/basin", '{"demand_w": null}')
        self.wait("unknown", lambda: plant.readings()["pool/main/basin/demand_heat_w"]["quality"] == "not-a-number")
        self.assertEqual(plant.readings()["pool/main/basin/demand_heat_w"]["value"], 3001)

    def make_certificates(self, folder):
        def openssl(*args):
            subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True)
        for name in ("ca", "other"):
            openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=127.0.0.1",
                "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "broker.key", "-out", "broker.csr")
        openssl("x509", "-req", "-in", "broker.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2",
                "-copy_extensions", "copy", "-out", "broker.pem")

    def test_tls__with_a_password_that_changes_and_only_whom_we_trust(self):
        folder = rig.pathlib.Path(rig.tempfile.mkdtemp(prefix="hsched-"))
        self.addCleanup(shutil.rmtree, folder, True)
        self.make_certificates(folder)
        subprocess.run(["mosquitto_passwd", "-b", "-c", "users", "hsched", "right"], cwd=folder, check=True)
        os.chmod(folder / "users", 0o644)
        (folder / "password").write_text("wrong\n")
        os.chmod(folder / "password", 0o600)
        os.chmod(folder, 0o755)
        os.chmod(folder / "broker.key", 0o644)
        lines = ["allow_anonymous false", f"password_file {folder}/users", f"cafile {folder}/ca.pem",
                 f"certfile {folder}/broker.pem", f"keyfile {folder}/broker.key"]
        access = {"user": "hsched", "password_file": str(folder / "password"), "tls": {"ca": str(folder / "ca.pem")}}
        plant = self.open(is_served=False, broker_lines=lines, access=access)
        self.wait("refusal", lambda: "the broker refuses: Connection Refused: not authorised" in plant.log())
        (folder / "password").write_text("right\n")
        self.wait("link", lambda: f"at 127.0.0.1:{plant.port}: connected" in plant.log())
        self.rig.end(plant.daemon)
        access["tls"]["ca"] = str(folder / "other.pem")
        plant.set_plant({"mqtt": [{"name": "bms", "host": "127.0.0.1", "port": plant.port, "write": True, **access}]})
        plant.start_daemon()
        self.wait("distrust", lambda: "A TLS error occurred" in plant.log())
        self.assertEqual(plant.log().count(": connected"), 1)

    def test_bad_files__are_found_before_the_start(self):
        plant = self.open(is_served=False)
        for change, want in (({"tls": {"ca": "none.pem"}}, "tls: a file of 'ca', 'cert' and 'key' cannot be read"),
                             ({"password_file": "none"}, "cannot read"), ({"status_topic": "a/#"}, "is no topic"),
                             ({"discovery": "homeassistant", "write": False}, "needs \"write\": true"),
                             ({"name": "bmz"}, "no broker 'bms' under plant.mqtt")):
            plant.config["plant"]["mqtt"] = [{"name": "bms", "host": "127.0.0.1", "write": True, **change}]
            (plant.dir / "bad.json").write_text(json.dumps(plant.config))
            done = subprocess.run([str(rig.program(BUILD, "hschedd")), "--config", str(plant.dir / "bad.json"), "--check"],
                                  capture_output=True, text=True, timeout=20, check=False)
            self.assertEqual(done.returncode, 6, done.stderr)
            self.assertIn(want, done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
