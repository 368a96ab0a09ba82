# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshots of images, one function a call."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import absent, aws_call

if t.TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import SnapshotTypeDef

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients


A_PAGE: t.Final = 1000
GONE: t.Final = ("InvalidSnapshot.NotFound",)


@absent(GONE, instead=None)
@aws_call("delete the snapshot {}")
def delete_snapshot(clients: Clients, snapshot_id: str) -> None:
    """Deletes the snapshot if it is there. AWS refuses with `InvalidSnapshot.InUse` while an image uses it."""
    clients.ec2.delete_snapshot(SnapshotId=snapshot_id)


@aws_call("read the snapshots that have a tag {}")
def describe_tagged(clients: Clients, key: str) -> list[SnapshotTypeDef]:
    """All of the account's own snapshots with this tag."""
    pages = clients.ec2.get_paginator("describe_snapshots").paginate(
        OwnerIds=["self"], Filters=[{"Name": "tag-key", "Values": [key]}], PaginationConfig={"PageSize": A_PAGE}
    )
    return [snapshot for page in pages for snapshot in page["Snapshots"]]
