# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images (AMIs), one function a call."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import aws_call

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mypy_boto3_ec2.type_defs import (
        FilterTypeDef,
        ImageReferenceTypeDef,
        ImageTypeDef,
        LaunchPermissionTypeDef,
        RegionTypeDef,
    )

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients

T = t.TypeVar("T")

PAGE = 1000

# A terminated instance is a record without a machine; every other state can run from its image again.
USING_STATES = ["pending", "running", "shutting-down", "stopping", "stopped"]


@aws_call("read the account's regions")
def describe_regions(clients: Clients) -> list[RegionTypeDef]:
    """Every region that AWS has for this account's partition, with `OptInStatus`, enabled or not."""
    return clients.ec2.describe_regions(AllRegions=True)["Regions"]


@aws_call("read the images owned by {}")
def describe_images(clients: Clients, owner: str, convert: Callable[[ImageTypeDef], T]) -> list[T]:
    """All images of an owner (`self`, or an account's id or alias), deprecated and disabled ones too.

    Each is converted as its page comes in: what EC2 says about 50,000 images takes ten times the memory of the model.
    """
    pages = _pages(clients, Owners=[owner], IncludeDeprecated=True, IncludeDisabled=True)
    return [convert(image) for image in pages]


@aws_call("read the images that have one of {} as their base image")
def describe_images_by_tag(clients: Clients, values: Sequence[str], key: str) -> list[tuple[str, str]]:
    """Image id and tag's value of the account's own images whose tag has one of the values (at most 200)."""
    tagged: list[FilterTypeDef] = [{"Name": f"tag:{key}", "Values": list(values)}]
    images = _pages(clients, Owners=["self"], IncludeDeprecated=True, IncludeDisabled=True, Filters=tagged)
    return [(image["ImageId"], tag["Value"]) for image in images for tag in image["Tags"] if tag["Key"] == key]


@aws_call("read what references the images {}")
def describe_image_references(clients: Clients, image_ids: Sequence[str], versions: int) -> list[ImageReferenceTypeDef]:
    """What in this account uses the images, at most ten: instances, launch templates, parameters, recipes.

    Args:
        clients: the region's clients.
        image_ids: the images'.
        versions: how many of the newest versions of each launch template count, at most 10,000.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImageReferences.html
    """
    types: t.Any = [
        {
            "ResourceType": "ec2:Instance",
            "ResourceTypeOptions": [{"OptionName": "state-name", "OptionValues": USING_STATES}],
        },
        {
            "ResourceType": "ec2:LaunchTemplate",
            "ResourceTypeOptions": [{"OptionName": "version-depth", "OptionValues": [str(versions)]}],
        },
    ]
    pages = clients.ec2.get_paginator("describe_image_references").paginate(
        ImageIds=list(image_ids), IncludeAllResourceTypes=True, ResourceTypes=types
    )
    return [reference for page in pages for reference in page["ImageReferences"]]


@aws_call("read whom the image {} is shared with")
def describe_launch_permissions(clients: Clients, image_id: str) -> list[LaunchPermissionTypeDef]:
    """Who beside the owner may launch the image: each an account, a group, an organization or a unit of one."""
    answer = clients.ec2.describe_image_attribute(ImageId=image_id, Attribute="launchPermission")
    return answer.get("LaunchPermissions", [])


@aws_call("read the images of the app {}")
def describe_app_images(clients: Clients, app: str) -> list[ImageTypeDef]:
    """The account's own images that hold a release of the app, available or not, the newest first."""
    tagged: list[FilterTypeDef] = [{"Name": "tag:app", "Values": [app]}, {"Name": "tag:stage", "Values": ["app"]}]
    return sorted(
        _pages(clients, Owners=["self"], Filters=tagged), key=lambda image: image["CreationDate"], reverse=True
    )


@aws_call("read the image {}")
def find_image(clients: Clients, image_id: str) -> ImageTypeDef | None:
    """Any image with this id that the account can see in this region, or None."""
    only: list[FilterTypeDef] = [{"Name": "image-id", "Values": [image_id]}]
    return next(_pages(clients, Filters=only), None)


@aws_call("read the images with the name {}")
def describe_images_named(clients: Clients, name: str) -> list[ImageTypeDef]:
    """The account's own images with exactly this name, in any state."""
    named: list[FilterTypeDef] = [{"Name": "name", "Values": [name]}]
    return [image for image in _pages(clients, Owners=["self"], Filters=named) if image.get("Name") == name]


@aws_call("read the instance types")
def architectures(clients: Clients, instance_types: list[str]) -> dict[str, set[str]]:
    """Instance type → the architectures of images that it runs, of the types that this region has."""
    only: list[FilterTypeDef] = [{"Name": "instance-type", "Values": instance_types}]
    pages = clients.ec2.get_paginator("describe_instance_types").paginate(Filters=only)
    return {
        str(one["InstanceType"]): {str(each) for each in one["ProcessorInfo"].get("SupportedArchitectures", [])}
        for page in pages
        for one in page["InstanceTypes"]
    }


def _pages(clients: Clients, **query: t.Any) -> Iterator[ImageTypeDef]:
    pages = clients.ec2.get_paginator("describe_images").paginate(**query, PaginationConfig={"PageSize": PAGE})
    return (image for page in pages for image in page["Images"])
