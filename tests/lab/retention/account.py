# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An account in the emulated AWS: made through its API, as a user would."""

from __future__ import annotations

import itertools
import json
import typing as t
from datetime import UTC, datetime, timedelta

import boto3
from boto3.dynamodb.types import TypeSerializer
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ec2 import ec2_backends

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.history import Record
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.items import deployment_map, record_item
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import Colour, Deployment

if t.TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_sts import STSClient

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
SHOP = {"app": "shop", "stage": "app"}
EMPTY: dict[str, t.Any] = {"MinSize": 0, "MaxSize": 1, "DesiredCapacity": 0}


_DEPLOYED: dict[str, t.Any] = {
    "kind": "deploy",
    "colour": Colour.BLUE,
    "previous_release": "",
    "strategy": "all_at_once",
    "by": "me",
    "started_at": FIRST,
    "ended_at": FIRST,
    "result": "deployed",
    "reason": "",
}


def _launches(image_id: str) -> t.Any:
    return {"ImageId": image_id, "InstanceType": "t3.micro"}


def _which(number: int, image_id: str) -> dict[str, t.Any]:
    return {"id": f"d-{number}", "release": f"r{number}", "image": image_id}


class Account:
    """One region of an account; `newest` is the id of the image that was made last.

    Args:
        url: the API's.
        region: the region's name.
        keys: credentials, if not those of the lab.
    """

    def __init__(self, url: str, region: str = "eu-west-1", **keys: str) -> None:
        self.region = region
        self._url = url
        own = {"aws_access_key_id": "lab", "aws_secret_access_key": "lab"}
        options: t.Any = {"region_name": region, "endpoint_url": url, **own, **keys}
        self._options = options
        self.dynamodb: DynamoDBClient = boto3.client("dynamodb", **options)
        self.ec2: EC2Client = boto3.client("ec2", **options)
        self.autoscaling: AutoScalingClient = boto3.client("autoscaling", **options)
        self.ssm: SSMClient = boto3.client("ssm", **options)
        self.stacks: CloudFormationClient = boto3.client("cloudformation", **options)
        self.newest = ""
        self._names = itertools.count(1)

    def aged(self, image_id: str, days: float) -> str:
        """Makes an image so many days old; returns its id."""
        self._amis[image_id].creation_date = datetime.now(UTC) - timedelta(days=days)
        return image_id

    def deprecated(self, image_id: str, days: float) -> None:
        """Makes an image deprecated since so many days, which AWS's API can't."""
        when = datetime.now(UTC) - timedelta(days=days)
        self._amis[image_id].deprecation_time = when.isoformat()

    def disabled(self, image_id: str, days: float) -> None:
        """Makes an image disabled by retention since so many days."""
        when = datetime.now(UTC) - timedelta(days=days)
        self.ec2.create_tags(Resources=[image_id], Tags=[{"Key": "retention_disabled_at", "Value": when.isoformat()}])
        self.ec2.disable_image(ImageId=image_id)

    def facts(self, image_id: str) -> t.Any:
        """What EC2 says of an image, or None where there is none."""
        only: t.Any = [{"Name": "image-id", "Values": [image_id]}]
        return next(iter(self.ec2.describe_images(Owners=["self"], Filters=only)["Images"]), None)

    def shared_with(self, image_id: str) -> list[str]:
        answer = self.ec2.describe_image_attribute(ImageId=image_id, Attribute="launchPermission")
        return sorted(one.get("UserId") or one["Group"] for one in answer["LaunchPermissions"])

    def image(self, **tags: str) -> str:
        """An image of the app, newer than those before it; returns its id."""
        number = next(self._names)
        name = f"shop-app-{number:04}"
        image_id = self.ec2.register_image(Name=name, RootDeviceName="/dev/xvda")["ImageId"]
        self.ec2.create_tags(
            Resources=[image_id], Tags=[{"Key": key, "Value": value} for key, value in {**SHOP, **tags}.items()]
        )
        # Dates have whole seconds, so the tests' images would all be equally old.
        self._amis[image_id].creation_date = FIRST + timedelta(hours=number)
        self.newest = image_id
        return image_id

    def images(self, count: int, **tags: str) -> list[str]:
        """Images from the oldest to the newest."""
        return [self.image(**tags) for _ in range(count)]

    def instance(self, image_id: str) -> str:
        return self.ec2.run_instances(ImageId=image_id, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]

    def template(self, *image_ids: str) -> str:
        """A launch template with one version for each image; returns its name."""
        name = f"template-{next(self._names)}"
        first, *others = image_ids
        self.ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=_launches(first))
        for image_id in others:
            self.ec2.create_launch_template_version(LaunchTemplateName=name, LaunchTemplateData=_launches(image_id))
        return name

    def configuration(self, image_id: str) -> str:
        name = f"configuration-{next(self._names)}"
        self.autoscaling.create_launch_configuration(
            LaunchConfigurationName=name, ImageId=image_id, InstanceType="t3.micro"
        )
        return name

    def group(self, **launches: t.Any) -> str:
        """An empty Auto Scaling group; `launches` says from what."""
        name = f"group-{next(self._names)}"
        self.autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=name, AvailabilityZones=[f"{self.region}a"], **EMPTY, **launches
        )
        return name

    def parameter(self, name: str, value: str) -> str:
        self.ssm.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)
        return name

    def of_role(self, role: str) -> Account:
        """The account of a role, as whoever assumes it."""
        sts: STSClient = boto3.client("sts", **self._options)
        found = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        return Account(
            self._url,
            self.region,
            aws_access_key_id=found["AccessKeyId"],
            aws_secret_access_key=found["SecretAccessKey"],
            aws_session_token=found["SessionToken"],
        )

    def env(self, images: list[str], under_way: str = "") -> str:
        """An env whose ledger says that these images were deployed, the newest first; returns its name."""
        env = f"shop-env{next(self._names)}"
        key: t.Any = [{"AttributeName": name, "KeyType": kind} for name, kind in (("pk", "HASH"), ("sk", "RANGE"))]
        types: t.Any = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")]
        self.dynamodb.create_table(
            TableName=env, KeySchema=key, AttributeDefinitions=types, BillingMode="PAY_PER_REQUEST"
        )
        for number, image_id in enumerate(reversed(images), 1):
            self._write(env, record_item(Record(**_DEPLOYED, **_which(number, image_id))))
        if under_way:
            deployment = Deployment(
                **_which(9, under_way),
                colour=Colour.BLUE,
                previous=None,
                previous_release="",
                started_at=FIRST,
                by="me",
                identity="i",
            )
            self._write(env, {"pk": "env", "sk": "lock", "fence": 1, "deployment": deployment_map(deployment)})
        self.stack({}, name=f"{env}-edge", outputs={"LedgerTableName": env})
        return env

    def _write(self, table: str, item: dict[str, t.Any]) -> None:
        values = {key: TypeSerializer().serialize(value) for key, value in item.items()}
        self.dynamodb.put_item(TableName=table, Item=values)

    def stack(
        self, parameters: dict[str, str], body: str = "", name: str = "", outputs: dict[str, str] | None = None
    ) -> str:
        """A stack with these parameters and a text in its template; it makes nothing but a topic."""
        name = name or f"stack-{next(self._names)}"
        template = {
            "Parameters": {key: {"Type": "String"} for key in parameters},
            "Mappings": {"Images": {"here": {"Id": body or "none"}}},
            "Resources": {"Nothing": {"Type": "AWS::SNS::Topic"}},
            "Outputs": {key: {"Value": value} for key, value in (outputs or {}).items()},
        }
        values: t.Any = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
        self.stacks.create_stack(StackName=name, TemplateBody=json.dumps(template), Parameters=values)
        return name

    def left(self, state: str = "*") -> set[str]:
        """The ids of the account's images that are there, of those in a state if one is given."""
        only: t.Any = [{"Name": "state", "Values": [state]}] if state != "*" else []
        pages = self.ec2.get_paginator("describe_images").paginate(Owners=["self"], Filters=only)
        return {image["ImageId"] for page in pages for image in page["Images"]}

    def snapshots(self) -> set[str]:
        pages = self.ec2.get_paginator("describe_snapshots").paginate(OwnerIds=["self"])
        return {snapshot["SnapshotId"] for page in pages for snapshot in page["Snapshots"]}

    def share_snapshot(self, image_id: str, with_image: str) -> str:
        """Makes one image use the other's snapshot, which moto's API can't; returns the snapshot's id."""
        shared, other = self._amis[image_id], self._amis[with_image]
        left, other.ebs_snapshot = other.ebs_snapshot, shared.ebs_snapshot
        self.ec2.delete_snapshot(SnapshotId=left.id)
        return str(shared.ebs_snapshot.id)

    @property
    def _amis(self) -> t.Any:
        return ec2_backends[DEFAULT_ACCOUNT_ID][self.region].amis
