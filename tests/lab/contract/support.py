# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's API as the contract cases see it: clients, templates, and waits for what comes later."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import boto3
from botocore.config import Config

from tests import octets

CHECKOUT = Path(__file__).resolve().parents[3]
EDGE = CHECKOUT / "roles" / "environment" / "files" / "edge.yml"
COLOUR = CHECKOUT / "roles" / "deployment" / "files" / "colour.yml"
DISTRIBUTION = "/aws/service/debian/release/13/latest/amd64"
OCTET = octets.CONTRACT
CLOCK_FACTOR = 0.02
_START_SECONDS = 60


Seen = TypeVar("Seen")


def wait_for(look: Callable[[], Seen | None], what: str, seconds: float = 30) -> Seen:
    """Look until something true is seen, and return it."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, f"not seen in {seconds} s: {what}"
        time.sleep(0.05)
    return seen


@dataclass(frozen=True)
class Api:
    """A lab API that runs."""

    url: str
    run_dir: Path

    def client(self, service: str) -> Any:
        """A client; calls are made once, so that a refusal is seen as it is."""
        return boto3.client(
            service,  # type: ignore[call-overload]
            region_name="eu-west-1",
            endpoint_url=self.url,
            aws_access_key_id="lab",
            aws_secret_access_key="lab",
            config=Config(retries={"max_attempts": 1, "mode": "standard"}),
        )

    @cached_property
    def stacks(self) -> Any:
        return self.client("cloudformation")

    @cached_property
    def ec2(self) -> Any:
        return self.client("ec2")

    @cached_property
    def elb(self) -> Any:
        return self.client("elbv2")

    @cached_property
    def scaling(self) -> Any:
        return self.client("autoscaling")

    @cached_property
    def image(self) -> str:
        """The distribution's image."""
        return str(self.client("ssm").get_parameter(Name=DISTRIBUTION)["Parameter"]["Value"])

    @cached_property
    def vpc(self) -> str:
        return str(self.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"])

    @cached_property
    def subnets(self) -> list[str]:
        return [subnet["SubnetId"] for subnet in self.ec2.describe_subnets()["Subnets"]]

    # --- stacks

    def create_stack(self, name: str, template: Mapping[str, Any] | Path, **parameters: object) -> dict[str, Any]:
        """Create a stack with the tag ``team`` and wait until it is settled."""
        self.stacks.create_stack(
            StackName=name,
            TemplateBody=body(template),
            Parameters=given(parameters),
            Tags=[{"Key": "team", "Value": "web"}],
            Capabilities=["CAPABILITY_IAM"],
        )
        return self.settled(name)

    def settled(self, name: str) -> dict[str, Any]:
        """The stack once nothing goes on in it."""
        return wait_for(lambda: self._at_rest(name), f"stack {name} at rest", 60)

    def _at_rest(self, name: str) -> dict[str, Any] | None:
        stack: dict[str, Any] = self.stacks.describe_stacks(StackName=name)["Stacks"][0]
        return None if stack["StackStatus"].endswith("_IN_PROGRESS") else stack

    def delete_stack(self, name: str) -> None:
        """Delete a stack and wait until it is gone."""
        found = self.stacks.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
        self.stacks.delete_stack(StackName=name)

        def gone() -> bool:
            status: str = self.stacks.describe_stacks(StackName=found)["Stacks"][0]["StackStatus"]
            assert status != "DELETE_FAILED", self.reasons(found)
            return status == "DELETE_COMPLETE"

        wait_for(gone, f"stack {name} deleted", 60)

    def reasons(self, name: str) -> list[str]:
        """Why resources of the stack failed."""
        events = self.stacks.describe_stack_events(StackName=name)["StackEvents"]
        return [event["ResourceStatusReason"] for event in events if event["ResourceStatus"].endswith("_FAILED")]

    # --- what stacks make

    def edge(self, name: str, **parameters: object) -> dict[str, str]:
        """An edge of the collection's own template; returns its outputs."""
        stack = self.create_stack(
            name, EDGE, App="shop", Env=name, VpcId=self.vpc, Subnets=",".join(self.subnets), **parameters
        )
        assert stack["StackStatus"] == "CREATE_COMPLETE", self.reasons(name)
        return outputs(stack)

    def weights(self, listener: str) -> list[int]:
        """The weights of a listener's target groups."""
        found = self.elb.describe_listeners(ListenerArns=[listener])["Listeners"][0]
        groups = found["DefaultActions"][0]["ForwardConfig"]["TargetGroups"]
        return [group["Weight"] for group in groups]

    def health(self, target_group: str) -> dict[str, str]:
        """State of every target of a group."""
        found = self.elb.describe_target_health(TargetGroupArn=target_group)["TargetHealthDescriptions"]
        return {each["Target"]["Id"]: each["TargetHealth"]["State"] for each in found}

    def group(self, name: str) -> dict[str, Any]:
        """An Auto Scaling group."""
        found = self.scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
        assert found, f"no group {name}"
        group: dict[str, Any] = found[0]
        return group

    def in_service(self, name: str) -> list[str]:
        """The ids of a group's members that are in service."""
        return [each["InstanceId"] for each in self.group(name)["Instances"] if each["LifecycleState"] == "InService"]

    def instance(self, instance_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][
            0
        ]
        return found

    def run_instance(self, **arguments: Any) -> str:
        """Launch one instance and wait until it runs."""
        launch = {"ImageId": self.image, "InstanceType": "t3.small", "MinCount": 1, "MaxCount": 1, **arguments}
        instance_id: str = self.ec2.run_instances(**launch)["Instances"][0]["InstanceId"]
        self.reach(instance_id, "running")
        return instance_id

    def reach(self, instance_id: str, state: str) -> None:
        """Wait until an instance has the state."""
        wait_for(lambda: self.instance(instance_id)["State"]["Name"] == state, f"{instance_id} {state}")

    def target_group(self, name: str, **more: Any) -> str:
        """A target group that is checked every 5 seconds of AWS's time."""
        settings = {
            "HealthCheckPath": "/up",
            "HealthCheckIntervalSeconds": 5,
            "HealthCheckTimeoutSeconds": 2,
            "HealthyThresholdCount": 2,
            **more,
        }
        made = self.elb.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=self.vpc, **settings)
        return str(made["TargetGroups"][0]["TargetGroupArn"])

    def listener(self, name: str, weights: Mapping[str, int], port: int = 8000) -> tuple[str, str]:
        """A load balancer with one listener over the target groups; returns its ARN and its URL."""
        balancer = self.elb.create_load_balancer(Name=name, Subnets=self.subnets)["LoadBalancers"][0]
        made = self.elb.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=port, DefaultActions=forward(weights)
        )
        return made["Listeners"][0]["ListenerArn"], f"http://{balancer['DNSName']}:{port}"


def forward(weights: Mapping[str, int]) -> list[dict[str, Any]]:
    """A listener's actions that share out requests by weight."""
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]


def body(template: Mapping[str, Any] | Path) -> str:
    return template.read_text() if isinstance(template, Path) else json.dumps({"Resources": template})


def given(parameters: Mapping[str, object]) -> list[dict[str, Any]]:
    """Parameters for a stack; None keeps the previous value."""
    return [
        {"ParameterKey": key, "UsePreviousValue": True}
        if value is None
        else {"ParameterKey": key, "ParameterValue": str(value)}
        for key, value in parameters.items()
    ]


def outputs(stack: Mapping[str, Any]) -> dict[str, str]:
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def tags(found: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in found}


@contextmanager
def running(run_dir: Path, octet: int) -> Iterator[Api]:
    """An API without servers that answers; it must end well when it is told to."""
    api = Api(f"http://127.0.0.1:{4566 + octet - 78}", run_dir)
    log = run_dir / "api.log"
    assert not _answers(api), f"another API answers at {api.url}: tests that run beside each other need other octets"
    arguments = ["--servers", "none", "--run-dir", str(run_dir), "--clock-factor", str(CLOCK_FACTOR)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "lab.api", *arguments],
            cwd=CHECKOUT,
            env={**os.environ, "LAB_OCTET": str(octet)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )

    def ready() -> bool:
        assert process.poll() is None, log.read_text()
        return _answers(api)

    try:
        wait_for(ready, "the lab's API", _START_SECONDS)
        yield api
    finally:
        process.terminate()
        assert process.wait(20) == 0, log.read_text()


def _answers(api: Api) -> bool:
    try:
        urllib.request.urlopen(f"{api.url}/_lab/status", timeout=5).close()
    except OSError:
        return False
    return True
