# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of a release in a lab of the tests' own: baked once, then deployed by the playbooks, as a user does it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from lab.demo.scenario import ENVS
from lab.settings import CHECKOUT
from tests.lab.release.support import Shop
from tests.own_lab import OwnLab

OCTET = 163
FOLDER = CHECKOUT / "build" / "test" / "release"


@pytest.fixture(scope="session")
def shop() -> Iterator[Shop]:
    """The example app with two baked releases, an edge and a configuration for each env, nothing deployed yet."""
    if os.geteuid() != 0:
        pytest.skip("real servers need root")
    own = OwnLab(OCTET, FOLDER)
    try:
        own.start()
        for env in ENVS:
            own.scenario.make_edge(env)
        own.scenario.bake_base()
        own.scenario.bake(1)
        own.scenario.bake(2)
        yield Shop(own.settings, own.cloud, own.commands, own.scenario.releases[1], own.scenario.releases[2])
    finally:
        own.stop()
