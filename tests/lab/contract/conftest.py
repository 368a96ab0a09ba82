# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One lab API without servers for all contract cases; each case makes its own resources, under its own names."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.contract import balancer as balancers
from tests.lab.contract import support


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "servers: needs real servers (root, podman, HAProxy, Packer)")


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[support.Api]:
    """The API, ended after the last case."""
    with support.running(tmp_path_factory.mktemp("lab-api"), support.OCTET) as started:
        yield started


@pytest.fixture
def balancer(api: support.Api) -> Iterator[balancers.Balancer]:
    """A load balancer of the case's own, with traffic on blue."""
    with balancers.serving(api) as made:
        yield made
