# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PostgreSQL and Redis answer servers, each database to its own password."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from lab.cli.machine import Machine
from lab.settings import Settings
from lab.stores import Stores


@pytest.fixture(scope="module")
def stores(machine: Machine) -> Iterator[Stores]:
    stores = Stores(machine.podman, machine.settings)
    assert stores.start()
    yield stores
    machine.podman.run("rm", "--force", "--time", "0", f"{machine.settings.name}-stores")


def _psql(machine: Machine, url: str, statement: str) -> tuple[int, str]:
    result = machine.podman.attempt(
        "exec", f"{machine.settings.name}-stores", "psql", "--no-align", "--tuples-only", url, "--command", statement
    )
    return result.returncode, (result.stdout + result.stderr).decode().strip()


def test_a_database_has_its_own_owner_and_keeps_its_data(stores: Stores, machine: Machine) -> None:
    url = stores.create_database("shop_staging")
    assert _psql(machine, url, "create table kept as select 42 as answer; select current_user") == (
        0,
        "SELECT 1\nshop_staging",
    )
    again = stores.create_database("shop_staging")
    assert _psql(machine, again, "select answer from kept") == (0, "42")
    code, message = _psql(machine, url, "select 1")
    assert code != 0
    assert "password authentication failed" in message


def test_a_name_that_would_be_sql_is_refused(stores: Stores) -> None:
    with pytest.raises(ValueError, match="no name for a database"):
        stores.create_database("a; drop table x")


def test_redis_answers_under_its_url(stores: Stores, settings: Settings) -> None:
    url = urlsplit(stores.redis_url(3))
    assert (url.hostname, url.path) == (settings.stores_address, "/3")
    with socket.create_connection((str(url.hostname), url.port or 0), timeout=5) as redis:
        redis.sendall(b"SELECT 3\r\nSET greeting hello\r\nGET greeting\r\n")
        reply = redis.makefile("rb")
        assert [reply.readline() for _ in range(4)][-1] == b"hello\r\n"
    with pytest.raises(ValueError, match="databases 0 to 63"):
        stores.redis_url(64)


def test_a_second_start_does_nothing_and_a_stopped_container_is_started(stores: Stores, machine: Machine) -> None:
    assert not stores.start()
    machine.podman.run("stop", f"{machine.settings.name}-stores")
    assert not stores.ready()
    assert stores.start()
