# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One lab API without servers for the gates' tests, and the collection's own clients for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients, connect
from tests import octets
from tests.lab.contract import support


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[support.Api]:
    """The API, ended after the last test."""
    with support.running(tmp_path_factory.mktemp("lab-api"), octets.GATES) as started:
        yield started


@pytest.fixture
def clients(api: support.Api) -> Clients:
    """As a deployment has them, but for the retries: what is refused is refused at once."""
    return connect(
        {
            "region": "eu-west-1",
            "endpoint_url": api.url,
            "access_key": "lab",
            "secret_key": "lab",
            "aws_config": {"retries": {"total_max_attempts": 1}},
        }
    )
