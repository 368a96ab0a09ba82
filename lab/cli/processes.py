# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's processes, known by a variable that each inherits: no pid file can go stale, no foreign process is hit."""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import dataclass
from pathlib import Path

from lab.podman import wait_for_end
from lab.settings import Settings

#: Set for the API's process and so for all that it starts; its value is the lab's run-time folder.
MARKER = "IMMUTABLE_LAB_RUN_DIR"
_PATIENCE_SECONDS = 15


@dataclass(frozen=True)
class Process:
    """A process of the lab."""

    pid: int
    command: tuple[str, ...]

    @property
    def is_api(self) -> bool:
        return "lab.api" in self.command

    def option(self, name: str) -> str | None:
        """The value of one of its command line's options."""
        return dict(zip(self.command, self.command[1:], strict=False)).get(name)


def find(settings: Settings) -> list[Process]:
    """All processes of this lab, oldest pid first."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and _marked(int(folder.name), settings):
            with contextlib.suppress(OSError):
                command = (folder / "cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
                found.append(Process(int(folder.name), tuple(command)))
    return sorted(found, key=lambda process: process.pid)


def api(settings: Settings) -> Process | None:
    """The API's process, if it runs."""
    return next((process for process in find(settings) if process.is_api), None)


def end(settings: Settings, processes: list[Process]) -> None:
    """Ask the processes to end, and make those end that don't in time."""
    handles = set()
    for process in processes:
        try:
            handle = os.pidfd_open(process.pid)
        except ProcessLookupError:
            continue
        # The handle is of whoever has the pid now: look again whether that is one of ours.
        if _marked(process.pid, settings):
            handles.add(handle)
        else:
            os.close(handle)
    try:
        _signal(handles, signal.SIGTERM)
        left = wait_for_end(handles, _PATIENCE_SECONDS)
        _signal(left, signal.SIGKILL)
        wait_for_end(left, _PATIENCE_SECONDS)
    finally:
        for handle in handles:
            os.close(handle)


def _marked(pid: int, settings: Settings) -> bool:
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False
    return f"{MARKER}={settings.run_dir}".encode() in environment


def _signal(handles: set[int], number: signal.Signals) -> None:
    for handle in handles:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, number)
