# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP side of the metadata service (IMDSv2, and v1 for instances that allow it)."""

from __future__ import annotations

import secrets
import threading
import time
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

from lab.metadata.facts import Lookup, answer, tree

_TTL_HEADER = "X-aws-ec2-metadata-token-ttl-seconds"
_TOKEN_HEADER = "X-aws-ec2-metadata-token"
#: Longest life of a token, from AWS's documentation of IMDSv2.
_LONGEST_TTL = 21_600


class MetadataService:
    """Serves metadata on ``address:port`` from a thread of its own, until close().

    Raises OSError where the address can't be bound (it exists once the lab's network has a container).
    """

    def __init__(self, lookup: Lookup, address: str, port: int) -> None:
        self._server = _Server((address, port), lookup)
        self._thread = threading.Thread(target=self._server.serve_forever, name="metadata", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The bound port (useful where 0 was asked for)."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Stop serving and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Tokens:
    """Session tokens: each is good for one source address, until it expires."""

    def __init__(self) -> None:
        self._issued: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()

    def issue(self, source: str, ttl: int) -> str:
        """A new token for ``source``, good for ``ttl`` seconds."""
        token = secrets.token_urlsafe(40)
        now = time.monotonic()
        with self._lock:
            self._issued = {key: value for key, value in self._issued.items() if value[1] > now}
            self._issued[token] = (source, now + ttl)
        return token

    def good(self, source: str, token: str) -> bool:
        """Whether the token was issued to this source and has not expired."""
        with self._lock:
            owner, until = self._issued.get(token, ("", 0.0))
        return owner == source and until > time.monotonic()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    # Many servers boot at once, and each asks at once.
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], lookup: Lookup) -> None:
        super().__init__(address, _Handler)
        self.lookup = lookup
        self.tokens = Tokens()


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "EC2ws"
    sys_version = ""
    #: An idle connection must not hold its thread for ever.
    timeout = 30

    def do_PUT(self) -> None:
        ttl = self.headers.get(_TTL_HEADER, "")
        if self.path != "/latest/api/token":
            self._send(HTTPStatus.NOT_FOUND)
        elif "X-Forwarded-For" in self.headers:
            self._send(HTTPStatus.FORBIDDEN)
        elif not ttl.isdecimal() or not 1 <= int(ttl) <= _LONGEST_TTL:
            self._send(HTTPStatus.BAD_REQUEST)
        else:
            self._send(HTTPStatus.OK, self.server.tokens.issue(self._source, int(ttl)).encode(), {_TTL_HEADER: ttl})

    def do_GET(self) -> None:
        facts = self.server.lookup(self._source)
        token = self.headers.get(_TOKEN_HEADER)
        if facts is None:
            self._send(HTTPStatus.NOT_FOUND)
            return
        if (token is None and facts.token_required) or (token and not self.server.tokens.good(self._source, token)):
            self._send(HTTPStatus.UNAUTHORIZED)
            return
        version, _, path = unquote(self.path).lstrip("/").partition("/")
        content = answer(tree(facts, datetime.now(UTC)), path) if version == "latest" else None
        if content is None:
            self._send(HTTPStatus.NOT_FOUND)
        else:
            self._send(HTTPStatus.OK, content)

    @property
    def _source(self) -> str:
        return str(self.client_address[0])

    def _send(self, status: HTTPStatus, content: bytes = b"", headers: dict[str, str] | None = None) -> None:
        # A refused PUT may have a body that nobody read: the next request on this connection would start inside it.
        self.close_connection = self.close_connection or int(self.headers.get("Content-Length") or 0) > 0
        self.send_response(status)
        for name, value in {"Content-Type": "text/plain", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Requests are not logged: credentials' paths and tokens have no place in a log."""
