# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stands between the agent and a service: counts the calls, and lets one of them meet a fault."""

from __future__ import annotations

import http.client
import json
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

HOP = frozenset({"connection", "content-length", "transfer-encoding", "date", "server"})
SKEW = timedelta(minutes=10)


@dataclass(frozen=True)
class Reply:
    """What a service answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Rule:
    """Which call meets which fault.

    Attributes:
        call: its label, as in `Proxy.calls`.
        fault: a name of FAULTS.
        always: every call of that label from then on, not only the first.
    """

    call: str
    fault: str
    always: bool
    met: int = 0


def _refusal(status: int, code: str) -> Callable[[Reply], Reply]:
    body = json.dumps({"__type": code, "message": "no", "errors": [code]}).encode()
    return lambda _real: Reply(status, {}, body)


#: Answers in place of the service's; a time-out, a reset and half a page are done to the connection.
ANSWERS: dict[str, Callable[[Reply], Reply]] = {
    "throttling": _refusal(400, "ThrottlingException"),
    "500": _refusal(500, "InternalServerError"),
    "403": _refusal(403, "AccessDeniedException"),
    "404": _refusal(404, "ResourceNotFoundException"),
    "garbage": lambda real: Reply(200, real.headers, b"{" + real.body[:40] + b"\xff\xfe not JSON"),
    "expired token": _refusal(400, "ExpiredTokenException"),
}
FAULTS = ("time-out", "reset", "half a page", *ANSWERS)


@dataclass
class Proxy:
    """A proxy of one service that runs.

    Attributes:
        calls: the label of each call, in the order in which they came: the action, and how many-th it is.
        skewed: this service's clock is 10 minutes ahead: it refuses signatures that are not.
    """

    url: str
    rule: Rule | None = None
    skewed: bool = False
    calls: list[str] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    _seen: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, name: str, body: bytes) -> str | None:
        """Note a call; the fault that it meets, or None. A page's further calls are told apart by their token."""
        with self._lock:
            turn = ""
            if b"NextToken" in body:
                turn = f" page of {json.loads(body)['NextToken'][:40]}"
            label = f"{name}{turn}"
            self.calls.append(label)
            rule = self.rule
            if rule is None or rule.call != label or (rule.met and not rule.always):
                return None
            rule.met += 1
            return rule.fault


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: Proxy
    upstream: str

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        action = self.headers.get("X-Amz-Target", "").rsplit(".", 1)[-1]
        fault = self.proxy.begin(action or f"{self.command} {self.path}", body)
        if fault == "time-out":
            self.proxy.released.wait(60)
            self.close_connection = True
            return
        if fault == "reset":
            # A socket that is closed with this setting sends a reset.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            return
        reply = self._skew_refusal() or self._forward(body)
        if fault in ANSWERS:
            reply = ANSWERS[fault](reply)
        self._answer(reply, half=fault == "half a page")

    do_GET = do_PUT = do_POST = _pass

    def _skew_refusal(self) -> Reply | None:
        sent = self.headers.get("X-Amz-Date")
        if not self.proxy.skewed or sent is None:
            return None
        time = datetime.strptime(sent, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if abs(datetime.now(UTC) + SKEW - time) < timedelta(minutes=5):
            return None
        return _refusal(403, "InvalidSignatureException")(Reply(200, {}, b""))

    def _forward(self, body: bytes) -> Reply:
        parts = urlsplit(self.upstream)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
        connection.request(self.command, self.path, body=body or None, headers=headers)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        kept = {name: value for name, value in response.getheaders() if name.lower() not in HOP}
        return Reply(response.status, kept, content)

    def _answer(self, reply: Reply, half: bool) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body[: len(reply.body) // 2] if half else reply.body)
        self.close_connection = self.close_connection or half

    def date_time_string(self, timestamp: float | None = None) -> str:
        if self.proxy.skewed:
            return format_datetime(datetime.now(UTC) + SKEW, usegmt=True)
        return super().date_time_string(timestamp)

    def log_message(self, *_: object) -> None:
        """Say nothing: what came is in ``calls``."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    allow_reuse_address = True

    def handle_error(self, *_: object) -> None:
        """A client that gave up, or was killed, is what the tests are about."""


@contextmanager
def between(upstream: str, address: tuple[str, int] = ("127.0.0.1", 0)) -> Iterator[Proxy]:
    """A proxy in front of a service's URL, on a free port of loopback unless an address is given."""
    handler = type("Handler", (_Handler,), {"upstream": upstream})
    server = _Server(address, handler)
    proxy = Proxy(f"http://{address[0]}:{server.server_port}")
    handler.proxy = proxy  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
