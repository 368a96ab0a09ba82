# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is left of images that are gone: orphaned snapshots, and what lies in the Recycle Bin."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws import recycle_bin, snapshots
from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.retention.act.writer import SNAPSHOT_TAG
from ansible_collections.immutable.ec2.plugins.module_utils.retention.model import Image, Orphan, Snapshot, Unread
from ansible_collections.immutable.ec2.plugins.module_utils.retention.plan.reasons import matches
from ansible_collections.immutable.ec2.plugins.module_utils.retention.words import Place

if t.TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients
    from ansible_collections.immutable.ec2.plugins.module_utils.retention.model import Selection


def has_rules(clients: Clients) -> bool:
    """Whether the region's Recycle Bin may retain images. Where that can't be read it may."""
    try:
        return recycle_bin.retains_images(clients)
    except AwsError:
        return True


def orphans(
    clients: Mapping[str, Clients], images: Iterable[Image], unread: Collection[str]
) -> tuple[list[Orphan], tuple[Unread, ...]]:
    """Snapshots whose image retention removed earlier, by their tag.

    Args:
        clients: by region.
        images: every image known.
        unread: regions whose images could not be read: nobody knows what is orphaned there.

    Returns:
        The snapshots that nothing can bring to use any more, and the regions where they could not be read.
    """
    known = {image.id for image in images}
    used = {snapshot.id for image in images for snapshot in image.snapshots}
    found: list[Orphan] = []
    failed: list[Unread] = []
    for region, theirs in clients.items():
        if region in unread:
            continue
        try:
            tagged = snapshots.describe_tagged(theirs, SNAPSHOT_TAG)
            retained = {image["ImageId"] for image in recycle_bin.list_images(theirs)} if tagged else set()
        except AwsError as error:
            failed.append(Unread(Place.SNAPSHOTS, region, str(error)))
            continue
        for snapshot in tagged:
            image_id = next(tag["Value"] for tag in snapshot["Tags"] if tag["Key"] == SNAPSHOT_TAG)
            if image_id not in known | retained and snapshot["SnapshotId"] not in used:
                size = Snapshot(snapshot["SnapshotId"], snapshot.get("VolumeSize", 0))
                found.append(Orphan(size, region, image_id))
    return found, tuple(failed)


def in_the_bin(clients: Clients, region: str, selection: Selection) -> list[Image]:
    """The images in a region's Recycle Bin that are selected by id or by name; tags are not known of them.

    Raises:
        AwsError: it could not be read.
    """
    if not selection.ids and not selection.names:
        return []
    return [
        Image(found["ImageId"], region, found.get("Name"), state="in the Recycle Bin")
        for found in recycle_bin.list_images(clients)
        if (not selection.ids or found["ImageId"] in selection.ids)
        and (not selection.names or any(matches(glob, found.get("Name", "")) for glob in selection.names))
    ]


def take_out(clients: Clients, image_id: str) -> None:
    """Restores an image from the Recycle Bin, its snapshots first, which say in their description what they are of.

    Raises:
        AwsError: AWS refused.
    """
    for snapshot in recycle_bin.list_snapshots(clients):
        if image_id in snapshot.get("Description", ""):
            recycle_bin.restore_snapshot(clients, snapshot["SnapshotId"])
    recycle_bin.restore_image(clients, image_id)
