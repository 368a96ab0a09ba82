# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real swap for the report's tests: two servers behind HAProxy, whose weights are changed under load."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from lab.demo.run import Bake, Deployment, Phase, Run, Weights
from lab.load import Load, Summary

RELEASES = {"blue": "20260101-120000-1111111", "green": "20260101-130000-2222222"}

CONFIG = """
global
    stats socket {folder}/admin.sock level admin
defaults
    mode http
    timeout client 60s
    timeout connect 1s
    timeout server 60s
frontend listener
    bind 127.0.0.1:{port}
    use_backend %[rand(1000),map_int({folder}/weights.map,none)]
backend blue
    http-request return status 200 content-type text/plain string hello hdr X-Release {blue}
backend green
    http-request return status 200 content-type text/plain string hello hdr X-Release {green}
"""


class Balancer:
    """HAProxy with both colours; all traffic is on blue at first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self._port = int(listener.getsockname()[1])
        self.url = f"http://127.0.0.1:{self._port}"
        (folder / "weights.map").write_text("".join(f"{n} blue\n" for n in range(1000)))
        (folder / "haproxy.cfg").write_text(CONFIG.format(folder=folder, port=self._port, **RELEASES))
        self.start()

    def start(self) -> None:
        """Start HAProxy and wait until it answers."""
        self._process = subprocess.Popen(["haproxy", "-db", "-q", "-f", str(self._folder / "haproxy.cfg")])
        deadline = time.monotonic() + 10
        while socket.socket().connect_ex(("127.0.0.1", self._port)):
            if time.monotonic() > deadline:
                raise TimeoutError("haproxy does not answer")
            time.sleep(0.02)

    def kill(self) -> None:
        """End HAProxy as a crash would."""
        self._process.kill()
        self._process.wait()

    def serve(self, colour: str) -> None:
        """Give one colour all the traffic, at once."""
        path = f"{self._folder}/weights.map"
        version = self._say(f"prepare map {path}").split(":")[1].strip()
        for first in range(0, 1000, 100):
            entries = "".join(f"{n} {colour}\n" for n in range(first, first + 100))
            self._say(f"add map @{version} {path} <<\n{entries}")
        self._say(f"commit map @{version} {path}")

    def _say(self, command: str) -> str:
        with socket.socket(socket.AF_UNIX) as admin:
            admin.connect(f"{self._folder}/admin.sock")
            admin.sendall(command.encode() + b"\n")
            return b"".join(iter(lambda: admin.recv(4096), b"")).decode()


def swap(folder: Path, balancer: Balancer, unit: float, crash: bool = False) -> Run:
    """Promote, roll back, deploy again and retire under load, `unit` seconds between the steps.

    Leaves load.jsonl and run.json in the folder; with `crash`, HAProxy is away for a moment at the end.
    """
    run = Run(time.time(), "a machine for tests, 2 cores")
    run.bakes = [
        Bake(f"ami-{n}", 60.0 - n, stage, release)
        for n, (stage, release) in enumerate(
            [("base", "20260101-110000-none"), ("app", RELEASES["blue"]), ("app", RELEASES["green"])]
        )
    ]
    load = Load(balancer.url, folder / "load.jsonl", rate=220)

    def shift(colour: str) -> None:
        balancer.serve(colour)
        weights = {each: int(each == colour) for each in RELEASES}
        run.weights.append(Weights(time.time(), weights, RELEASES))

    def phase(name: str, work: Callable[[], None], outcome: str = "") -> None:
        begin = time.time()
        time.sleep(unit)
        work()
        time.sleep(unit / 2)
        run.phases.append(Phase(name, begin, time.time() - begin, outcome, loaded=True))

    def outage() -> None:
        if crash:
            balancer.kill()
            time.sleep(unit / 2)
            balancer.start()

    run.phases.append(Phase("bake", run.started, 0.2, "two images"))
    run.weights.append(Weights(run.started, {"blue": 1, "green": 0}, RELEASES))
    with load:
        phase("promote", lambda: shift("green"), "release 2 is live")
        phase("roll back", lambda: shift("blue"))
        phase("deploy again", lambda: shift("green"))
        phase("retire", outage, "blue is gone")
        run.load = load.stop()
    run.deployments = [
        Deployment("prod", RELEASES["green"], run.phases[1].seconds, "deployed"),
        Deployment("prod", RELEASES["blue"], run.phases[2].seconds, "rolled_back"),
    ]
    run.rollback_seconds = round(run.phases[2].seconds, 1)
    run.images_before, run.images_after = 3, 2
    run.notes = ["Weights were read every half second."]
    assert isinstance(run.load, Summary)
    run.write(folder / "run.json")
    return run
