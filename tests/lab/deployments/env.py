# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An env of the tests' own: its file, its edge, its traffic, and those who deploy to it."""

from __future__ import annotations

import itertools
import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from lab.cli.environment import variables
from lab.demo import configuration
from lab.demo.cloud import WeightsWatch
from lab.demo.run import Weights
from lab.demo.scenario import ENVS
from lab.load import Load
from tests.lab.deployments.controller import Controller, Ended, clean_environment
from tests.lab.shop import APP, DRAIN_SECONDS, Shop

ALL_ENVS = ("steps", "guarded", "pairs", "errors", "slow", "crowd")
#: More than any test makes: no alarm of the edge fires by itself.
MANY_ERRORS = 100_000
COMMON = {"app": APP, "region": "eu-west-1"}
PLAIN: dict[str, Any] = {
    "strategy": "all_at_once",
    "capacity": {"min": 1, "max": 3},
    "instance_type": "t3.small",
    "health": {"path": "/up", "deadline": "3m"},
}


class Env:
    """One environment.

    Args:
        shop: the lab.
        folder: for its ops repo.
        name: which; one of ``ALL_ENVS``.
    """

    def __init__(self, shop: Shop, folder: Path, name: str) -> None:
        self.shop = shop
        self.name = name
        self._folder = folder / name
        self._numbers = itertools.count(1)
        (self._folder / "environments").mkdir(parents=True)
        (self._folder / "environments" / "all.yml").write_text(yaml.safe_dump(COMMON))
        self._variables = variables(shop.settings)
        self.write()

    # ------------------------------------------------------------ the file, the edge

    def write(self, **keys: Any) -> None:
        """The env's file: all at once between small colours, and what is given instead or besides."""
        path = self._folder / "environments" / f"{self.name}.yml"
        path.write_text(yaml.safe_dump({**PLAIN, **keys}))

    def make(self, errors_per_minute: int = MANY_ERRORS) -> Env:
        """Its databases, its configuration, its edge."""
        configuration.ensure(self.shop.settings, self.shop.cloud, APP, (*ENVS, *ALL_ENVS))
        parameters = {"DeregistrationDelaySeconds": DRAIN_SECONDS, "ErrorsPerMinute": errors_per_minute}
        ended = self.start("environment", environment_edge_parameters=parameters).end()
        assert ended.code == 0, ended.said
        return self

    def remove(self) -> None:
        """Nothing of it is left but its ledger, as the edge's role leaves it."""
        stacks = self.shop.cloud.stacks
        for part in ("blue", "green", "edge"):
            stacks.delete_stack(StackName=self.stack(part))
            stacks.get_waiter("stack_delete_complete").wait(StackName=self.stack(part), WaiterConfig={"Delay": 1})

    # ------------------------------------------------------------ controllers

    def start(self, playbook: str, *arguments: str, client: str = "lab", **extra: Any) -> Controller:
        """Somebody runs a playbook of the collection in the ops repo.

        Args:
            client: the access key that they have.
        """
        home = self._folder / "ansible"
        environment = {**clean_environment(self._variables, home), "AWS_ACCESS_KEY_ID": client}
        given = json.dumps({"env": self.name, **extra})
        command = ["ansible-playbook", f"immutable.ec2.{playbook}", "-e", given, *arguments]
        return Controller(self._folder, environment, f"{next(self._numbers):02}-{playbook}", command)

    def run(self, playbook: str, *arguments: str, **extra: Any) -> Ended:
        """The same, to its end."""
        return self.start(playbook, *arguments, **extra).end()

    def deploy(self, image: str, **extra: Any) -> Ended:
        return self.run("deploy", image=image, **extra)

    def serves(self, image: str) -> Env:
        """It serves this release, all of it, however that is reached."""
        ended = self.deploy(image)
        assert ended.result in ("deployed", "nothing_to_do"), ended.said
        return self

    # ------------------------------------------------------------ what is seen

    @property
    def edge(self) -> dict[str, str]:
        """The edge's outputs."""
        return self.shop.cloud.outputs(self.stack("edge"))

    def stack(self, part: str) -> str:
        return f"{APP}-{self.name}-{part}"

    @property
    def parameters(self) -> dict[str, str]:
        """The edge's parameters."""
        stack = self.shop.cloud.stacks.describe_stacks(StackName=self.stack("edge"))["Stacks"][0]
        return {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}

    @property
    def asked(self) -> tuple[int, int]:
        """The weights of blue and green that the edge's stack says."""
        parameters = self.parameters
        return int(parameters["BlueWeight"]), int(parameters["GreenWeight"])

    @property
    def weights(self) -> tuple[int, int]:
        """The weights of blue and green that the listener has."""
        edge = self.edge
        listener = self.shop.cloud.balancers.describe_listeners(ListenerArns=[edge["ListenerArn"]])["Listeners"][0]
        groups = listener["DefaultActions"][0]["ForwardConfig"]["TargetGroups"]
        found = {group["TargetGroupArn"]: group.get("Weight", 1) for group in groups}
        return found[edge["BlueTargetGroupArn"]], found[edge["GreenTargetGroupArn"]]

    @property
    def status(self) -> dict[str, Any]:
        """What status.yml says, as data."""
        return dict(self.run("status", format="json").facts)

    @property
    def colours(self) -> dict[str, str]:
        """The release of each colour that there is, from its stack."""
        found = {}
        for colour in ("blue", "green"):
            stack = self.find_stack(self.stack(colour))
            if stack:
                found[colour] = {tag["Key"]: tag["Value"] for tag in stack["Tags"]}["release"]
        return found

    def find_stack(self, name: str) -> dict[str, Any] | None:
        """The stack of this name, if there is one that is not deleted."""
        pages = self.shop.cloud.stacks.get_paginator("describe_stacks").paginate()
        return next((stack for page in pages for stack in page["Stacks"] if stack["StackName"] == name), None)

    # ------------------------------------------------------------ traffic

    @contextmanager
    def load(self, rate: float, paths: tuple[str, ...] = ("/", "/up", "/articles")) -> Iterator[Load]:
        """Requests at a constant rate meanwhile; the records are there afterwards."""
        out = self._folder / f"load-{next(self._numbers)}.jsonl"
        with Load(self.shop.cloud.url(APP, self.name), out, rate=rate, paths=paths) as load:
            yield load

    @contextmanager
    def watched(self) -> Iterator[list[Weights]]:
        """Every change of the listener's weights meanwhile."""
        into: list[Weights] = []
        with WeightsWatch(self.shop.cloud, APP, self.name, into):
            yield into

    # ------------------------------------------------------------ the lab itself

    def ask(self, method: str, path: str, content: dict[str, Any] | None = None) -> dict[str, Any]:
        """One request to the lab's own paths (/_lab/…)."""
        body = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(self.shop.settings.api_url + path, body, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            read: dict[str, Any] = json.load(answer)
            return read

    def last_call(self) -> int:
        """The number of the last call that the lab has seen."""
        return int(self.ask("GET", "/_lab/calls?client=nobody")["last"])

    def calls(self, client: str, since: int = 0) -> list[dict[str, Any]]:
        """The calls of a client after that number."""
        calls: list[dict[str, Any]] = self.ask("GET", f"/_lab/calls?since={since}&client={client}")["calls"]
        return calls

    def writes(self, client: str, since: int = 0) -> list[str]:
        """The operations by which a client changed something."""
        return [call["operation"] for call in self.calls(client, since) if call["writes"]]


def until(condition: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"still not after {seconds:.0f} s: {what}"
        time.sleep(0.2)
