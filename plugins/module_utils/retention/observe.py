# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From AWS to the model: the images of each region, and everything that names one."""

from __future__ import annotations

import typing as t
from dataclasses import replace
from datetime import datetime

from ansible_collections.immutable.ec2.plugins.module_utils.aws import images as images_api
from ansible_collections.immutable.ec2.plugins.module_utils.aws import references as references_api
from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.retention.model import (
    BASE_IMAGE_TAG,
    Image,
    Place,
    Reference,
    References,
    Snapshot,
    Unread,
)
from ansible_collections.immutable.ec2.plugins.module_utils.retention.templates import Templates

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mypy_boto3_autoscaling.type_defs import AutoScalingGroupTypeDef, LaunchConfigurationTypeDef
    from mypy_boto3_ec2.type_defs import ImageTypeDef, LaunchPermissionTypeDef

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients


class Region:
    """One region, looked at as often as wanted. A place that can't be read never raises: it comes back as `Unread`.

    Args:
        clients: the region's clients.
        name: the region's name.
    """

    def __init__(self, clients: Clients, name: str) -> None:
        self.clients = clients
        self.name = name
        self._templates = Templates(clients)

    def images(self, owner: str) -> list[Image]:
        """The account's own images and, where the policy is about another owner, that one's too.

        Raises:
            AwsError: they could not be read.
        """
        own = [to_image(found, self.name, own=True) for found in images_api.describe_images(self.clients, "self")]
        if owner == "self":
            return own
        known = {image.id for image in own}
        others = [to_image(found, self.name, own=False) for found in images_api.describe_images(self.clients, owner)]
        return own + [image for image in others if image.id not in known]

    def references(self, image_id: str = "") -> References:
        """What uses the region's images; of the instances only those of one image, if its id is given."""
        # What launches comes before what it launches from and what was launched: nothing slips through in between.
        groups, unread = self._read(Place.GROUPS, lambda: references_api.describe_all_groups(self.clients))
        return (
            References(tuple(_overridden(groups)), unread)
            + self._read_references(Place.LAUNCH_CONFIGURATIONS, lambda: self._configurations(groups))
            + self._read_references(Place.LAUNCH_TEMPLATES, lambda: self._templates.references(groups))
            + self._read_references(Place.INSTANCES, lambda: self._instances(image_id))
        )

    def sharing(self, image: Image) -> References:
        """With whom the image is shared: their use of it can't be looked up, so it counts as used."""

        def read() -> Iterator[Reference]:
            for permission in images_api.describe_launch_permissions(self.clients, image.id):
                yield Reference(image.id, _shared_with(permission))

        shared = self._read_references(Place.SHARING, read)
        return replace(shared, unread=tuple(replace(unread, image_id=image.id) for unread in shared.unread))

    def children(self, image: Image) -> list[str]:
        """The ids of the images in this region that were built from the given one, at this moment.

        Raises:
            AwsError: they could not be read.
        """
        return images_api.describe_images_by_tag(self.clients, image.id, BASE_IMAGE_TAG)

    def _instances(self, image_id: str) -> Iterator[Reference]:
        for instance in references_api.describe_instances(self.clients, image_id):
            yield Reference(instance["ImageId"], f"instance {instance['InstanceId']} ({instance['State']['Name']})")

    def _configurations(self, groups: list[AutoScalingGroupTypeDef]) -> Iterator[Reference]:
        configurations: list[LaunchConfigurationTypeDef] = references_api.describe_launch_configurations(self.clients)
        images = {one["LaunchConfigurationName"]: one["ImageId"] for one in configurations}
        for name, image_id in images.items():
            yield Reference(image_id, f"launch configuration {name}")
        for group in groups:
            if image_id := images.get(group.get("LaunchConfigurationName", ""), ""):
                yield Reference(image_id, f"Auto Scaling group {group['AutoScalingGroupName']}")

    def _read(self, place: Place, read: Callable[[], Iterable[T]]) -> tuple[list[T], tuple[Unread, ...]]:
        try:
            return list(read()), ()
        except AwsError as error:
            return [], (Unread(place, self.name, str(error)),)

    def _read_references(self, place: Place, read: Callable[[], Iterable[Reference]]) -> References:
        found, unread = self._read(place, read)
        return References(tuple(found), unread)


T = t.TypeVar("T")


def to_image(found: ImageTypeDef, region: str, *, own: bool) -> Image:
    """The model of an image as EC2 describes it."""
    disks = [mapping["Ebs"] for mapping in found.get("BlockDeviceMappings", []) if mapping.get("Ebs")]
    return Image(
        id=found["ImageId"],
        region=region,
        name=found.get("Name"),
        owner=found.get("OwnerId", ""),
        own=own,
        state=found.get("State", "unknown"),
        created=to_time(found.get("CreationDate", "")),
        tags={tag["Key"]: tag["Value"] for tag in found.get("Tags", [])},
        snapshots=tuple(
            Snapshot(disk["SnapshotId"], disk.get("VolumeSize", 0)) for disk in disks if disk.get("SnapshotId")
        ),
        public=found.get("Public", False),
        # "enabled-with-cooldown", "enabled-without-cooldown", "disabled" …
        protected=found.get("DeregistrationProtection", "").startswith("enabled"),
    )


def to_time(text: str) -> datetime | None:
    """AWS's "2026-01-31T12:00:00.000Z"; None for what is no such date."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo else None


def _overridden(groups: list[AutoScalingGroupTypeDef]) -> Iterator[Reference]:
    for group in groups:
        template = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
        for override in template.get("Overrides", []):
            if image_id := override.get("ImageId"):
                yield Reference(
                    image_id, f"Auto Scaling group {group['AutoScalingGroupName']} (mixed instances override)"
                )


def _shared_with(permission: LaunchPermissionTypeDef) -> str:
    for key, what in (
        ("UserId", "account"),
        ("Group", "group"),
        ("OrganizationArn", "organization"),
        ("OrganizationalUnitArn", "organizational unit"),
    ):
        if who := permission.get(key):
            return f"{what} {who}, which it is shared with"
    return "someone it is shared with"
