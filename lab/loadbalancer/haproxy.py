# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HAProxy's process: started, told of changes over its runtime socket, reloaded where listeners or groups changed."""

from __future__ import annotations

import logging
import re
import socket
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import IO

from lab.loadbalancer import render, routing
from lab.loadbalancer.model import Balancing, Forward, Member

log = logging.getLogger(__name__)
Slots = dict[str, tuple[Member | None, ...]]
_START_SECONDS = 10


class HAProxyError(Exception):
    """HAProxy refused what it was told. The message is one line."""


class HAProxy:
    """One HAProxy for all load balancers. Not for use from several threads."""

    def __init__(self, run_dir: Path, api_port: int) -> None:
        self._folder = run_dir / "haproxy"
        #: The file that gets a line for every request; it begins empty.
        self.requests = run_dir / "log" / "requests.log"
        self._folder.mkdir(parents=True, exist_ok=True)
        (run_dir / "log").mkdir(parents=True, exist_ok=True)
        self._log: IO[bytes] = (run_dir / "log" / "haproxy.log").open("ab")
        self.requests.write_bytes(b"")
        self._requests: IO[bytes] = self.requests.open("ab")
        self._api_port = api_port
        self._now: Balancing | None = None
        self._slots: Slots = {}
        self._maps: routing.Maps = {}
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def socket(self) -> Path:
        """The runtime socket, for statistics too."""
        return self._folder / "haproxy.sock"

    def apply(self, wanted: Balancing) -> None:
        """Make HAProxy do what is wanted; nothing happens where it does already.

        Raises:
            HAProxyError: it did not start, or refused a command.
        """
        self._processes = [process for process in self._processes if process.poll() is None]
        if wanted == self._now and self._processes:
            return
        filled = {each.group: render.slots(each, self._slots.get(each.group, ())) for each in wanted.backends}
        if self._now is None or not self._processes or not self._same_shape(wanted, filled):
            self._reload(wanted, filled)
        else:
            self._fill(filled)
            self._route(wanted)
        self._now, self._slots = wanted, filled

    def close(self) -> None:
        """End HAProxy, and those that a reload left behind."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait()
        self._processes = []
        self._log.close()
        self._requests.close()

    def _same_shape(self, wanted: Balancing, filled: Slots) -> bool:
        """Whether only maps and slots differ."""
        assert self._now is not None
        return _shape(wanted) == _shape(self._now) and {group: len(slots) for group, slots in filled.items()} == {
            group: len(slots) for group, slots in self._slots.items()
        }

    def _reload(self, wanted: Balancing, filled: Slots) -> None:
        self._maps = {}
        for frontend in wanted.frontends:
            self._maps |= routing.rules(self._folder, frontend) | routing.actions(self._folder, frontend)
        for path, lines in self._maps.items():
            path.write_text("".join(f"{line}\n" for line in lines))
        config = self._folder / "haproxy.cfg"
        config.write_text(render.configuration(self._folder, wanted, filled, self._api_port))
        command = ["haproxy", "-db", "-f", str(config)]
        if self._processes:
            command += ["-x", str(self.socket), "-sf", *(str(process.pid) for process in self._processes)]
        else:
            self.socket.unlink(missing_ok=True)
        try:
            process = subprocess.Popen(command, stdout=self._requests, stderr=self._log)
        except FileNotFoundError:
            raise HAProxyError("haproxy is missing: install it (apt-get install haproxy)") from None
        self._wait(process)
        self._processes.append(process)
        log.info("haproxy reloaded: %d listeners, %d target groups", len(wanted.frontends), len(wanted.backends))

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        """Wait until the new process answers on the socket, which it takes over once its configuration holds."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise HAProxyError(f"haproxy ended with {process.returncode}: see {self._log.name}")
            try:
                if f"Pid: {process.pid}\n" in self._ask("show info"):
                    return
            except OSError:
                pass
            time.sleep(0.02)
        process.terminate()
        raise HAProxyError(f"haproxy does not answer on {self.socket}: see {self._log.name}")

    def _fill(self, filled: Slots) -> None:
        for group, slots in filled.items():
            for number, (member, before) in enumerate(zip(slots, self._slots[group], strict=True)):
                if member == before:
                    continue
                slot = f"{routing.name(group)}/slot{number}"
                if member:
                    self._tell(f"set server {slot} addr {member.address} port {member.port}", r"changed|no need")
                self._tell(f"set server {slot} state {'ready' if member else 'maint'}")

    def _route(self, wanted: Balancing) -> None:
        """Bring the maps into line; whenever a request comes, the action that its rule names is there."""
        assert self._now is not None
        for before, after in zip(self._now.frontends, wanted.frontends, strict=True):
            left = tuple(rule for rule in before.rules if rule.id not in {rule.id for rule in after.rules})
            for maps in (
                routing.actions(self._folder, replace(after, rules=after.rules + left)),
                routing.rules(self._folder, after),
                routing.actions(self._folder, after),
            ):
                for path, lines in maps.items():
                    self._replace_map(path, lines)

    def _replace_map(self, path: Path, lines: tuple[str, ...]) -> None:
        if self._maps[path] == lines:
            return
        version = self._tell(f"prepare map {path}", r"New version created: (\d+)")
        if lines:
            # As a payload, in which a backslash is one.
            self._tell("\n".join((f"add map @{version} {path} <<", *lines, "")))
        self._tell(f"commit map @{version} {path}")
        self._maps[path] = lines

    def _tell(self, command: str, expected: str = "^$") -> str:
        """Send a command and check its answer, which is empty for most; returns what the pattern's group matched."""
        answer = self._ask(command).strip()
        found = re.search(expected, answer)
        if not found:
            raise HAProxyError(f"haproxy refused {command!r}: {answer}")
        return found.group(1) if found.groups() else ""

    def _ask(self, command: str) -> str:
        with socket.socket(socket.AF_UNIX) as channel:
            channel.settimeout(5)
            channel.connect(str(self.socket))
            channel.sendall(f"{command}\n".encode())
            answer = b""
            while part := channel.recv(65536):
                answer += part
        return answer.decode()


def _shape(balancing: Balancing) -> Balancing:
    """The facts without what is in maps and slots."""
    frontends = tuple(replace(frontend, default=Forward(), rules=()) for frontend in balancing.frontends)
    backends = tuple(replace(backend, members=()) for backend in balancing.backends)
    return Balancing(frontends, backends, balancing.relay)
