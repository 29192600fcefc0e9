#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""TLS to a real Redis: what is trusted, what is refused and in which words, and renewal without a restart."""
import json
import pathlib
import socket
import subprocess
import tempfile
import unittest

from daemon_support import BUILD, rig
from faulty_redis import JOB, FaultyRig


def openssl(*args, folder):
    subprocess.run(["openssl", *map(str, args)], cwd=folder, capture_output=True, check=True)


class Certificates:
    """Two authorities and what they signed, as files in a folder."""

    def __init__(self, folder):
        self.dir = folder
        for authority in ("ca", "other-ca"):
            openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", f"/CN={authority}", "-keyout", f"{authority}.key", "-out", f"{authority}.pem", folder=folder)
        self.sign("server", "ca", "DNS:redis.test,IP:127.0.0.1")
        self.sign("named", "ca", "DNS:elsewhere.test")
        self.sign("foreign", "other-ca", "DNS:redis.test,IP:127.0.0.1")
        self.sign("expired", "ca", "DNS:redis.test,IP:127.0.0.1", "-startdate", "20200101000000Z",
                  "-enddate", "20200201000000Z")
        self.sign("client", "ca", "DNS:hschedd.test")

    def sign(self, name, authority, names, *dates):
        (self.dir / "ca.conf").write_text(
            "[ca]\ndefault_ca=d\n[d]\ndatabase=index\nrand_serial=yes\ndefault_md=sha256\npolicy=p\nnew_certs_dir=.\n"
            f"default_days=2\nunique_subject=no\nx509_extensions=x\n[p]\ncommonName=supplied\n[x]\nsubjectAltName={names}\n")
        (self.dir / "index").touch()
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr", folder=self.dir)
        openssl("ca", "-batch", "-config", "ca.conf", "-cert", f"{authority}.pem", "-keyfile", f"{authority}.key",
                "-in", f"{name}.csr", "-out", f"{name}.pem", *dates, folder=self.dir)

    def __getitem__(self, name):
        return str(self.dir / name)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="hsched-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.certs = Certificates(pathlib.Path(cls.folder.name))

    def setUp(self):
        self.port = free_port()
        certs = self.certs
        self.rig = FaultyRig(["--tls-port", self.port, "--tls-auth-clients", "no", "--tls-ca-cert-file", certs["ca.pem"],
                              "--tls-cert-file", certs["server.pem"], "--tls-key-file", certs["server.key"]])
        self.addCleanup(self.rig.__exit__, None, None, None)
        self.rig.start_redis()

    def begin(self, wait=True, url=None, **tls):
        """Start hschedd with this redis.tls."""
        if self.rig.daemon:
            self.rig.end(self.rig.daemon)
        self.rig.config["redis"] = {"url": url or f"rediss://127.0.0.1:{self.port}",
                                    "tls": {"ca": self.certs["ca.pem"], **tls}}
        (self.rig.dir / "hschedd.json").write_text(json.dumps(self.rig.config))
        if wait:
            self.rig.start_daemon()
        else:
            self.rig.spawn_daemon()

    def present(self, name):
        """Let Redis show another certificate from now on, to new connections."""
        self.rig.redis("config", "set", "tls-cert-file", self.certs[f"{name}.pem"], "tls-key-file",
                       self.certs[f"{name}.key"])
        self.rig.drop_clients()

    def says(self, pattern, timeout_s=10):
        """Until /healthz is degraded for this reason."""
        def is_said():
            status, shown = self.rig.health()
            return status == 503 and pattern in (shown.get("store_fault") or "")
        self.rig.until(f"healthz does not say '{pattern}'", is_said, timeout_s)

    def is_back(self):
        return self.rig.until("it is not back", self.rig.answers, 10)

    def test_servers_certificate__is_checked_at_every_connection(self):
        self.begin(server_name="redis.test")
        self.assertEqual(self.rig.ask("POST", "/v1/jobs", JOB)[0], 201)
        for name, words in (("expired", "the server's certificate expired on 2020-02-01"),
                            ("foreign", f"is not trusted by ca '{self.certs['ca.pem'][:60]}"),
                            ("named", "the server's certificate is not for 'redis.test': set server_name")):
            with self.subTest(certificate=name):
                self.present(name)
                self.says(words)
                status, headers, answer = self.rig.ask("POST", "/v1/jobs", JOB)
                self.assertEqual((status, answer["error"]), (503, "unavailable"))
                self.assertTrue(headers["Retry-After"])
                self.present("server")
                self.assertLess(self.is_back(), 10)
        self.assertEqual(self.rig.ask("POST", "/v1/jobs", JOB)[0], 201)

    def test_address__must_be_in_the_certificate(self):
        self.begin()
        self.present("named")
        self.says("the server's certificate is not for '127.0.0.1'")

    def test_server_that_asks_for_ours__gets_it_or_is_named(self):
        self.rig.redis("config", "set", "tls-auth-clients", "yes")
        self.begin(wait=False)
        self.says("the server wants a certificate of ours: set cert and key")
        self.begin(cert=self.certs["client.pem"], key=self.certs["client.key"])
        self.assertEqual(self.rig.ask("POST", "/v1/jobs", JOB)[0], 201)

    def test_key_that_others_may_read__is_refused(self):
        key = pathlib.Path(self.certs["client.key"])
        key.chmod(0o640)
        self.addCleanup(key.chmod, 0o600)
        self.rig.config["redis"] = {"url": "rediss://h", "tls": {"ca": self.certs["ca.pem"], "key": str(key),
                                                                "cert": self.certs["client.pem"]}}
        (self.rig.dir / "hschedd.json").write_text(json.dumps(self.rig.config))
        done = subprocess.run([str(rig.program(BUILD, "hschedd")), "--config", str(self.rig.dir / "hschedd.json"), "--check"],
                              capture_output=True, text=True, timeout=20, check=False)
        self.assertEqual(done.returncode, 6)
        self.assertRegex(done.stderr, r"/redis: '.*client\.key' holds a secret .*mode 0640\): chmod 600")

    def test_plain_and_encrypted_mixed_up__is_named(self):
        plain = free_port()
        self.rig.redis("config", "set", "port", plain)
        self.begin(wait=False, url=f"rediss://127.0.0.1:{plain}")
        self.says("is it a tls-port?")
        self.rig.config["redis"] = {"url": f"redis://127.0.0.1:{self.port}"}
        (self.rig.dir / "hschedd.json").write_text(json.dumps(self.rig.config))
        self.rig.end(self.rig.daemon)
        self.rig.spawn_daemon()
        self.says("rediss://")


if __name__ == "__main__":
    unittest.main(verbosity=2)
