# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""podman as the lab calls it: its configuration, one command at a time, errors in one line."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import shutil
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from lab.servers.errors import OutOfSpaceError, ServersError

#: Label on every container and network of a lab; its value is the lab's run-time folder, so that two checkouts on one
#: machine never remove each other's.
LABEL = "immutable-lab"
#: Bit of CAP_SYS_RESOURCE in /proc/PID/status, see capabilities(7).
_CAP_SYS_RESOURCE = 24


class Podman:
    """Runs podman commands with the lab's own containers.conf, which the constructor writes to ``run_dir``."""

    def __init__(self, run_dir: Path) -> None:
        run_dir.mkdir(parents=True, exist_ok=True)
        self.owner = str(run_dir.resolve())
        self._conf = run_dir.resolve() / "containers.conf"
        text = containers_conf()
        if not self._conf.exists() or self._conf.read_text() != text:
            self._conf.write_text(text)
        self._environment = {**os.environ, "CONTAINERS_CONF": str(self._conf)}

    def run(self, *arguments: str, data: bytes | None = None) -> str:
        """Run one command and return what it printed. ``data`` goes to its standard input.

        Raises OutOfSpaceError where the disk is full, else ServersError with podman's own last line.
        """
        result = self.attempt(*arguments, data=data)
        if result.returncode:
            message = _last_line(result.stderr) or f"exit code {result.returncode}"
            failed = f"podman {arguments[0]} failed: {message}"
            if "no space left on device" in result.stderr.decode(errors="replace").lower():
                raise OutOfSpaceError(f"{failed}; free some disk space (podman's storage is full)")
            raise ServersError(failed)
        return result.stdout.decode(errors="replace")

    def attempt(self, *arguments: str, data: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        """Run one command whose failure is an answer: returns the finished process."""
        try:
            return subprocess.run(
                ["podman", *arguments], env=self._environment, input=data, capture_output=True, check=False
            )
        except FileNotFoundError:
            raise ServersError("podman is missing: install it (apt-get install podman)") from None

    def exists(self, kind: str, name: str) -> bool:
        """Whether a container, image or network (``kind``) of that name exists."""
        return self.attempt(kind, "exists", name).returncode == 0

    def label(self, image: str, key: str) -> str | None:
        """The value of one of an image's labels, or None."""
        found = self.attempt("image", "inspect", "--format", "{{json .Labels}}", image)
        labels = json.loads(found.stdout) if found.returncode == 0 else None
        return (labels or {}).get(key)

    def replace_image(self, image: str, *arguments: str) -> None:
        """Run a command that makes ``image``, and remove what had that name before, unless something uses it."""
        before = self.attempt("image", "inspect", "--format", "{{.Id}}", image)
        self.run(*arguments)
        if before.returncode == 0:
            self.attempt("rmi", before.stdout.decode().strip())

    @property
    def ownership(self) -> str:
        """The label, with its value, on all that belongs to this lab."""
        return f"{LABEL}={self.owner}"

    def containers(self, *filters: str, everything: bool = True) -> list[str]:
        """Names of this lab's containers; ``everything`` includes those that don't run."""
        arguments = ["ps", "--format", "{{.Names}}", "--filter", f"label={self.ownership}"]
        for item in filters:
            arguments += ["--filter", item]
        return self.run(*arguments, *(["--all"] if everything else [])).split()

    def remove_containers(self, names: list[str], seconds: float = 15) -> None:
        """Remove containers at once, and wait until podman's own keepers of them have ended too."""
        if not names:
            return
        inspected = self.attempt("container", "inspect", "--format", "{{.State.ConmonPid}}", *names)
        handles = []
        for pid in {int(text) for text in inspected.stdout.split()} - {0}:
            with contextlib.suppress(ProcessLookupError):
                handles.append(os.pidfd_open(pid))
        try:
            self.run("rm", "--force", "--ignore", "--time", "0", *names)
            wait_for_end(handles, seconds)
        finally:
            for handle in handles:
                os.close(handle)

    def images(self, prefix: str) -> list[str]:
        """Names of the stored images whose repository starts with ``prefix``."""
        names = self.run("images", "--format", "{{.Repository}}:{{.Tag}}").split()
        return [name for name in names if name.startswith(prefix)]

    def storage(self) -> Path:
        """The folder that holds images and containers."""
        return Path(self.run("info", "--format", "{{.Store.GraphRoot}}").strip())


def wait_for_end(handles: Iterable[int], seconds: float) -> set[int]:
    """Wait until the processes behind the handles (pidfds) have ended; returns those that still run."""
    deadline = time.monotonic() + seconds
    left = set(handles)
    while left and (rest := deadline - time.monotonic()) > 0:
        ended, _, _ = select.select(list(left), [], [], rest)
        left -= set(ended)
    return left


def containers_conf() -> str:
    """Text of the containers.conf that makes systemd boot in a container on this machine.

    crun can't start systemd where cgroups are v1 or hybrid, so runc is taken there; the default limits must not exceed
    our own where the capability to raise them is missing.
    """
    unified = Path("/sys/fs/cgroup/cgroup.controllers").exists()
    runtime = "crun" if unified and shutil.which("crun") else "runc"
    lines = ["[engine]", f'runtime = "{runtime}"', 'events_logger = "file"', "", "[containers]"]
    lines += ['log_driver = "k8s-file"', "log_size_max = 4194304"]
    if not _may_raise_limits():
        limits = [
            f'"{name}={value}:{value}"'
            for name, value in (
                ("nofile", _hard(resource.RLIMIT_NOFILE, 20_000)),
                ("nproc", _hard(resource.RLIMIT_NPROC, 4_096)),
            )
        ]
        lines.append(f"default_ulimits = [{', '.join(limits)}]")
    return "\n".join(lines) + "\n"


def _may_raise_limits() -> bool:
    status = Path("/proc/self/status").read_text()
    effective = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(effective, 16) >> _CAP_SYS_RESOURCE & 1)


def _hard(limit: int, ceiling: int) -> int:
    """Our own hard limit, but no more than the ceiling: podman lowers its own before it starts a container."""
    value = resource.getrlimit(limit)[1]
    return ceiling if value == resource.RLIM_INFINITY else min(value, ceiling)


def _last_line(output: bytes) -> str:
    lines = [line for line in output.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip().removeprefix("Error: ") if lines else ""
