# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The example app with two baked releases in a lab of the tests' own: baked once, for all tests that deploy."""

from __future__ import annotations

import http.client
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lab.demo.cloud import Cloud
from lab.demo.commands import Commands
from lab.demo.journal import DemoError
from lab.demo.scenario import ENVS
from lab.settings import CHECKOUT, Settings
from tests.own_lab import OwnLab

APP = "shop"
DRAIN_SECONDS = 20
"""Before a colour is retired the engine waits as long in real seconds; the lab's load balancer drains for a tenth."""


@dataclass(frozen=True)
class Answer:
    """A response, its header names in lower case, and how long it took."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float


@dataclass(frozen=True)
class Shop:
    """The example app in the tests' lab, the names of its two releases, and someone who stands in the checkout."""

    settings: Settings
    cloud: Cloud
    commands: Commands
    first: str
    second: str
    assets: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Release → the paths of its digested assets."""

    def runs(self, playbook: str, *arguments: str, **extra: Any) -> dict[str, Any]:
        """The result that the playbook wrote, {} where it writes none."""
        return self.commands.playbook(playbook, playbook, *arguments, **extra)

    def assets_of_its_own(self, release: str) -> frozenset[str]:
        """Those that the other release's image lacks."""
        other = self.second if release == self.first else self.first
        own = self.assets[release] - self.assets[other]
        assert own, f"{release} has an asset that {other} lacks"
        return own

    def asks(self, env: str, path: str) -> Answer:
        """What the env's load balancer answers to a GET."""
        connection = http.client.HTTPConnection(self.cloud.url(APP, env).removeprefix("http://"), 80, timeout=20)
        try:
            began = time.monotonic()
            connection.request("GET", path)
            response = connection.getresponse()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, headers, response.read(), time.monotonic() - began)
        finally:
            connection.close()

    def refuses(self, playbook: str, **extra: Any) -> str:
        """What the playbook said, on one line, when it ended without success."""
        with pytest.raises(DemoError) as failure:
            self.commands.playbook(playbook, f"{playbook}-refused", **extra)
        # The error shows the last lines alone, and a result that is printed after the message can fill them.
        log = re.search(r"see (\S+\.log)", str(failure.value))
        assert log, failure.value
        return " ".join(Path(log[1]).read_text(encoding="utf-8").split())


@contextmanager
def baked(octet: int, name: str) -> Iterator[Shop]:
    """The example app with two baked releases, an edge and a configuration for each env, nothing deployed yet.

    Args:
        octet: whose lab; it is gone afterwards.
        name: of the folder of its logs.
    """
    if os.geteuid() != 0:
        pytest.skip("real servers need root")
    own = OwnLab(octet, CHECKOUT / "build" / "test" / name)
    try:
        yield bake(own)
    finally:
        own.stop()


def bake(own: OwnLab) -> Shop:
    """Start a lab with an edge and a configuration for each of the ops repo's envs, and bake; nothing is deployed."""
    own.start()
    for env in ENVS:
        parameters = {"DeregistrationDelaySeconds": DRAIN_SECONDS}
        own.commands.playbook("environment", f"environment-{env}", env=env, environment_edge_parameters=parameters)
    own.scenario.bake_base()
    own.scenario.bake(1)
    own.scenario.bake(2)
    first, second = own.scenario.releases[1], own.scenario.releases[2]
    assets = {release: frozenset(own.cloud.assets(APP, release)) for release in (first, second)}
    return Shop(own.settings, own.cloud, own.commands, first, second, assets)
