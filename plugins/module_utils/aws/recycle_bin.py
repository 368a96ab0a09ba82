# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Recycle Bin of images and snapshots, one function a call.

Where no rule of the Recycle Bin retains what is removed, it is always empty.
https://docs.aws.amazon.com/ebs/latest/userguide/recycle-bin.html
"""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import aws_call

if t.TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import ImageRecycleBinInfoTypeDef, SnapshotRecycleBinInfoTypeDef

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients

A_PAGE: t.Final = 1000


@aws_call("read the rules of the Recycle Bin")
def retains_images(clients: Clients) -> bool:
    """Whether there is any rule that may retain a removed image.

    https://docs.aws.amazon.com/recyclebin/latest/APIReference/API_ListRules.html
    """
    return bool(clients.rbin.list_rules(ResourceType="EC2_IMAGE", MaxResults=1).get("Rules"))


@aws_call("read the images in the Recycle Bin")
def list_images(clients: Clients) -> list[ImageRecycleBinInfoTypeDef]:
    """All images in the region's Recycle Bin; AWS tells id, name and description, no tags."""
    pages = clients.ec2.get_paginator("list_images_in_recycle_bin").paginate(PaginationConfig={"PageSize": A_PAGE})
    return [image for page in pages for image in page["Images"]]


@aws_call("read the snapshots in the Recycle Bin")
def list_snapshots(clients: Clients) -> list[SnapshotRecycleBinInfoTypeDef]:
    """All snapshots in the region's Recycle Bin."""
    pages = clients.ec2.get_paginator("list_snapshots_in_recycle_bin").paginate(PaginationConfig={"PageSize": A_PAGE})
    return [snapshot for page in pages for snapshot in page["Snapshots"]]


@aws_call("restore the image {} from the Recycle Bin")
def restore_image(clients: Clients, image_id: str) -> None:
    """Brings the image back with its tags. Its snapshots must be there; its launch permissions stay lost."""
    clients.ec2.restore_image_from_recycle_bin(ImageId=image_id)


@aws_call("restore the snapshot {} from the Recycle Bin")
def restore_snapshot(clients: Clients, snapshot_id: str) -> None:
    clients.ec2.restore_snapshot_from_recycle_bin(SnapshotId=snapshot_id)
