# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""200 servers that boot at once, each a process with the agent's own code; the API allows 40 calls a second."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.cli import main

SERVERS = 200
CALLS_A_SECOND = 40
PAGES = 6
CALLS = PAGES + 1
"""What one server needs: 60 parameters by path, ten a page, and a secret."""
DECLARATION = 'sources: [{parameter_store: "/{app}/{env}/"}, {secrets_manager: "{app}/{env}/rails"}]\n'


class Api:
    """Parameter Store and Secrets Manager with one bucket for both: 40 calls a second, and it holds one second's."""

    def __init__(self) -> None:
        self.tokens, self.filled = float(CALLS_A_SECOND), time.monotonic()
        self.throttled = self.answered = 0

    def answer(self, target: str, request: dict[str, object]) -> tuple[int, dict[str, object]]:
        now = time.monotonic()
        self.tokens = min(float(CALLS_A_SECOND), self.tokens + (now - self.filled) * CALLS_A_SECOND)
        self.filled = now
        if self.tokens < 1:
            self.throttled += 1
            return 400, {"__type": "ThrottlingException", "message": "Rate exceeded"}
        self.tokens -= 1
        self.answered += 1
        if target.endswith("GetSecretValue"):
            return 200, {"Name": "rails", "SecretString": '{"SECRET_KEY_BASE": "x"}', "VersionId": "1"}
        page = int(str(request.get("NextToken", "0")))
        names = [f"/shop/prod/P{page}{number}" for number in range(10)]
        found: dict[str, object] = {"Parameters": [{"Name": name, "Value": "v", "Version": 1} for name in names]}
        return 200, found if page + 1 == PAGES else {**found, "NextToken": str(page + 1)}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, request after request."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = (line.partition(": ") for line in head.decode().split("\r\n"))
                fields = {name.lower(): value for name, _, value in lines}
                request = json.loads(await reader.readexactly(int(fields["content-length"])))
                status, content = self.answer(fields["x-amz-target"], request)
                body = json.dumps(content).encode()
                writer.write(b"HTTP/1.1 %d -\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def measure() -> dict[str, float]:
    """Boot them all; returns the figures of ``mass_boot``."""
    ours, theirs = multiprocessing.Pipe()
    api = multiprocessing.get_context("fork").Process(target=_serve, args=(theirs,), daemon=True)
    api.start()
    port = ours.recv()
    with tempfile.TemporaryDirectory(prefix="bench-massboot-") as name:
        folder = Path(name)
        (folder / "config.yml").write_text(DECLARATION)
        start = time.perf_counter()
        pids = [_boot(folder, number, port) for number in range(SERVERS)]
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
        seconds = time.perf_counter() - start
        configured = len(list(folder.glob("*/current/config.env")))
    ours.send("stop")
    answered, throttled = ours.recv()
    api.join()
    # The bucket is full when they start.
    budget = (SERVERS * CALLS - CALLS_A_SECOND) / CALLS_A_SECOND
    failures = SERVERS - min(configured, codes.count(0))
    print(f"mass boot: {answered / SERVERS:.1f} answered and {throttled / SERVERS:.1f} throttled calls a server")
    return {"servers": SERVERS, "seconds": round(seconds, 1), "budget_seconds": budget, "failures": failures}


def _boot(folder: Path, number: int, port: int) -> int:
    """Start one server's agent in a process of its own; returns its id."""
    if pid := os.fork():
        return pid
    os.environ.update(
        AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}",
        AWS_REGION="eu-west-1",
        AWS_ACCESS_KEY_ID="any",
        AWS_SECRET_ACCESS_KEY="any",
    )
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    paths = ["--declaration", str(folder / "config.yml"), "--root", str(folder / str(number))]
    os._exit(main(["--app", "shop", "--env", "prod", *paths]))


def _serve(pipe: Connection) -> None:
    asyncio.run(_answer(pipe))


async def _answer(pipe: Connection) -> None:
    api = Api()
    server = await asyncio.start_server(api.serve, "127.0.0.1", 0, backlog=512)
    pipe.send(server.sockets[0].getsockname()[1])
    await asyncio.to_thread(pipe.recv)
    pipe.send((api.answered, api.throttled))
