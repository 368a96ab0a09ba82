# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Promises 6 and 10: without its configuration a server serves nothing, and gets no traffic."""

from __future__ import annotations

import http.client

from tests.lab.shop import APP, Shop


def test_a_release_without_its_configuration_gets_no_traffic(shop: Shop) -> None:
    """staging's DATABASE_URL is gone, and a changed launch setting asks for a new colour of the same release."""
    parameters = shop.cloud.parameters
    name = f"/{APP}/staging/DATABASE_URL"
    url = parameters.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    parameters.delete_parameter(Name=name)
    try:
        said = shop.refuses(
            "deploy",
            env="staging",
            environment_overrides={"image": shop.second, "health": {"path": "/up", "deadline": "30s"}},
            deployment_launch={"VolumeGiB": 9},
        )
        servers = [
            server["PrivateIpAddress"]
            for reservation in shop.cloud.ec2.describe_instances(
                Filters=[{"Name": "tag:env", "Values": ["staging"]}, {"Name": "tag:colour", "Values": ["blue"]}]
            )["Reservations"]
            for server in reservation["Instances"]
            if server["State"]["Name"] == "running"
        ]
        assert servers
        assert not any(answers(address) for address in servers)
    finally:
        parameters.put_parameter(Name=name, Value=url, Type="SecureString")
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
