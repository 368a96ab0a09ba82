# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The open loop: request n is due n/rate seconds after the start, whether or not any reply has come."""

from __future__ import annotations

import asyncio
import errno
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from urllib.parse import urlsplit

from lab.load.connection import Connection, Reply, ReplyError
from lab.load.records import Record


@dataclass(frozen=True, slots=True)
class Target:
    """Where the load goes: an address, a port, and the Host header for it."""

    address: str
    port: int
    host: str

    @classmethod
    def parse(cls, url: str) -> Target:
        """The target of an http:// URL; raises ValueError with one line for a person."""
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"{url!r} is not an http:// URL with a host")
        if parts.path.strip("/") or parts.query:
            raise ValueError(f"{url!r} has a path: give the paths with --paths")
        return cls(parts.hostname, parts.port or 80, parts.netloc)


Sink = Callable[[Record, float], None]
"""Takes each finished request, and by how many milliseconds the client sent it late."""


class OpenLoop:
    """Sends GETs at a constant rate over a pool of kept connections.

    Args:
        target: where to.
        rate: requests a second.
        paths: asked for in turn.
        timeout: seconds from the due time to the last byte, after which a request has failed.
        sink: called for every request when it is over.
    """

    def __init__(self, target: Target, rate: float, paths: list[str], timeout: float, sink: Sink) -> None:
        self._target = target
        self._rate = rate
        self._paths = cycle(paths)
        self._timeout = timeout
        self._sink = sink
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()
        self._in_flight: set[asyncio.Task[None]] = set()

    async def run(self, stop: asyncio.Event, duration: float | None = None) -> None:
        """Send until `stop` is set or `duration` seconds are over, then wait for the replies that are still due."""
        loop = asyncio.get_running_loop()
        begin, epoch = loop.time(), time.time()
        sent = 0
        end = begin + duration if duration is not None else float("inf")
        while not stop.is_set():
            due = begin + sent / self._rate
            if due >= end:
                break
            now = loop.time()
            if due > now:
                await _sleep_or(stop, due - now)
                continue
            task = loop.create_task(self._request(due, epoch + (due - begin), next(self._paths), (now - due) * 1000))
            self._in_flight.add(task)
            task.add_done_callback(self._in_flight.discard)
            sent += 1
            if sent % 32 == 0:
                # Catching up after a pause must not starve the replies.
                await asyncio.sleep(0)
        if self._in_flight:
            await asyncio.wait(self._in_flight)
        for connection in list(self._open):
            connection.abort()

    async def _request(self, due: float, at: float, path: str, late_ms: float) -> None:
        loop = asyncio.get_running_loop()
        reply: Reply | None = None
        error: str | None = None
        connection: Connection | None = None
        try:
            async with asyncio.timeout_at(due + self._timeout):
                connection = self._idle.pop() if self._idle else await self._connect()
                reply = await connection.get(path)
        except TimeoutError:
            error = "timeout"
            if connection is not None:
                connection.abort()
        except ReplyError as problem:
            error = str(problem)
        except OSError as problem:
            error = _name(problem)
        status, release = (reply.status, reply.release) if reply is not None else (None, None)
        self._sink(Record(at, path, status, release, (loop.time() - due) * 1000, error), late_ms)

    async def _connect(self) -> Connection:
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: Connection(self._target.host, self._idle.append, self._lost),
            self._target.address,
            self._target.port,
        )
        self._open.add(connection)
        return connection

    def _lost(self, connection: Connection) -> None:
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)


def _name(problem: OSError) -> str:
    """A short name for a connection that could not be made or used."""
    if isinstance(problem, ConnectionRefusedError):
        return "refused"
    if isinstance(problem, ConnectionError):
        return "reset"
    return errno.errorcode.get(problem.errno or 0, type(problem).__name__).lower()


async def _sleep_or(stop: asyncio.Event, seconds: float) -> None:
    """Sleep, but not beyond `stop`. Short sleeps are not interrupted: a wait on the event costs ten times a sleep."""
    if seconds < 0.1:
        await asyncio.sleep(seconds)
        return
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


def allow_many_sockets() -> None:
    """Raise the soft limit of open files to the hard one: while a server hangs, a socket a request is held open."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
