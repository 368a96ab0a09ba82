# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real HTTP server on loopback that is a target, and can be told to fail."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


class Target:
    """Answers every path with its name; ``/up`` with 503 while ``healthy`` is false.

    Attributes:
        healthy: what ``/up`` says.
        status: what it answers anything but ``/up`` with.
        delay: seconds before it answers anything but ``/up``.
        breaks: close the connection instead of answering anything but ``/up``.
        breaks_each: do so with every so many requests only (33: 3 % of them); 0 for none.
        hold: requests to ``/slow`` wait for it.
        requests: paths asked for, but ``/up``.
        connections: how many clients connected for them.
    """

    def __init__(self, name: str, address: str = "127.0.0.1") -> None:
        self.name = name
        self.address = address
        self.healthy = True
        self.status = 200
        self.delay = 0.0
        self.breaks = False
        self.breaks_each = 0
        self.hold = threading.Event()
        self.requests: list[str] = []
        self.connections: set[tuple[str, int]] = set()
        self._server = _Server((address, 0), self)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def registration(self) -> dict[str, object]:
        """The target as RegisterTargets takes it."""
        return {"Id": self.address, "Port": self.port}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hold.set()
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], target: Target) -> None:
        super().__init__(address, _Handler)
        self.target = target

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no error here."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        target = self.server.target
        if self.path == "/up":
            self._send(200 if target.healthy else 503)
            return
        target.requests.append(self.path)
        target.connections.add(self.client_address)
        if target.breaks or (target.breaks_each and len(target.requests) % target.breaks_each == 0):
            self.close_connection = True
            return
        if self.path == "/slow":
            target.hold.wait(20)
        time.sleep(target.delay)
        self._send(target.status)

    def _send(self, status: int) -> None:
        content = self.server.target.name.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the cases look at what was asked."""
