# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What EC2 says about an image → the model."""

from __future__ import annotations

import typing as t
from datetime import datetime

from ansible_collections.immutable.ec2.plugins.module_utils.retention.model import Image, Snapshot

if t.TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import ImageTypeDef, LaunchPermissionTypeDef

DISABLED_TAG: t.Final = "retention_disabled_at"
"""When retention disabled an image."""


def to_image(found: ImageTypeDef, region: str, *, own: bool) -> Image:
    """The model of an image as EC2 describes it."""
    disks = [mapping["Ebs"] for mapping in found.get("BlockDeviceMappings", []) if mapping.get("Ebs")]
    tags = {tag["Key"]: tag["Value"] for tag in found.get("Tags", [])}
    return Image(
        id=found["ImageId"],
        region=region,
        name=found.get("Name"),
        owner=found.get("OwnerId", ""),
        own=own,
        state=found.get("State", "unknown"),
        created=to_time(found.get("CreationDate", "")),
        tags=tags,
        snapshots=tuple(
            Snapshot(disk["SnapshotId"], disk.get("VolumeSize", 0)) for disk in disks if disk.get("SnapshotId")
        ),
        public=found.get("Public", False),
        # "enabled-with-cooldown", "enabled-without-cooldown", "disabled" …
        protected=found.get("DeregistrationProtection", "").startswith("enabled"),
        deprecated=to_time(found.get("DeprecationTime", "")),
        disabled=to_time(tags.get(DISABLED_TAG, "")),
    )


def to_time(text: str) -> datetime | None:
    """AWS's "2026-01-31T12:00:00.000Z"; None for what is no such date."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo else None


def shared_with(permission: LaunchPermissionTypeDef) -> str:
    """Whom a launch permission lets launch an image, for a person."""
    for key, what in (
        ("UserId", "account"),
        ("Group", "group"),
        ("OrganizationArn", "organization"),
        ("OrganizationalUnitArn", "organizational unit"),
    ):
        if who := permission.get(key):
            return f"{what} {who}, which it is shared with"
    return "someone it is shared with"
