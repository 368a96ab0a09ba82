# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stop the lab: all its processes, containers and images and its network go, also after a crash.

What the lab did not start stays, and so do the two cached images of its root file systems.
"""

from __future__ import annotations

from lab.cli import checks
from lab.cli.machine import Machine
from lab.settings import Settings


def run(settings: Settings) -> None:
    """Take the lab down; one that is down already is fine."""
    checks.root()
    machine = Machine(settings)
    with machine.alone():
        removed = machine.remove_everything()
    for item in removed:
        print(f"lab: removed {item}")
    print("lab: down" if removed else "lab: was not running")
