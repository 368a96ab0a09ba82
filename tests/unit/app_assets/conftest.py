# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service of other releases' assets on its socket, with a bucket that answers as it is told."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from roles.app_units.files.app_assets.bucket import Bucket
from roles.app_units.files.app_assets.server import Server


@dataclass
class Ask:
    """A request, as the instance's role would sign it."""

    secure: bool
    host: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Store:
    """A bucket: its answers (status, headers, body) by path, and what it was asked for."""

    host: str
    answers: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    hold: threading.Event | None = None
    retry: bool = False
    down: bool = False

    def get(self, key: str) -> Ask:
        return Ask(False, self.host, f"/{key}")

    def refused(self, status: int, headers: Mapping[str, str], body: bytes) -> bool:
        return self.retry


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


Get = Callable[[str], Answer]


@pytest.fixture
def store() -> Iterator[Store]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append(self.path)
            if made.hold:
                made.hold.wait(10)
            if made.down:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            status, headers, body = made.answers.get(self.path, (404, {}, b"<Error><Code>NoSuchKey</Code></Error>"))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Store(f"127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    if made.hold:
        made.hold.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def bucket(store: Store) -> Bucket:
    return Bucket(lambda: store, ())


@pytest.fixture
def get(bucket: Bucket, tmp_path: Path) -> Iterator[Get]:
    """Asks the service for a path, as nginx does."""
    path = tmp_path / "http.sock"
    with Server(path, bucket) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()

        def ask(target: str) -> Answer:
            connection = http.client.HTTPConnection("localhost", timeout=20)
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.connect(str(path))
            connection.request("GET", target)
            response = connection.getresponse()
            answer = Answer(response.status, dict(response.getheaders()), response.read())
            connection.close()
            return answer

        yield ask
        server.shutdown()
        thread.join()
