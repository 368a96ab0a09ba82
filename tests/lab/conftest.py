# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of a release in a lab of the tests' own: baked once, then deployed by the playbooks, as a user does it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.lab.shop import FOLDER, OCTET, Shop, bake
from tests.own_lab import OwnLab


@pytest.fixture(scope="session")
def shop() -> Iterator[Shop]:
    """The example app with two baked releases, an edge and a configuration for each env, nothing deployed yet."""
    if os.geteuid() != 0:
        pytest.skip("real servers need root")
    own = OwnLab(OCTET, FOLDER)
    try:
        yield bake(own)
    finally:
        own.stop()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Config-pull's come last: their Vault is built beside the others, which takes minutes the first time."""
    items.sort(key=lambda item: "config_pull" in item.path.parts)
