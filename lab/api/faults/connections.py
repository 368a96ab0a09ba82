# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections that can be cut without an answer.

Private to hypercorn 0.18: ``TCPServer`` and its ``writer``.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any
from weakref import WeakValueDictionary

from lab.api.patching import replace

_NO_LINGER = struct.pack("ii", 1, 0)


class Connections:
    """The open connections of the API, by the client's address and port."""

    def __init__(self) -> None:
        self._open: WeakValueDictionary[tuple[str, int], asyncio.StreamWriter] = WeakValueDictionary()

    def watch(self) -> None:
        """Know every connection from now on."""
        from hypercorn.asyncio.tcp_server import TCPServer

        def run(server: Any) -> Any:
            host, port = server.writer.get_extra_info("peername")[:2]
            self._open[(host, port)] = server.writer
            return original(server)

        original = replace(TCPServer, "run", run)

    def cut(self, client: tuple[str, int]) -> None:
        """Reset a client's connection, as a machine does that has gone away."""
        writer = self._open.get((client[0], client[1]))
        if writer is not None:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            writer.transport.abort()
