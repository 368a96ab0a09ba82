# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the app's health path says of its stores, and what the load balancer makes of servers that are all unhealthy."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lab.podman import Podman
from lab.settings import Settings
from tests.lab.contract.support import wait_for
from tests.lab.shop import APP, Shop

STORES = {"PostgreSQL": "postgresql@*.service", "Redis": "redis-server.service"}


@pytest.mark.parametrize("unit", STORES.values(), ids=STORES.keys())
def test_up_is_503_while_a_store_is_down(shop: Shop, unit: str) -> None:
    """With all servers unhealthy the load balancer sends to all of them, so the app's own answers are seen."""
    address = shop.cloud.url(APP, "prod").removeprefix("http://")
    with stopped(shop.settings, unit):
        wait_for(lambda: up(address) == (503, shop.second), "503 of the app", 30)
    wait_for(lambda: up(address) == (200, shop.second), "200 of the app", 30)


def up(address: str) -> tuple[int, str | None]:
    """Status and release of a response to the health path."""
    connection = http.client.HTTPConnection(address, 80, timeout=10)
    try:
        connection.request("GET", "/up")
        answer = connection.getresponse()
        return answer.status, answer.getheader("X-Release")
    finally:
        connection.close()


@contextmanager
def stopped(settings: Settings, unit: str) -> Iterator[None]:
    """A store of the lab is stopped meanwhile."""
    podman, container = Podman(settings.run_dir), f"{settings.name}-stores"
    units = podman.run("exec", container, "systemctl", "list-units", "--plain", "--no-legend", unit).split()[0]
    podman.run("exec", container, "systemctl", "stop", units)
    try:
        yield
    finally:
        podman.run("exec", container, "systemctl", "start", units)
