# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of a release in a lab of the tests' own: baked once, then deployed by the playbooks, as a user does it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from lab.cli.environment import variables
from lab.demo.cloud import Cloud
from lab.demo.commands import Commands
from lab.demo.journal import Journal
from lab.demo.scenario import ENVS, Scenario, folders
from lab.settings import CHECKOUT, Settings
from tests.lab.release.support import Shop

OCTET = 163
FOLDER = CHECKOUT / "build" / "test" / "release"


@pytest.fixture(scope="session")
def shop() -> Iterator[Shop]:
    """The example app with two baked releases, an edge and a configuration for each env, nothing deployed yet."""
    if os.geteuid() != 0:
        pytest.skip("real servers need root")
    settings = Settings(OCTET)
    cloud = Cloud(variables(settings))
    FOLDER.mkdir(parents=True, exist_ok=True)
    commands = Commands(folders(FOLDER), {**variables(settings), "LAB_OCTET": str(OCTET)}, print)
    scenario = Scenario(settings, cloud, commands, Journal(FOLDER), rate=220)
    commands.run("lab-down", ["python", "-m", "lab", "down"])
    try:
        scenario.start_lab()
        scenario.configure()
        for env in ENVS:
            scenario.make_edge(env)
        scenario.make_sources()
        scenario.bake_base()
        scenario.bake(1)
        scenario.bake(2)
        yield Shop(settings, cloud, commands, scenario.releases[1], scenario.releases[2])
    finally:
        commands.run("lab-down", ["python", "-m", "lab", "down"])
