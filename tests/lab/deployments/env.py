# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An env of the tests' own: its file, its edge, its traffic, and those who deploy to it."""

from __future__ import annotations

import http.client
import itertools
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import yaml

from lab.cli.environment import variables
from lab.demo.cloud import WeightsWatch
from lab.demo.run import Weights
from lab.load import Load
from tests.lab.deployments.control import LabControl
from tests.lab.deployments.controller import Controller, Ended, clean_environment
from tests.lab.shop import APP, DRAIN_SECONDS, Shop

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackTypeDef
    from mypy_boto3_elbv2.type_defs import ActionTypeDef, TargetGroupTupleTypeDef

ALL_ENVS = ("steps", "guarded", "pairs", "errors", "slow")
#: No alarm of the edge fires by itself: a test that wants one rings it.
CALM = {"ErrorsPerMinute": 100_000, "SlowSeconds": 60, "DeregistrationDelaySeconds": DRAIN_SECONDS}
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
        self.lab = LabControl(shop.settings.api_url)
        self.write()

    # ------------------------------------------------------------ the file, the edge

    def write(self, **keys: Any) -> None:
        """The env's file: all at once between small colours, and what is given instead or besides."""
        path = self._folder / "environments" / f"{self.name}.yml"
        path.write_text(yaml.safe_dump({**PLAIN, **keys}))

    def make(self) -> Controller:
        """Somebody makes its edge."""
        return self.start("environment", environment_edge_parameters=CALM)

    def delete(self, *parts: str) -> None:
        """Have stacks deleted; nobody waits for it."""
        for part in parts:
            self.shop.cloud.stacks.delete_stack(StackName=self.stack(part))

    def gone(self, *parts: str) -> None:
        """Wait until stacks are gone."""
        for part in parts:
            until(partial(self._gone, self.stack(part)), f"{self.stack(part)} is gone")

    def _gone(self, stack: str) -> bool:
        return self.find_stack(stack) is None

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

    def find_stack(self, name: str) -> StackTypeDef | None:
        """The stack of this name, if there is one that is not deleted."""
        pages = self.shop.cloud.stacks.get_paginator("describe_stacks").paginate()
        return next((stack for page in pages for stack in page["Stacks"] if stack["StackName"] == name), None)

    def minimum(self, colour: str) -> int:
        """The minimum that a colour's group has now."""
        return int(self.status["environment"]["colours"][colour]["min"])

    def ready(self) -> None:
        """Wait until nothing is under way at the edge's stack."""

        def over() -> bool:
            found = self.find_stack(self.stack("edge"))
            return found is not None and found["StackStatus"].endswith("COMPLETE")

        until(over, f"{self.stack('edge')} is ready")

    # ------------------------------------------------------------ what somebody does by hand

    def set_weights(self, blue: int, green: int) -> None:
        edge = self.edge
        groups: list[TargetGroupTupleTypeDef] = [
            {"TargetGroupArn": edge[f"{colour}TargetGroupArn"], "Weight": weight}
            for colour, weight in (("Blue", blue), ("Green", green))
        ]
        actions: list[ActionTypeDef] = [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]
        self.shop.cloud.balancers.modify_listener(ListenerArn=edge["ListenerArn"], DefaultActions=actions)

    def scale(self, colour: str, servers: int) -> None:
        """A colour's group gets another size, as a scaling policy gives it one."""
        group = self.shop.cloud.outputs(self.stack(colour))["AutoScalingGroupName"]
        self._client("autoscaling").set_desired_capacity(AutoScalingGroupName=group, DesiredCapacity=servers)

    def register(self, app: str, region: str) -> str:
        """An image that is in the books only; returns its id."""
        ec2 = self._client("ec2", region)
        image = ec2.register_image(Name=f"{app}-app-r", RootDeviceName="/dev/xvda")["ImageId"]
        tags = {"app": app, "stage": "app", "release": "r"}
        ec2.create_tags(Resources=[image], Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
        return str(image)

    def deregister(self, image: str, region: str) -> None:
        self._client("ec2", region).deregister_image(ImageId=image)

    # ------------------------------------------------------------ alarms, the lock

    @property
    def alarm(self) -> str:
        """The first of the edge's alarms."""
        return self.edge["AlarmNames"].split(",")[0]

    def ring(self) -> float:
        """An alarm goes to ALARM; returns when."""
        self.hush()
        at = time.time()
        self._client("cloudwatch").set_alarm_state(AlarmName=self.alarm, StateValue="ALARM", StateReason="a test")
        return at

    def hush(self) -> None:
        """The alarm is over."""
        self._client("cloudwatch").set_alarm_state(AlarmName=self.alarm, StateValue="OK", StateReason="a test")

    def lease_over(self) -> None:
        """The lease of a controller that is dead ends now, so that its minute need not be waited for."""
        self._client("dynamodb").update_item(
            TableName=self.edge["LedgerTableName"],
            Key={"pk": {"S": "env"}, "sk": {"S": "lock"}},
            UpdateExpression="SET #until = :past",
            ConditionExpression="attribute_exists(holder)",
            ExpressionAttributeNames={"#until": "until"},
            ExpressionAttributeValues={":past": {"N": "1"}},
        )

    def _client(self, service: str, region: str = COMMON["region"]) -> Any:
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": self._variables["AWS_SECRET_ACCESS_KEY"]}
        url = self.shop.settings.api_url
        return boto3.client(service, endpoint_url=url, region_name=region, **keys)  # type: ignore[call-overload]

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

    def answering(self, requests: int = 20) -> set[str]:
        """The releases that answer now."""
        address = self.shop.cloud.url(APP, self.name).removeprefix("http://")
        found = set()
        for _ in range(requests):
            connection = http.client.HTTPConnection(address, 80, timeout=10)
            try:
                connection.request("GET", "/up")
                found.add(str(connection.getresponse().getheader("X-Release")))
            finally:
                connection.close()
        return found


def until(condition: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"still not after {seconds:.0f} s: {what}"
        time.sleep(0.2)
