# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One keep-alive HTTP/1.1 connection. h11 speaks the protocol; nothing is ever sent twice behind the caller's back.

General-purpose clients quietly send a request again when a kept connection turns out to be closed.
That would hide just what a load run is to show.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import h11

RELEASE_HEADER = b"x-release"


class ReplyError(Exception):
    """No complete reply; the message is the short name of the reason (reset, cut off, ...)."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete reply: its status, and the release that it names."""

    status: int
    release: str | None


class Connection(asyncio.Protocol):
    """A connection that carries one request at a time.

    Args:
        host: the Host header.
        on_idle: called with the connection when it can carry the next request.
        on_lost: called with the connection when it can carry none any more.
    """

    def __init__(self, host: str, on_idle: Callable[[Connection], None], on_lost: Callable[[Connection], None]) -> None:
        self._headers = [("Host", host), ("User-Agent", "immutable-load"), ("Accept", "*/*")]
        self._on_idle = on_idle
        self._on_lost = on_lost
        self._http = h11.Connection(our_role=h11.CLIENT)
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Reply] | None = None
        self._response: h11.Response | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def get(self, path: str) -> asyncio.Future[Reply]:
        """Send a GET; the future ends with the reply, or with ReplyError."""
        assert self._transport is not None
        assert self._waiting is None
        self._waiting = asyncio.get_running_loop().create_future()
        request = h11.Request(method="GET", target=path, headers=self._headers)
        self._transport.write((self._http.send(request) or b"") + (self._http.send(h11.EndOfMessage()) or b""))
        return self._waiting

    def abort(self) -> None:
        """Close at once; a request under way is given up."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._waiting is None:
            self._give_up("a reply that nobody asked for")
            return
        try:
            self._http.receive_data(data)
            self._read_events()
        except h11.RemoteProtocolError as error:
            self._give_up(f"malformed reply: {error}")

    def eof_received(self) -> None:
        # The end of the connection ends a reply that came without a length.
        try:
            self._http.receive_data(b"")
            self._read_events()
        except h11.RemoteProtocolError:
            self._give_up("cut off")

    def connection_lost(self, exc: Exception | None) -> None:
        self._on_lost(self)
        self._fail("cut off" if self._response is not None else "reset")

    def _read_events(self) -> None:
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA or event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
                return
            if isinstance(event, h11.Response):
                self._response = event
            elif isinstance(event, h11.EndOfMessage):
                self._complete()
                return

    def _complete(self) -> None:
        assert self._response is not None
        assert self._transport is not None
        release = next((value for name, value in self._response.headers if name == RELEASE_HEADER), None)
        reply = Reply(self._response.status_code, release.decode("latin-1") if release is not None else None)
        waiting, self._waiting, self._response = self._waiting, None, None
        if self._http.our_state is h11.MUST_CLOSE or self._http.their_state is not h11.DONE:
            self._transport.close()
        else:
            self._http.start_next_cycle()
            self._on_idle(self)
        if waiting is not None and not waiting.done():
            waiting.set_result(reply)

    def _give_up(self, reason: str) -> None:
        self._fail(reason)
        self.abort()

    def _fail(self, reason: str) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_exception(ReplyError(reason))
