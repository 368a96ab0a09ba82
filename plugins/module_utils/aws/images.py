# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images (AMIs), one function a call."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import aws_call

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

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


@aws_call("copy the image {}")
def copy_image(
    clients: Clients, image_id: str, region: str, name: str, tags: Mapping[str, str], key: str = "", token: str = ""
) -> str:
    """Begins a copy of another region's image in the clients' region; returns its id.

    Args:
        clients: of the region that gets the copy.
        image_id: the image.
        region: where it is.
        name: of the copy.
        tags: of the copy and of its snapshots, from the first moment on.
        key: a KMS key of the clients' region that the copy is encrypted with; without one it is as the original is.
        token: the same one doesn't make a second copy.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CopyImage.html
    """
    encrypted: t.Any = {"Encrypted": True, "KmsKeyId": key} if key else {}
    pairs = [{"Key": name, "Value": value} for name, value in tags.items()]
    kinds: t.Any = [{"ResourceType": kind, "Tags": pairs} for kind in ("image", "snapshot")]
    answer = clients.ec2.copy_image(
        SourceImageId=image_id, SourceRegion=region, Name=name, ClientToken=token, TagSpecifications=kinds, **encrypted
    )
    return answer["ImageId"]


@aws_call("share the image {}")
def share_image(clients: Clients, image_id: str, accounts: list[str], organizations: list[str]) -> None:
    """Lets accounts and organizations (or units of one: ARNs) launch the image, beside those that may already.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyImageAttribute.html
    """
    units = [arn for arn in organizations if ":ou/" in arn]
    whole = [arn for arn in organizations if ":ou/" not in arn]
    added: t.Any = [{"UserId": account} for account in accounts]
    added += [{"OrganizationArn": arn} for arn in whole]
    added += [{"OrganizationalUnitArn": arn} for arn in units]
    clients.ec2.modify_image_attribute(ImageId=image_id, LaunchPermission={"Add": added})


@aws_call("require IMDSv2 of servers of the image {}")
def require_imdsv2(clients: Clients, image_id: str) -> None:
    """Servers of the image answer version 2 of the metadata service only, unless their launch says otherwise."""
    clients.ec2.modify_image_attribute(
        ImageId=image_id, Attribute="imdsSupport", **t.cast("t.Any", {"ImdsSupport": {"Value": "v2.0"}})
    )


@aws_call("set when the image {} is deprecated")
def deprecate_image(clients: Clients, image_id: str, at: datetime) -> None:
    """From then on the image is not listed for others; it can still be launched. AWS rounds to the minute."""
    clients.ec2.enable_image_deprecation(ImageId=image_id, DeprecateAt=at)


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
