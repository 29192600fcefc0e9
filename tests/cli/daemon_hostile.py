#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Clients that mean harm, or behave as if: the others' answers stay quick, and the harm ends."""
import resource
import select
import socket
import threading
import time
import unittest

from daemon_support import MemRig

N_ASKED = 200
LIMIT_S = 0.1  # others' answers: what a hung host may cost as well (daemon_hung.py)
REQUEST_S = 10  # a request that is not whole by then is cut
CONNECTIONS_MAX = 1024
N_HELD = CONNECTIONS_MAX + 76
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + b"y" * 4096


class Hostile(unittest.TestCase):
    def setUp(self):
        self.rig = MemRig()
        self.rig.__enter__()
        self.addCleanup(self.rig.__exit__, None, None, None)

    def connect(self):
        client = socket.socket(socket.AF_UNIX)
        self.addCleanup(client.close)
        client.connect(str(self.rig.socket))
        client.settimeout(30)
        return client

    def ask_all(self, period_s=0.01):
        spans = []
        for i in range(N_ASKED):
            path = ("/v1/jobs", "/v1/hosts", "/healthz", "/v1/plan")[i % 4]
            begin = time.monotonic()
            self.rig.get(path)
            spans.append(time.monotonic() - begin)
            time.sleep(period_s)
        return sorted(spans)

    def drip(self, client, content, ret_spans):
        """A byte now and then until the daemon hangs up; how long that took."""
        begin = time.monotonic()
        for byte in content:
            try:
                client.sendall(bytes([byte]))
                if select.select([client], [], [], 0.5)[0] and client.recv(4096) == b"":
                    break
            except OSError:
                break
            if time.monotonic() - begin > 3 * REQUEST_S:
                break
        ret_spans.append(time.monotonic() - begin)

    def repeat(self, client, ret_answers):
        """Three requests, each of which takes less than its time; all of them take longer."""
        for _ in range(3):
            client.sendall(b"GET /healthz HTTP/1.1\r\n")
            time.sleep(REQUEST_S / 2.5)
            client.sendall(b"Host: localhost\r\n\r\n")
            ret_answers.append(client.recv(65536)[:15])

    def test_drip__is_cut_and_delays_nobody__a_second_request_has_its_own_time(self):
        body = b"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4096\r\n\r\n"
        in_body = self.connect()
        in_body.sendall(body)
        spans, answers = [], []
        threads = [threading.Thread(target=self.drip, args=(client, content, spans))
                   for client, content in ((self.connect(), REQUEST), (self.connect(), REQUEST),
                                           (in_body, b" " * 4096))]
        threads.append(threading.Thread(target=self.repeat, args=(self.connect(), answers)))
        for thread in threads:
            thread.start()
        others = self.ask_all(period_s=0.03)
        for thread in threads:
            thread.join()
        self.assertLess(others[int(0.99 * N_ASKED) - 1], LIMIT_S)
        self.assertEqual(len(spans), 3)
        for span in spans:
            self.assertGreater(span, REQUEST_S - 1)
            self.assertLess(span, REQUEST_S + 2)
        self.assertEqual(answers, [b"HTTP/1.1 200 OK"] * 3)

    def test_crowd__leaves_room_for_others(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY and hard < 2 * N_HELD:
            self.skipTest(f"this process may open {hard} files only")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2 * N_HELD), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        held = [self.connect() for _ in range(N_HELD)]
        others = self.ask_all(period_s=0.005)
        self.assertLess(others[int(0.99 * N_ASKED) - 1], LIMIT_S)
        poll = select.poll()
        for client in held:
            poll.register(client, select.POLLIN)
        cut = {fd for fd, _ in poll.poll(0)}
        # each of the others came over the limit as well, and cost one more of the crowd
        self.assertGreaterEqual(len(cut), N_HELD - CONNECTIONS_MAX)
        self.assertLessEqual(len(cut), N_HELD - CONNECTIONS_MAX + N_ASKED)
        self.assertEqual(cut, {client.fileno() for client in held[:len(cut)]})
        self.assertEqual(self.rig.log_tail("hschedd.log", 1000).count("wait longest are cut"), 1)
        self.assertEqual(self.rig.end(self.rig.daemon), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
