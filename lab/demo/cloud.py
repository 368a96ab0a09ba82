# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demo asks AWS itself: the edge's address, the app's images, and the listener's weights over time."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lab.api.settings import ACCOUNT
from lab.demo.journal import DemoError
from lab.demo.run import Weights
from lab.settings import REGION

COLOURS = ("blue", "green")
EVERY_SECONDS = 0.5


class Cloud:
    """AWS as the lab's variables name it."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        session = boto3.session.Session(
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
            region_name=variables["AWS_DEFAULT_REGION"],
        )
        endpoint = variables["AWS_ENDPOINT_URL"]
        config = Config(retries={"mode": "standard", "max_attempts": 3}, connect_timeout=5, read_timeout=30)
        self.stacks = session.client("cloudformation", endpoint_url=endpoint, config=config)
        self.ec2 = session.client("ec2", endpoint_url=endpoint, config=config)
        self.balancers = session.client("elbv2", endpoint_url=endpoint, config=config)
        self.scaling = session.client("autoscaling", endpoint_url=endpoint, config=config)
        self.parameters = session.client("ssm", endpoint_url=endpoint, config=config)
        self.objects = session.client("s3", endpoint_url=endpoint, config=config)
        self.secrets = session.client("secretsmanager", endpoint_url=endpoint, config=config)

    def outputs(self, stack: str) -> dict[str, str]:
        """A stack's outputs; raises DemoError where there is no such stack."""
        try:
            found = self.stacks.describe_stacks(StackName=stack)["Stacks"][0]
        except (ClientError, IndexError):
            raise DemoError(f"there is no stack {stack}") from None
        return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}

    def url(self, app: str, env: str) -> str:
        """Where the env's load balancer answers."""
        return f"http://{self.outputs(f'{app}-{env}-edge')['LoadBalancerDnsName']}"

    def make_bucket(self, app: str) -> str:
        """The bucket of the app's artifacts, as the convention names it, is there; returns its name."""
        bucket = f"{app}-artifacts-{ACCOUNT}-{REGION}"
        with suppress(self.objects.exceptions.BucketAlreadyOwnedByYou):
            there: Any = {"LocationConstraint": REGION}
            self.objects.create_bucket(Bucket=bucket, CreateBucketConfiguration=there)
        return bucket

    def assets(self, app: str, release: str) -> list[str]:
        """The paths by which a release's digested assets are asked for, as they are kept in the bucket."""
        listed = self.objects.get_object(Bucket=self.make_bucket(app), Key=f"assets/releases/{release}.json")
        paths: list[str] = json.loads(listed["Body"].read())["assets"]
        return [f"/{path}" for path in paths]

    def images(self, app: str) -> dict[str, dict[str, str]]:
        """The app's images, the oldest first: their tags by id."""
        pages = self.ec2.get_paginator("describe_images").paginate(
            Owners=["self"], Filters=[{"Name": "tag:app", "Values": [app]}, {"Name": "state", "Values": ["available"]}]
        )
        found = [image for page in pages for image in page["Images"]]
        return {
            image["ImageId"]: {tag["Key"]: tag["Value"] for tag in image["Tags"]}
            for image in sorted(found, key=lambda image: image["CreationDate"])
        }

    def everything(self) -> set[str]:
        """Names of all stacks and ids of all instances, images and launch templates: what a plan must not change.

        Terminated instances are not among them: they vanish by themselves.
        """
        stacks = self.stacks.get_paginator("describe_stacks").paginate()
        servers = self.ec2.get_paginator("describe_instances").paginate()
        templates = self.ec2.get_paginator("describe_launch_templates").paginate()
        return {
            *(
                f"{stack['StackName']} {stack.get('LastUpdatedTime', stack['CreationTime'])}"
                for page in stacks
                for stack in page["Stacks"]
            ),
            *(
                f"{server['InstanceId']} {server['State']['Name']}"
                for page in servers
                for reservation in page["Reservations"]
                for server in reservation["Instances"]
                if server["State"]["Name"] != "terminated"
            ),
            *(template["LaunchTemplateId"] for page in templates for template in page["LaunchTemplates"]),
        }


class WeightsWatch:
    """Reads the listener's weights in the background and keeps every change.

    Args:
        cloud: where.
        app, env: whose edge.
        into: the list that changes are added to.
    """

    def __init__(self, cloud: Cloud, app: str, env: str, into: list[Weights]) -> None:
        edge = cloud.outputs(f"{app}-{env}-edge")
        self._listener = edge["ListenerArn"]
        self._groups = {edge[f"{colour.title()}TargetGroupArn"]: colour for colour in COLOURS}
        self._prefix = f"{app}-{env}"
        self._cloud = cloud
        self._into = into
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="weights")
        self.unread = 0
        """How many reads failed; the next one that succeeds shows what was missed, later."""

    def __enter__(self) -> WeightsWatch:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            try:
                self._read()
            except (BotoCoreError, ClientError):
                self.unread += 1
            if self._end.wait(EVERY_SECONDS):
                return

    def _read(self) -> None:
        at = time.time()
        listener = self._cloud.balancers.describe_listeners(ListenerArns=[self._listener])["Listeners"][0]
        forward = next(action["ForwardConfig"] for action in listener["DefaultActions"] if "ForwardConfig" in action)
        weights = {self._groups[group["TargetGroupArn"]]: group.get("Weight", 1) for group in forward["TargetGroups"]}
        if not self._into or self._into[-1].weights != weights:
            self._into.append(Weights(at, weights, self._releases()))

    def _releases(self) -> dict[str, str]:
        """The release of each colour that exists."""
        releases: dict[str, str] = {}
        for colour in COLOURS:
            try:
                stack = self._cloud.stacks.describe_stacks(StackName=f"{self._prefix}-{colour}")["Stacks"][0]
            except (ClientError, IndexError):
                continue
            tags = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}
            if "release" in tags:
                releases[colour] = tags["release"]
        return releases
