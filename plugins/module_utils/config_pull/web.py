# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP with the standard library: one kept connection to one place, and errors that may pass told apart.

A library would do more than is needed here and takes longer to load than all calls of a boot take.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from .deadline import Deadline
from .errors import Retryable

CONNECT_AND_READ_SECONDS = 10.0
# The largest answer of a store is a page of ten parameters of 8 kB or twenty secrets of 64 kB.
LARGEST_ANSWER = 16 * 1024 * 1024


@dataclass(frozen=True)
class Answer:
    """An answer that came whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def json(self) -> dict[str, Any]:
        """Return the JSON object in it.

        Raises:
            Retryable: it holds none; what a proxy or a dying server says is no answer of the store's.
        """
        try:
            content = json.loads(self.body or b"{}")
        except ValueError:
            content = None
        if not isinstance(content, dict):
            # Raised outside the handler: the parser's error holds the text, and with it values.
            raise Retryable(f"an answer that is no JSON (HTTP {self.status})")
        return content


class Host:
    """One place to send requests to. A connection is kept and belongs to one thread: each thread makes its own `Host`.

    Args:
        url: scheme, host and port, and a path that every request's path is put behind.
        deadline: of the whole run; no call may wait for longer.
        seconds: how long one call may wait for the other side.
        ca_file: certificates to trust instead of the system's.
    """

    def __init__(
        self, url: str, deadline: Deadline, seconds: float = CONNECT_AND_READ_SECONDS, ca_file: str | None = None
    ) -> None:
        parts = urlsplit(url)
        self.url = url.rstrip("/")
        self.netloc = parts.netloc
        self.base = parts.path.rstrip("/")
        self._secure = parts.scheme == "https"
        self._host, self._port = parts.hostname or "", parts.port
        self._deadline, self._seconds, self._ca_file = deadline, seconds, ca_file
        self._connection: http.client.HTTPConnection | None = None

    def call(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
        """Send one request and read the whole answer.

        Raises:
            Retryable: the network's doing, or half an answer. The text names no header and no body.
        """
        wait = max(0.05, min(self._seconds, self._deadline.left()))
        try:
            connection = self._connected(wait)
            connection.request(method, self.base + path, body=body, headers=dict(headers))
            response = connection.getresponse()
            content = response.read(LARGEST_ANSWER)
            if response.length:
                raise http.client.IncompleteRead(b"", response.length)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Retryable(_reason(error)) from None
        answer = Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, content)
        if response.will_close:
            self.close()
        return answer

    def close(self) -> None:
        """Give the connection up; the next call makes a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self, wait: float) -> http.client.HTTPConnection:
        if self._connection is None:
            if self._secure:
                context = _trust(self._ca_file)
                self._connection = http.client.HTTPSConnection(self._host, self._port, timeout=wait, context=context)
            else:
                self._connection = http.client.HTTPConnection(self._host, self._port, timeout=wait)
            self._connection.connect()
            # Head and body are sent apart: the body would wait until the head's receipt is acknowledged, 40 ms a call.
            self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        elif self._connection.sock is not None:
            self._connection.sock.settimeout(wait)
        return self._connection


@lru_cache
def _trust(ca_file: str | None) -> ssl.SSLContext:
    # Read once: the system's certificates take longer to load than a call takes.
    return ssl.create_default_context(cafile=ca_file)


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, http.client.IncompleteRead):
        return "the answer broke off"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    # Not the text of an HTTPException: it can quote what was received.
    return str(getattr(error, "strerror", None) or type(error).__name__)
