# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A peer that answers as it is told, for what no healthy service does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass
class Peer:
    """An HTTP server on loopback. It gives its answers (status, body) in turn, the last one again and again."""

    answers: list[tuple[int, str]] = field(default_factory=list)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    date: str = ""
    url: str = ""


@pytest.fixture(name="peer")
def fixture_peer() -> Iterator[Peer]:
    peer = Peer()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            peer.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
            peer.requests.append((self.command, self.path, dict(self.headers)))
            status, body = peer.answers.pop(0) if len(peer.answers) > 1 else peer.answers[0]
            self.send_response(status)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        do_GET = do_PUT = do_POST = answer

        def date_time_string(self, timestamp: float | None = None) -> str:
            return peer.date or super().date_time_string(timestamp)

        def log_message(self, *_: object) -> None:
            """Say nothing: the tests read ``requests``."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    peer.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield peer
    server.shutdown()
    thread.join()
    server.server_close()
