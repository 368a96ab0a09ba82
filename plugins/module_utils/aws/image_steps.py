# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be done to an image, one function a call."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import aws_call

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from mypy_boto3_ec2.type_defs import LaunchPermissionTypeDef

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients


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


@aws_call("tag {}")
def tag(clients: Clients, ids: Sequence[str], tags: Mapping[str, str]) -> None:
    clients.ec2.create_tags(Resources=list(ids), Tags=[{"Key": key, "Value": value} for key, value in tags.items()])


@aws_call("remove tags of {}")
def untag(clients: Clients, ids: Sequence[str], keys: Iterable[str]) -> None:
    """Removes tags; those that aren't there are no error."""
    clients.ec2.delete_tags(Resources=list(ids), Tags=[{"Key": key} for key in keys])
