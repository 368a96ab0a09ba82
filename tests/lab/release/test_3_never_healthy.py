# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Promises 6 and 10: without its configuration a server serves nothing, and gets no traffic."""

from __future__ import annotations

import http.client
from collections.abc import Iterator

import pytest

from tests.lab.shop import APP, Shop


@pytest.fixture
def no_database_url(shop: Shop) -> Iterator[None]:
    """staging's DATABASE_URL is gone from the store meanwhile."""
    parameters = shop.cloud.parameters
    name = f"/{APP}/staging/DATABASE_URL"
    url = parameters.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    parameters.delete_parameter(Name=name)
    yield
    parameters.put_parameter(Name=name, Value=url, Type="SecureString")


def new_colour(shop: Shop, **launch: object) -> str:
    """What is said when a changed launch setting asks for a new colour of the same release."""
    return shop.refuses(
        "deploy",
        env="staging",
        environment_overrides={"image": shop.second, "health": {"path": "/up", "deadline": "30s"}},
        deployment_launch={"VolumeGiB": 9, **launch},
    )


def servers(shop: Shop) -> list[str]:
    """Addresses of the colour's servers that run."""
    wanted = {"tag:env": "staging", "tag:colour": "blue", "instance-state-name": "running"}
    found = shop.cloud.ec2.describe_instances(
        Filters=[{"Name": key, "Values": [value]} for key, value in wanted.items()]
    )
    return [server["PrivateIpAddress"] for each in found["Reservations"] for server in each["Instances"]]


def test_a_configuration_that_is_not_complete_is_seen_before_a_server_is_made(
    shop: Shop, no_database_url: None
) -> None:
    before = shop.cloud.everything()
    said = new_colour(shop)
    assert "DATABASE_URL" in said
    assert shop.cloud.everything() == before


def test_promise_10_a_server_without_its_configuration_binds_no_port(shop: Shop, no_database_url: None) -> None:
    """Nobody has looked before: the deployment was told to leave the configuration to the servers."""
    said = new_colour(shop, ConfigManifest="")
    assert servers(shop)
    assert not any(answers(address) for address in servers(shop))
    assert "0 of 1 server of blue healthy after 30 s" in said


def answers(address: str) -> bool:
    """Whether a server has bound its port."""
    connection = http.client.HTTPConnection(address, 80, timeout=2)
    try:
        connection.connect()
    except OSError:
        return False
    finally:
        connection.close()
    return True
