# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of one lab on this machine, and how each is made and removed."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab.cli import environment, processes
from lab.podman import LABEL, Podman
from lab.servers.errors import ServersError
from lab.servers.podman import PodmanServers
from lab.settings import CHECKOUT, LabError, Settings

_READY_SECONDS = 60


class Machine:
    """One lab's network, containers and processes."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.podman = Podman(settings.run_dir)
        self.log_dir = settings.run_dir / "log"
        self.log_dir.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the lab's lock: two commands that change it never run at once."""
        with (self.settings.run_dir / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def make_network(self) -> None:
        """Make the network where it is missing. Raises LabError where its range or name belongs to something else."""
        name, range_ = self.settings.name, str(self.settings.network)
        found = self.podman.attempt("network", "inspect", name)
        if found.returncode == 0:
            owner = json.loads(found.stdout)[0].get("labels", {}).get(LABEL)
            if owner != self.podman.owner:
                raise LabError(
                    f"the network {name} belongs to {owner or 'something that is no lab'}: "
                    f"run python -m lab down there, or podman network rm --force {name}"
                )
            return
        try:
            self.podman.run(
                "network", "create", "--disable-dns", "--label", self.podman.ownership,
                "--subnet", range_, "--gateway", self.settings.gateway, name,
            )  # fmt: skip
        except ServersError as error:
            raise LabError(
                f"the lab's network {range_} can't be made ({error}): free that range (see ip route)"
            ) from error

    def start_api(self, clock_factor: float) -> None:
        """Start the API's process and wait until it answers. Raises LabError with its last words where it ends."""
        settings = self.settings
        own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        own.update(environment.variables(settings))
        own.update({processes.MARKER: str(settings.run_dir), "LAB_OCTET": str(settings.octet)})
        own["PATH"] = f"{own.get('PATH', '')}:/usr/sbin:/sbin"
        command = [
            sys.executable,
            "-m",
            "lab.api",
            "--clock-factor",
            str(clock_factor),
            "--run-dir",
            str(settings.run_dir),
        ]
        log = self.log_dir / "api.log"
        if log.exists():
            log.replace(self.log_dir / "api.previous.log")
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, cwd=CHECKOUT, env=own, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + _READY_SECONDS
        while self.api_status() is None or not self._relayed():
            if process.poll() is not None:
                raise LabError(
                    f"the API ended at its start (exit code {process.returncode}): {_last_line(log)}; see {log}"
                )
            if time.monotonic() > deadline:
                where = settings.api_url_for_servers if self.api_status() else settings.api_url
                raise LabError(f"the API did not answer at {where} within {_READY_SECONDS} s; see {log}")
            time.sleep(0.1)

    def _relayed(self) -> bool:
        """Whether servers reach the API too."""
        try:
            socket.create_connection((self.settings.gateway, self.settings.api_port), timeout=1).close()
        except OSError:
            return False
        return True

    def api_status(self) -> dict[str, Any] | None:
        """What the API says of its state, or None where it doesn't answer."""
        try:
            with urllib.request.urlopen(f"{self.settings.api_url}/_lab/status", timeout=10) as reply:
                status: dict[str, Any] = json.load(reply)
        except (OSError, urllib.error.URLError, ValueError):
            return None
        return status

    def remove_everything(self) -> list[str]:
        """End every process and remove every container, image and network of this lab. Returns what was removed."""
        removed = []
        # The API first: its Auto Scaling would replace the servers that go.
        running = [process for process in processes.find(self.settings) if process.is_api]
        processes.end(self.settings, running)
        containers = self.podman.containers()
        self.podman.remove_containers(containers)
        rest = processes.find(self.settings)
        processes.end(self.settings, rest)
        PodmanServers(self.settings.run_dir, self.settings).remove_images()
        removed += [f"process {process.pid} ({process.command[0]})" for process in [*running, *rest]]
        removed += [f"container {name}" for name in containers]
        if self._owns_network():
            self.podman.run("network", "rm", self.settings.name)
            removed.append(f"network {self.settings.name}")
        return removed

    def _owns_network(self) -> bool:
        listed = self.podman.run("network", "ls", "--format", "{{.Name}}", "--filter", f"label={self.podman.ownership}")
        return self.settings.name in listed.split()


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
