# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is tested: an env in a lab, emulated or with real servers, as AWS shows it from outside."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import boto3
import yaml
from botocore.config import Config

from ansible_collections.immutable.ec2.plugins.module_utils.aws.dynamodb import plain
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull import manifest
from tests.edge import edge_template
from tests.faults import clock
from tests.faults.playbooks import Playbook, Playbooks
from tests.lab.contract.faulty import Client, Fault, arm, ask
from tests.lab.contract.support import Api, given, outputs

COLOURS = ("blue", "green")
KEY_OF_THE_TESTS = "tests"
FILE = {
    "region": "eu-west-1",
    "strategy": "canary",
    "canary": [10, 50],
    "bake_time": "3s",
    # The deployment's clock is ahead of the lab's: a colour looks older than it is.
    "health": {"path": "/up", "deadline": "10m"},
    # As a pipeline has it, which begins again when its machine has died.
    "lock_wait": "5m",
}
"""What every env's file has."""

SECRET = "secrets_manager "

Seen = TypeVar("Seen")


def until(look: Callable[[], Seen | None], what: str, seconds: float = 60) -> Seen:
    """Looks until something true is seen, and returns it."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not seen in {seconds:.0f} s: {what}")
        time.sleep(0.1)
    return seen


@dataclass(frozen=True)
class Sizes:
    """How many servers an env has.

    Attributes:
        minimum, maximum: the file's.
        baseline: what the live colour wants when a deployment begins; more than the minimum, so that more is held.
    """

    minimum: int
    maximum: int
    baseline: int


@dataclass(frozen=True)
class Ground:
    """A lab to test in.

    Attributes:
        api: its API.
        playbooks: how runs are started.
        folder: for the ops repo and the logs.
        app: whose releases the images hold.
        releases: two that are equally good.
        speed: how much shorter than real ones the deployments' sleeps are.
        sizes: of each env.
        file: what every env's file has besides.
        edge: further parameters of each edge.
        prepare: is called with the name of each env before its first deployment.
    """

    api: Api
    playbooks: Playbooks
    folder: Path
    app: str
    releases: tuple[str, str]
    speed: float
    sizes: Sizes
    file: Mapping[str, Any]
    edge: Mapping[str, object] = field(default_factory=dict)
    prepare: Callable[[str], None] = lambda _env: None

    @cached_property
    def template(self) -> str:
        return json.dumps(edge_template())


@dataclass(frozen=True)
class Snapshot:
    """Everything about an env at one moment.

    Attributes:
        edge: the edge's stack.
        weights: what the listener does, by colour.
        rules: of the listener, without the default one.
        colours: the stacks that exist.
        groups: their groups.
        lock, guard: the ledger's items, {} where there is none.
        history: its records.
        labels: of the secrets that its colours read: secret → version → staging labels.
    """

    edge: Mapping[str, Any]
    weights: Mapping[str, int]
    rules: int
    colours: Mapping[str, Mapping[str, Any]]
    groups: Mapping[str, Mapping[str, Any]]
    lock: Mapping[str, Any]
    guard: Mapping[str, Any]
    history: list[Mapping[str, Any]]
    labels: Mapping[str, Mapping[str, list[str]]] = field(default_factory=dict)

    @property
    def live(self) -> str | None:
        serving = [colour for colour, weight in self.weights.items() if weight]
        return serving[0] if len(serving) == 1 else None

    @property
    def parameters(self) -> dict[str, str]:
        return {one["ParameterKey"]: one.get("ParameterValue", "") for one in self.edge["Parameters"]}

    def release(self, colour: str | None) -> str | None:
        tags = self.colours[colour]["Tags"] if colour and colour in self.colours else []
        return next((tag["Value"] for tag in tags if tag["Key"] == "release"), None)


def secrets_of(stack: Mapping[str, Any]) -> dict[str, str]:
    """Secret → version, of those that a colour's manifest pins."""
    given = {one["ParameterKey"]: one.get("ParameterValue", "") for one in stack["Parameters"]}
    pins = manifest.read(given["ConfigManifest"]) if given.get("ConfigManifest") else {}
    return {name.removeprefix(SECRET): pin["version"] for name, pin in pins.items() if name.startswith(SECRET)}


class Env:
    """One env of the lab.

    Args:
        ground: the lab.
        name: the env's.
    """

    def __init__(self, ground: Ground, name: str) -> None:
        self.ground, self.name = ground, name
        self._runs = 0
        self._clients = {
            service: boto3.client(
                service,
                region_name="eu-west-1",
                endpoint_url=ground.api.url,
                aws_access_key_id=KEY_OF_THE_TESTS,
                aws_secret_access_key="any",
                config=Config(retries={"mode": "standard", "total_max_attempts": 4}),
            )
            for service in ("cloudformation", "elbv2", "autoscaling", "dynamodb", "secretsmanager")
        }
        self.outputs: dict[str, str] = {}

    def client(self, service: str) -> Any:
        return self._clients[service]

    def stack(self, part: str) -> str:
        return f"{self.ground.app}-{self.name}-{part}"

    def target_group(self, colour: str) -> str:
        return self.outputs[f"{colour.capitalize()}TargetGroupArn"]

    # --- before and after

    def make(self) -> None:
        """The env's file, its edge, and the first release, which serves with more servers than the least."""
        folder = self.ground.folder / "environments"
        folder.mkdir(parents=True, exist_ok=True)
        clock.start(self.clock)
        (folder / f"{self.name}.yml").write_text(yaml.safe_dump({**FILE, **self.ground.file, **self._sizes()}))
        self.ground.prepare(self.name)
        api = self.ground.api
        parameters = {"App": self.ground.app, "Env": self.name, "VpcId": api.vpc, "Subnets": ",".join(api.subnets)}
        self.client("cloudformation").create_stack(
            StackName=self.stack("edge"),
            TemplateBody=self.ground.template,
            Parameters=given({**parameters, **self.ground.edge}),
            Capabilities=["CAPABILITY_IAM"],
        )
        made = until(lambda: self._settled("edge"), f"{self.stack('edge')} is made")
        assert made["StackStatus"] == "CREATE_COMPLETE", api.reasons(self.stack("edge"))
        self.outputs = outputs(made)
        run = self.deploy(self.ground.releases[0], f"{self.name}-first")
        assert run.ended.wait(120) and run.code == 0, f"the first release was not deployed; see {run.request.log}"
        self.client("autoscaling").set_desired_capacity(
            AutoScalingGroupName=self.group("blue"), DesiredCapacity=self.ground.sizes.baseline
        )
        self.ready()

    def ready(self) -> None:
        """Waits until the live colour has its servers."""
        live = self.snapshot().live
        assert live
        group, wanted = self.target_group(live), self.ground.sizes.baseline
        until(lambda: list(self.health(group).values()) == ["healthy"] * wanted, f"{wanted} healthy of {live}")

    def _sizes(self) -> dict[str, Any]:
        sizes = self.ground.sizes
        return {"app": self.ground.app, "capacity": {"min": sizes.minimum, "max": sizes.maximum}}

    def retire_idle(self) -> None:
        """Removes the colour without traffic, so that the next deployment begins like the one before."""
        live = self.snapshot().live
        for colour in COLOURS:
            if colour != live and self._settled(colour):
                self.client("cloudformation").delete_stack(StackName=self.stack(colour))
                until(lambda: self._find(colour) is None, f"{self.stack(colour)} is deleted")  # noqa: B023
                self._take_label_away(self.stack(colour))

    def _take_label_away(self, label: str) -> None:
        """No version of a secret has the label any more: the next deployment of the colour would find its work done."""
        secrets = self.client("secretsmanager")
        pages = secrets.get_paginator("list_secrets").paginate()
        for name in [one["Name"] for page in pages for one in page["SecretList"]]:
            versions = secrets.describe_secret(SecretId=name)["VersionIdsToStages"]
            for version in [version for version, labels in versions.items() if label in labels]:
                secrets.update_secret_version_stage(SecretId=name, VersionStage=label, RemoveFromVersionId=version)

    def remove(self) -> None:
        """Leaves nothing of it but its ledger."""
        for colour in COLOURS:
            self.client("cloudformation").delete_stack(StackName=self.stack(colour))
        for colour in COLOURS:
            until(lambda: self._find(colour) is None, f"{self.stack(colour)} is deleted")  # noqa: B023
        self.client("cloudformation").delete_stack(StackName=self.stack("edge"))
        until(lambda: self._find("edge") is None, f"{self.stack('edge')} is deleted")

    # --- runs

    def key(self) -> str:
        """An access key that no run had before: the lab tells controllers apart by it."""
        self._runs += 1
        return f"{self.name}-{self._runs}"

    def deploy(self, release: str, key: str, bug: str = "") -> Playbook:
        """The command under test: ``ansible-playbook deploy.yml -e env=… -e image=…``."""
        variables = {
            "AWS_ENDPOINT_URL": self.ground.api.url,
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": "any-key-opens-the-lab",
            "AWS_REGION": "eu-west-1",
        }
        ground, extra = self.ground, {"env": self.name, "image": release, "result_file": str(self.result_file(key))}
        return ground.playbooks.start(ground.folder, variables, self.clock, ground.speed, bug, **extra)

    @property
    def clock(self) -> Path:
        """The file of the clock that its controllers share."""
        return self.ground.folder / f"{self.name}.clock"

    def result_file(self, key: str) -> Path:
        return self.ground.folder / f"{key}.json"

    def result(self, key: str) -> dict[str, Any]:
        """What a run wrote for other programs; {} where it didn't come to that."""
        try:
            read: dict[str, Any] = json.loads(self.result_file(key).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return read

    # --- the lab's own records

    def fault(self, effect: str, key: str, **match: object) -> Fault:
        return arm(self.ground.api, effect, {"client": key, **match})

    def calls(self, key: str) -> list[dict[str, Any]]:
        return Client(self.ground.api, key).calls()

    def journal(self, since: int) -> dict[str, Any]:
        return ask(self.ground.api, "GET", f"/_lab/journal?since={since}")

    # --- what is there

    def snapshot(self) -> Snapshot:
        listener = self.client("elbv2").describe_listeners(ListenerArns=[self.outputs["ListenerArn"]])["Listeners"][0]
        by_arn = {
            group["TargetGroupArn"]: group["Weight"]
            for group in listener["DefaultActions"][0]["ForwardConfig"]["TargetGroups"]
        }
        rules = self.client("elbv2").describe_rules(ListenerArn=self.outputs["ListenerArn"])["Rules"]
        stacks = {colour: stack for colour in COLOURS if (stack := self._find(colour))}
        made = {colour: outputs(stack) for colour, stack in stacks.items() if stack.get("Outputs")}
        groups = {colour: found["AutoScalingGroupName"] for colour, found in made.items()}
        found = self.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"] if groups else []
        by_name = {group["AutoScalingGroupName"]: group for group in found}
        items = self._items("env")
        return Snapshot(
            edge=self._find("edge") or {},
            weights={colour: by_arn.get(self.target_group(colour), 0) for colour in COLOURS},
            rules=sum(not rule["IsDefault"] for rule in rules),
            colours=stacks,
            groups={colour: by_name[name] for colour, name in groups.items() if name in by_name},
            lock=items.get("lock", {}),
            guard=items.get("guard", {}),
            history=list(self._items("history").values()),
            labels={secret: self._labels(secret) for stack in stacks.values() for secret in secrets_of(stack)},
        )

    def _labels(self, secret: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = self.client("secretsmanager").describe_secret(SecretId=secret)[
            "VersionIdsToStages"
        ]
        return found

    def group(self, colour: str) -> str:
        stack = self._find(colour)
        assert stack
        return outputs(stack)["AutoScalingGroupName"]

    def health(self, target_group: str) -> dict[str, str]:
        found = self.client("elbv2").describe_target_health(TargetGroupArn=target_group)["TargetHealthDescriptions"]
        return {each["Target"]["Id"]: each["TargetHealth"]["State"] for each in found}

    def _items(self, partition: str) -> dict[str, dict[str, Any]]:
        found = self.client("dynamodb").query(
            TableName=self.outputs["LedgerTableName"],
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": partition}},
            ConsistentRead=True,
        )
        return {item["sk"]: item for item in map(plain, found["Items"])}

    def _find(self, part: str) -> dict[str, Any] | None:
        try:
            found = self.client("cloudformation").describe_stacks(StackName=self.stack(part))["Stacks"]
        except self.client("cloudformation").exceptions.ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return next((stack for stack in found if stack["StackStatus"] != "DELETE_COMPLETE"), None)

    def _settled(self, part: str) -> dict[str, Any] | None:
        stack = self._find(part)
        return stack if stack and not stack["StackStatus"].endswith("_IN_PROGRESS") else None
