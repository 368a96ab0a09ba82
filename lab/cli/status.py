# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show what the lab holds: stacks, groups, servers, targets and weights, and its own processes and containers."""

from __future__ import annotations

import json
from typing import Any

from lab.cli import checks, processes
from lab.cli.machine import Machine
from lab.cli.tables import table
from lab.settings import Settings


def run(settings: Settings, *, as_json: bool) -> int:
    """Print the state. Returns 0 where the lab runs, else 1."""
    checks.root()
    machine = Machine(settings)
    api = machine.api_status() if processes.api(settings) else None
    state = {"running": api is not None, "api": settings.api_url, **_own_parts(machine), **(api or {})}
    if as_json:
        print(json.dumps(state, indent=2, default=str))
        return 0 if api is not None else 1
    if api is None:
        print("the lab is not running: start it with python -m lab up")
    for name, value in state.items():
        if not isinstance(value, (list, dict)) and name != "running":
            print(f"{name.replace('_', ' ')}: {value}")
    print()
    for name, value in state.items():
        if isinstance(value, list) and all(isinstance(row, dict) for row in value):
            print(table(name, value))
        elif isinstance(value, dict):
            print(table(name, [value]))
    return 0 if api is not None else 1


def _own_parts(machine: Machine) -> dict[str, Any]:
    listed = machine.podman.run("ps", "--all", "--format", "json", "--filter", f"label={machine.podman.ownership}")
    containers = [
        {"name": item["Names"][0], "state": item["State"], "image": str(item["Image"]).removesuffix(":latest")}
        for item in json.loads(listed)
    ]
    own = [
        {"pid": process.pid, "command": " ".join(process.command)[:100]} for process in processes.find(machine.settings)
    ]
    return {"processes": own, "containers": sorted(containers, key=lambda item: str(item["name"]))}
