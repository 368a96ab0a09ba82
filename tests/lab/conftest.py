# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of a release in a lab of the tests' own: baked once, then deployed by the playbooks, as a user does it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import octets
from tests.lab.shop import Shop, baked


@pytest.fixture(scope="session")
def shop() -> Iterator[Shop]:
    """The example app with two baked releases, an edge and a configuration for each env, nothing deployed yet."""
    with baked(octets.SHOP, "release") as found:
        yield found
