# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab on addresses of its own, with the example app's scenario in it, for tests that bake and deploy."""

from __future__ import annotations

from pathlib import Path

from lab.cli.environment import variables
from lab.demo.cloud import Cloud
from lab.demo.commands import Commands
from lab.demo.journal import Journal
from lab.demo.scenario import Scenario, folders
from lab.settings import Settings


class OwnLab:
    """A lab apart from the one that someone may be working with.

    Args:
        octet: which lab; see lab.settings.
        folder: where its logs and the app's sources are written.
    """

    def __init__(self, octet: int, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.settings = Settings(octet)
        environment = variables(self.settings)
        self.cloud = Cloud(environment)
        self.commands = Commands(folders(folder), {**environment, "LAB_OCTET": str(octet)}, print)
        self.scenario = Scenario(self.settings, self.cloud, self.commands, Journal(folder), rate=0)

    def start(self) -> None:
        """Start it afresh, with the app's configuration and sources."""
        self.stop()
        self.scenario.start_lab()
        self.scenario.configure()
        self.scenario.make_bucket()
        self.scenario.make_sources()

    def stop(self) -> None:
        """Leave nothing of it."""
        self.commands.run("lab-down", ["python", "-m", "lab", "down"])
