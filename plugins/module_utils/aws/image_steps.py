# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be done to an image, one function a call."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import aws_call

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from mypy_boto3_ec2.type_defs import LaunchPermissionTypeDef

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients


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


@aws_call("deprecate the image {}")
def deprecate_image(clients: Clients, image_id: str, when: datetime) -> None:
    """Deprecates the image at a time in the future: it can be launched as before, but others no longer find it.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableImageDeprecation.html
    """
    clients.ec2.enable_image_deprecation(ImageId=image_id, DeprecateAt=when)


@aws_call("take back the deprecation of the image {}")
def undeprecate_image(clients: Clients, image_id: str) -> None:
    clients.ec2.disable_image_deprecation(ImageId=image_id)


@aws_call("disable the image {}")
def disable_image(clients: Clients, image_id: str) -> None:
    """Disables the image: nothing can be launched from it, and all its launch permissions are gone.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DisableImage.html
    """
    clients.ec2.disable_image(ImageId=image_id)


@aws_call("enable the image {}")
def enable_image(clients: Clients, image_id: str) -> None:
    """Enables a disabled image; its launch permissions don't come back with it."""
    clients.ec2.enable_image(ImageId=image_id)


@aws_call("share the image {} as before")
def add_launch_permissions(clients: Clients, image_id: str, permissions: Sequence[LaunchPermissionTypeDef]) -> None:
    clients.ec2.modify_image_attribute(ImageId=image_id, LaunchPermission={"Add": list(permissions)})


@aws_call("lift the deregistration protection of the image {}")
def unprotect_image(clients: Clients, image_id: str) -> None:
    """Where the protection has a cooldown, AWS refuses to deregister the image for another day."""
    clients.ec2.disable_image_deregistration_protection(ImageId=image_id)


@aws_call("deregister the image {}")
def deregister_image(clients: Clients, image_id: str) -> None:
    """Removes the image (into the Recycle Bin, where a rule there retains it); its snapshots stay."""
    clients.ec2.deregister_image(ImageId=image_id)
