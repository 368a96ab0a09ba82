# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate before the API: each call is recorded here, and meets its fault."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from lab.api.faults import control, errors
from lab.api.faults.connections import Connections
from lab.api.faults.identity import Request, identify
from lab.api.faults.recorder import Call, Recorder
from lab.api.faults.registry import Fault, Faults

Message = Mapping[str, Any]
Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Gate:
    """An ASGI application around another one."""

    def __init__(self, inner: Application, faults: Faults) -> None:
        self._inner = inner
        self._faults = faults
        self._recorder = Recorder()
        self._connections = Connections()
        self._connections.watch()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        inbox = _Inbox(receive)
        body = await inbox.body()
        request = _request(scope, body)
        if control.is_for_us(request.path):
            await _say(send, await control.answer(request, self._recorder, self._faults))
            return
        called = identify(request)
        if called is None:
            await self._inner(scope, inbox.receive, send)
            return
        call = self._recorder.begin(called)
        fault = self._faults.of_call(call.number, called)
        if fault is None:
            await self._execute(call, scope, inbox.receive, send)
        else:
            call.fault = fault.effect
            await self._meet(fault, call, scope, inbox, send)

    async def _meet(self, fault: Fault, call: Call, scope: Scope, inbox: _Inbox, send: Send) -> None:
        if fault.effect in errors.KINDS:
            answer = errors.answer(fault.effect, call.identity)
            call.status = answer[0]
            await _say(send, answer)
            return
        if fault.effect == "reset" or (fault.effect == "hold_before" and not await inbox.held(fault)):
            self._connections.cut(scope["client"])
            return
        if fault.effect == "hold_before":
            await self._execute(call, scope, inbox.receive, send)
            return
        kept: list[Message] = []

        async def keep(message: Message) -> None:
            kept.append(message)

        await self._execute(call, scope, inbox.receive, keep)
        if fault.effect == "reset_after" or not await inbox.held(fault):
            call.status = None
            self._connections.cut(scope["client"])
            return
        for message in kept:
            await send(message)

    async def _execute(self, call: Call, scope: Scope, receive: Receive, send: Send) -> None:
        async def note(message: Message) -> None:
            if message["type"] == "http.response.start":
                call.status = message["status"]
            await send(message)

        call.executed = True
        await self._inner(scope, receive, note)


class _Inbox:
    """A request's body, read once and given again, and the end of its connection."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._messages: list[Message] = []
        self._gone: asyncio.Task[Message] | None = None

    async def body(self) -> bytes:
        """All of the body; what came is kept for ``receive``."""
        parts: list[bytes] = []
        while True:
            message = await self._receive()
            self._messages.append(message)
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                return b"".join(parts)

    async def receive(self) -> Message:
        """What came first, first; then the end of the connection."""
        return self._messages.pop(0) if self._messages else await asyncio.shield(self._end())

    async def held(self, fault: Fault) -> bool:
        """Wait until the fault is released or the client has gone; returns whether the call goes on."""
        released = asyncio.wrap_future(fault.released)
        waited: list[asyncio.Future[Any]] = [released, self._end()]
        with fault.held():
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        if released.done():
            return released.result() or fault.effect == "hold_after"
        return False

    def _end(self) -> asyncio.Task[Message]:
        if self._gone is None:
            self._gone = asyncio.ensure_future(_awaited(self._receive))
        return self._gone


async def _awaited(receive: Receive) -> Message:
    return await receive()


def _request(scope: Scope, body: bytes) -> Request:
    headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
    return Request(scope["method"], scope["path"], scope["query_string"].decode("latin-1"), headers, body)


async def _say(send: Send, answer: errors.Response) -> None:
    status, headers, body = answer
    sent = [(key.encode(), value.encode()) for key, value in {**headers, "content-length": str(len(body))}.items()]
    await send({"type": "http.response.start", "status": status, "headers": sent})
    await send({"type": "http.response.body", "body": body})
