# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab at AWS's own speed, with envs that are alike and two releases that differ by their names alone."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.cli.environment import variables
from lab.demo import configuration
from lab.settings import CHECKOUT
from tests import octets
from tests.benchmarks.controllers import Run, measured
from tests.lab.deployments.controller import Controller, clean_environment
from tests.lab.deployments.env import Env
from tests.lab.deployments.releases import Releases
from tests.lab.shop import APP, Shop
from tests.own_lab import OwnLab

CLOCK_FACTOR = 1
FOLDER = CHECKOUT / "build" / "bench" / "deployments"
PLAYBOOK = Path(__file__).parent / "plain" / "swap.yml"
ENVS = ("ours", "plain")
SERVERS = 2
EDGE = {"DeregistrationDelaySeconds": 5, "ErrorsPerMinute": 100_000, "SlowSeconds": 3600}
"""Colours go soon between two runs, and no alarm of the edge fires by itself."""


class Place:
    """One env, whose deployments are measured.

    Args:
        env: it.
        folder: for the logs of what is run beside the collection's playbooks.
        releases: the two, of which one is deployed after the other.
    """

    def __init__(self, env: Env, folder: Path, releases: tuple[str, str]) -> None:
        self.env = env
        self._folder = folder
        self._releases = releases
        self._count = 0

    @property
    def live(self) -> str:
        """The colour that has all traffic."""
        return "green" if self.env.asked[1] else "blue"

    @property
    def idle(self) -> str:
        return "blue" if self.live == "green" else "green"

    @property
    def serving(self) -> str:
        """The release that has all traffic."""
        return self.env.colours[self.live]

    @property
    def next(self) -> str:
        """The other release."""
        first, second = self._releases
        return second if self.serving == first else first

    def write(self, **keys: object) -> None:
        """The env's file: all at once, and what is given instead or besides."""
        self.env.write(capacity={"min": SERVERS, "max": 2 * SERVERS}, **keys)

    def make(self, release: str) -> None:
        """Its edge, and the release in it."""
        ended = self.env.start("environment", environment_edge_parameters=EDGE).end()
        assert ended.code == 0, ended.said
        ended = self.env.deploy(release)
        assert ended.result == "deployed", ended.said

    def ours(self, release: str) -> Run:
        """The collection's deployment, to its end."""
        return measured(self.env, lambda client: self.env.start("deploy", client=client, image=release))

    def plain(self, release: str, colour: str) -> Run:
        """The plain playbook's."""
        return measured(self.env, lambda client: self._swap(release, colour, client))

    def leave(self, colour: str) -> None:
        """Without this colour, whose servers have drained."""
        self.env.delete(colour)
        self.env.gone(colour)

    def _swap(self, release: str, colour: str, client: str) -> Controller:
        self._count += 1
        environment = clean_environment(variables(self.env.shop.settings), self._folder / "ansible")
        given = {"app": APP, "env": self.env.name, "release": release, "colour": colour}
        command = ["ansible-playbook", str(PLAYBOOK), "-e", json.dumps(given)]
        name = f"{self._count:02}-swap"
        return Controller(self._folder, {**environment, "AWS_ACCESS_KEY_ID": client}, name, command)


@contextmanager
def stage(folder: Path = FOLDER) -> Iterator[dict[str, Place]]:
    """The envs, each with the first release in it; afterwards nothing of the lab is left."""
    os.environ["LAB_CLOCK_FACTOR"] = str(CLOCK_FACTOR)
    own = OwnLab(octets.BENCH_DEPLOY, folder)
    try:
        own.start()
        own.scenario.bake_base()
        own.scenario.bake(1)
        yield places(own, own.scenario.releases[1], folder)
    finally:
        own.stop()


def places(own: OwnLab, first: str, folder: Path) -> dict[str, Place]:
    """The envs in a lab that has one release."""
    shutil.rmtree(folder / "envs", ignore_errors=True)  # an earlier run's
    shop = Shop(own.settings, own.cloud, own.commands, first, "r-good")
    Releases(shop).make("good")
    configuration.ensure(own.settings, own.cloud, APP, ENVS)
    made = {}
    for name in ENVS:
        env = Env(shop, folder / "envs", name)
        made[name] = Place(env, folder / "envs" / name, (first, shop.second))
        made[name].write()
        made[name].make(first)
    return made
