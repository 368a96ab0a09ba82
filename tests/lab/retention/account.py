# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An account in the emulated AWS: made through its API, as a user would."""

from __future__ import annotations

import itertools
import typing as t
from datetime import UTC, datetime, timedelta

import boto3
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ec2 import ec2_backends

if t.TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_ec2 import EC2Client

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
SHOP = {"app": "shop", "stage": "app"}
EMPTY: dict[str, t.Any] = {"MinSize": 0, "MaxSize": 1, "DesiredCapacity": 0}


class Account:
    """One region of an account; `newest` is the id of the image that was made last.

    Args:
        url: the API's.
        region: the region's name.
    """

    def __init__(self, url: str, region: str = "eu-west-1") -> None:
        self.region = region
        self.ec2: EC2Client = boto3.client("ec2", region_name=region, endpoint_url=url)
        self.autoscaling: AutoScalingClient = boto3.client("autoscaling", region_name=region, endpoint_url=url)
        self.newest = ""
        self._names = itertools.count(1)

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
        self.ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData={"ImageId": first})
        for image_id in others:
            self.ec2.create_launch_template_version(LaunchTemplateName=name, LaunchTemplateData={"ImageId": image_id})
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

    def left(self) -> set[str]:
        """The ids of the account's images that are there."""
        pages = self.ec2.get_paginator("describe_images").paginate(Owners=["self"])
        return {image["ImageId"] for page in pages for image in page["Images"]}

    def snapshots(self) -> set[str]:
        pages = self.ec2.get_paginator("describe_snapshots").paginate(OwnerIds=["self"])
        return {snapshot["SnapshotId"] for page in pages for snapshot in page["Snapshots"]}

    def share_snapshot(self, image_id: str, with_image: str) -> str:
        """Makes one image use the other's snapshot, which moto's API can't; returns the snapshot's id."""
        shared, other = self._amis[image_id], self._amis[with_image]
        other.ebs_snapshot.from_ami = None
        self.ec2.delete_snapshot(SnapshotId=other.ebs_snapshot.id)
        other.ebs_snapshot = shared.ebs_snapshot
        return str(shared.ebs_snapshot.id)

    @property
    def _amis(self) -> t.Any:
        return ec2_backends[DEFAULT_ACCOUNT_ID][self.region].amis
