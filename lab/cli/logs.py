# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show the last lines of one part's log; without a part, say which parts have one and where it lies."""

from __future__ import annotations

from collections import deque

from lab.cli import checks
from lab.cli.machine import Machine
from lab.servers.podman import PodmanServers
from lab.settings import LabError, Settings


def run(settings: Settings, part: str | None, lines: int) -> None:
    """Print a log. Raises LabError for a part that has none."""
    checks.root()
    machine = Machine(settings)
    files = {path.stem: path for path in sorted(machine.log_dir.glob("*.log"))}
    prefix = f"{settings.name}-"
    containers = [name.removeprefix(prefix) for name in machine.podman.containers()]
    if part is None:
        for name, path in files.items():
            print(f"{name:22} {path.stat().st_size:>9} bytes  {path}")
        for name in containers:
            print(f"{name:22} console and journal of the container {prefix}{name}")
    elif part in files:
        with files[part].open(errors="replace") as log:
            print("".join(deque(log, maxlen=lines)), end="")
    elif part in containers:
        servers = PodmanServers(settings.run_dir, settings)
        text = servers.console_output(part) + servers.journal(part)
        print("\n".join(text.splitlines()[-lines:]))
    else:
        known = ", ".join([*files, *containers]) or "none yet"
        raise LabError(f"{part!r} has no log; what has one: {known}")
