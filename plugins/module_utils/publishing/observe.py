# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From AWS to the model: a release's images and its channel's pointers in each region, and leftovers."""

from __future__ import annotations

import typing as t
from datetime import datetime

from ansible_collections.immutable.ec2.plugins.module_utils.aws import images as images_api
from ansible_collections.immutable.ec2.plugins.module_utils.aws import parameters, servers
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.errors import PublishError
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.model import (
    Image,
    Leftover,
    Observed,
    Pointer,
    Publication,
    Wanted,
)
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.naming import (
    EXPIRES_TAG,
    OWNER_TAG,
    image_name,
    pointer_name,
)

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_ec2.type_defs import ImageTypeDef, LaunchPermissionTypeDef

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients


class Observer:
    """Looks as often as wanted.

    Args:
        clients: of each region.
        wanted: whose images and pointers.
    """

    def __init__(self, clients: Mapping[str, Clients], wanted: Wanted) -> None:
        self._clients = clients
        self._wanted = wanted

    def look(self) -> Observed:
        """Everything about the release.

        Raises:
            PublishError: a region has two images of the release.
            AwsError: something can't be read.
        """
        images = {region: image for region in self._wanted.regions if (image := self._image(region))}
        pointers = {region: self._pointer(region) for region in self._wanted.regions} if self._wanted.channel else {}
        return Observed(images, pointers, tuple(self._leftovers()))

    def _image(self, region: str) -> Image | None:
        wanted = self._wanted
        name = image_name(wanted.app, wanted.stage, wanted.release)
        found = images_api.describe_images_named(self._clients[region], name)
        # A failed copy has its successor's name.
        found = [image for image in found if image["State"] != "failed"] or found[:1]
        if len(found) > 1:
            ids = ", ".join(image["ImageId"] for image in found)
            raise PublishError(f"{region} has several images {name} ({ids}): deregister all but one of them")
        return self._to_image(found[0], region) if found else None

    def _to_image(self, found: ImageTypeDef, region: str) -> Image:
        shared: list[LaunchPermissionTypeDef] = []
        if self._wanted.accounts or self._wanted.organizations:
            shared = images_api.describe_launch_permissions(self._clients[region], found["ImageId"])
        return Image(
            id=found["ImageId"],
            state=found["State"],
            state_reason=found.get("StateReason", {}).get("Message", ""),
            created=_time(found.get("CreationDate", "")),
            tags={tag["Key"]: tag["Value"] for tag in found.get("Tags", [])},
            imdsv2=found.get("ImdsSupport") == "v2.0",
            deprecated_at=_time(found.get("DeprecationTime", "")),
            shared_with=frozenset(
                value
                for permission in shared
                for kind in ("UserId", "OrganizationArn", "OrganizationalUnitArn")
                if (value := str(permission.get(kind, "")))
            ),
        )

    def _pointer(self, region: str) -> Pointer:
        clients, wanted = self._clients[region], self._wanted
        name = pointer_name(wanted.app, wanted.channel)
        release = parameters.find_parameter(clients, name) or ""
        if not wanted.withdrawn or release != wanted.release:
            return Pointer(release)
        history = dict.fromkeys(parameters.parameter_history(clients, name))
        deployable = {
            tags.get("release", "")
            for image in images_api.describe_app_images(clients, wanted.app)
            if image["State"] == "available"
            and (tags := {tag["Key"]: tag["Value"] for tag in image.get("Tags", [])})
            and tags.get("publication", "") in (Publication.NONE, Publication.PUBLISHED)
        }
        return Pointer(release, tuple(earlier for earlier in history if earlier in deployable))

    def _leftovers(self) -> Iterator[Leftover]:
        clients, app = self._clients[self._wanted.home], self._wanted.app
        for instance in servers.describe_tagged_instances(clients, OWNER_TAG, app):
            yield _leftover("instance", instance["InstanceId"], instance.get("Tags", []))
        for key in servers.describe_tagged_keys(clients, OWNER_TAG, app):
            yield _leftover("key pair", key["KeyName"], key.get("Tags", []))
        for group in servers.describe_tagged_groups(clients, OWNER_TAG, app):
            yield _leftover("security group", group["GroupId"], group.get("Tags", []))


def _leftover(kind: t.Literal["instance", "key pair", "security group"], name: str, tags: t.Any) -> Leftover:
    known = {tag["Key"]: tag["Value"] for tag in tags}
    return Leftover(kind, name, known.get("release", ""), _time(known.get(EXPIRES_TAG, "")))


def _time(text: str) -> datetime | None:
    return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None
