# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab of these tests' own, with real servers, and the collection's clients of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients, connect
from lab.cli.environment import variables
from lab.settings import CHECKOUT, Settings
from tests import octets

OCTET = octets.PROGRESS
Connect = Callable[..., Clients]


@pytest.fixture(scope="session")
def lab() -> Iterator[Settings]:
    if os.geteuid() != 0:
        pytest.skip("real servers need root")
    settings = Settings(OCTET)
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}

    def run(*arguments: str) -> None:
        command = [sys.executable, "-m", "lab", *arguments]
        subprocess.run(command, cwd=CHECKOUT, env={**own, "LAB_OCTET": str(OCTET)}, check=True)

    try:
        run("up")
        yield settings
    finally:
        run("down")


@pytest.fixture(scope="session")
def connected(lab: Settings) -> Connect:
    """Connects to the lab as a playbook does, with more arguments of amazon.aws where they are given."""
    found = variables(lab)
    auth = {
        "region": found["AWS_DEFAULT_REGION"],
        "endpoint_url": found["AWS_ENDPOINT_URL"],
        "access_key": found["AWS_ACCESS_KEY_ID"],
        "secret_key": found["AWS_SECRET_ACCESS_KEY"],
    }

    def make(**more: Any) -> Clients:
        return connect({**auth, **more})

    return make


@pytest.fixture(scope="session")
def clients(connected: Connect) -> Clients:
    return connected()
