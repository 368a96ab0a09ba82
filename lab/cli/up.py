# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start the lab: network, base image, stores, API. What runs already is left as it is."""

from __future__ import annotations

import os
import time

from lab.cli import checks, processes
from lab.cli.machine import Machine
from lab.rootfs import base, stores_image
from lab.settings import LabError, Settings
from lab.stores import Stores


def run(settings: Settings, clock_factor: float) -> None:
    """Bring the lab up and wait until it is ready. Raises LabError where it can't, and leaves nothing half made."""
    started = time.monotonic()
    checks.root()
    checks.aws_environment(settings, os.environ)
    checks.tools()
    machine = Machine(settings)
    with machine.alone():
        if not _runs_already(machine, clock_factor):
            _start(machine, clock_factor)
    _say(f"ready at {settings.api_url} after {time.monotonic() - started:.1f} s")
    _say('talk to it with: eval "$(python -m lab env)"')


def _runs_already(machine: Machine, clock_factor: float) -> bool:
    api = processes.api(machine.settings)
    if api is None or machine.api_status() is None:
        return False
    factor = float(api.option("--clock-factor") or 0)
    if factor != clock_factor:
        raise LabError(
            f"the lab runs with clock factor {factor}, not {clock_factor}: to change it, run python -m lab down first"
        )
    if Stores(machine.podman, machine.settings).start():
        _say("stores: started again")
    _say(f"API: runs already (pid {api.pid}, clock factor {factor})")
    return True


def _start(machine: Machine, clock_factor: float) -> None:
    settings, podman = machine.settings, machine.podman
    # An API of ours that doesn't answer still holds the port, and goes with the rest below.
    if processes.api(settings) is None:
        checks.port_free(settings.api_port)
    checks.disk(podman.storage())
    checks.watches()
    for item in machine.remove_everything():
        _say(f"removed what a crash left behind: {item}")
    try:
        _made("base image", base.ensure(podman, settings.run_dir))
        machine.make_network()
        _made("stores' image", stores_image.ensure(podman, settings))
        begun = time.monotonic()
        Stores(podman, settings).start()
        _say(f"stores: PostgreSQL and Redis on {settings.stores_address} ({time.monotonic() - begun:.1f} s)")
        begun = time.monotonic()
        machine.start_api(clock_factor)
        _say(f"API: started, clock factor {clock_factor} ({time.monotonic() - begun:.1f} s)")
    except (LabError, KeyboardInterrupt):
        machine.remove_everything()
        raise


def _made(what: str, seconds: float | None) -> None:
    _say(f"{what}: cached" if seconds is None else f"{what}: made in {seconds:.1f} s")


def _say(line: str) -> None:
    print(f"lab: {line}", flush=True)
