# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that are no more than a socket each: healthy at once, every response names the release.

Their addresses are loopback addresses (see ``lab.api.settings``), so that the load balancer and its health checks reach
them as they reach real ones. For checks of what a deployment does, not of what runs on a server.

What an image's tags say of such a server:

``release``
    Named in each response.
``lab-breaks``
    Answers 500, health checks too, once one of its group has got a request that is neither a health check nor a
    preview.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping

from lab.servers.errors import ServersError
from lab.servers.interface import LaunchSpec
from lab.servers.none import NoServers

PORT = 80
_BEGIN_SECONDS = 10
_NO_TRAFFIC = (b"\r\nuser-agent: elb-healthchecker", b"\r\nx-preview:")


class LoopbackServers(NoServers):
    """A listening socket for each instance.

    Args:
        tags: gives an image's tags by its id.
        group: gives the name of the Auto Scaling group of an instance, "" for none.
    """

    def __init__(self, tags: Callable[[str], Mapping[str, str]], group: Callable[[str], str]) -> None:
        super().__init__()
        self._tags = tags
        self._group = group
        self._groups: dict[str, str] = {}
        self._served: dict[str, _Served] = {}
        self._specs: dict[str, LaunchSpec] = {}
        self._sockets: dict[str, asyncio.Server] = {}
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="servers", daemon=True).start()

    def launch(self, spec: LaunchSpec) -> None:
        self._specs[spec.instance_id] = spec
        self.start(spec.instance_id)

    def start(self, instance_id: str) -> None:
        super().start(instance_id)
        spec = self._specs[instance_id]
        tags = self._tags(spec.image_id)
        group = self._groups[instance_id] = self._group(instance_id)
        served = self._served.setdefault(group, _Served())
        listening = self._loop.create_server(lambda: _Connection(tags, served), spec.private_ip, PORT)
        try:
            self._sockets[instance_id] = asyncio.run_coroutine_threadsafe(listening, self._loop).result(_BEGIN_SECONDS)
        except OSError as error:
            raise ServersError(f"{instance_id} can't listen on {spec.private_ip}:{PORT}: {error.strerror}") from error

    def stop(self, instance_id: str) -> None:
        super().stop(instance_id)
        listening = self._sockets.pop(instance_id, None)
        if listening:
            self._loop.call_soon_threadsafe(listening.close)

    def terminate(self, instance_id: str) -> None:
        self.stop(instance_id)
        self._specs.pop(instance_id, None)
        group = self._groups.pop(instance_id, "")
        if group not in self._groups.values():  # another one may have its name
            self._served.pop(group, None)

    def close(self) -> None:
        for instance_id in list(self._sockets):
            self.terminate(instance_id)
        super().close()


class _Served:
    """What the servers of a group remember."""

    traffic = False


class _Connection(asyncio.Protocol):
    """Requests without a body, one after another."""

    def __init__(self, tags: Mapping[str, str], served: _Served) -> None:
        self._release = tags.get("release", "?")
        self._breaks = "lab-breaks" in tags
        self._served = served
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        while b"\r\n\r\n" in self._read:
            request, self._read = self._read.split(b"\r\n\r\n", 1)
            self._answer(request.lower() + b"\r\n")

    def _answer(self, request: bytes) -> None:
        self._served.traffic |= not any(mark in request for mark in _NO_TRAFFIC)
        status = "500 Internal Server Error" if self._breaks and self._served.traffic else "200 OK"
        ends = b"\r\nconnection: close\r\n" in request
        last = "Connection: close\r\n" if ends else ""
        self._transport.write(
            f"HTTP/1.1 {status}\r\nX-Release: {self._release}\r\nContent-Length: 0\r\n{last}\r\n".encode()
        )
        if ends:
            self._transport.close()
