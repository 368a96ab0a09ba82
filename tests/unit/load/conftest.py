# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real servers for the load client: HAProxy on loopback, answering by itself."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

CONFIG = """
global
    maxconn 1000
defaults
    mode http
    timeout client 60s
    timeout connect 1s
    timeout server 60s
frontend release
    bind 127.0.0.1:{port}
    http-request return status 503 content-type text/plain string broken hdr X-Release {release} if {{ path /broken }}
    http-request return status 200 content-type text/plain string hello hdr X-Release {release}
"""


class Server:
    """One release of an app behind a port."""

    def __init__(self, folder: Path, release: str, port: int) -> None:
        self.release, self.port = release, port
        self.url = f"http://127.0.0.1:{port}"
        config = folder / f"{release}.cfg"
        config.write_text(CONFIG.format(port=port, release=release))
        self._process = subprocess.Popen(["haproxy", "-db", "-q", "-f", str(config)])
        wait_for(port)

    def kill(self) -> None:
        """End the server as a crash would."""
        self._process.kill()
        self._process.wait()


def free_port() -> int:
    """A port on loopback that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        assert isinstance(port, int)
        return port


def wait_for(port: int) -> None:
    """Wait until something accepts connections on the port; raises TimeoutError after 10 s."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError(f"nothing listens on port {port}")


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start servers: serve("one") or serve("two", port=...)."""
    servers: list[Server] = []

    def start(release: str, port: int | None = None) -> Server:
        servers.append(Server(tmp_path, release, port or free_port()))
        return servers[-1]

    yield start
    for server in servers:
        server.kill()


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port where connections are accepted and nothing is ever answered."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        yield listener.getsockname()[1]
