# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying out a plan: each image is looked at again right before it goes, and one failure never stops the others."""

from __future__ import annotations

import typing as t
from collections import defaultdict
from dataclasses import replace

from ansible_collections.immutable.ec2.plugins.module_utils.aws import images as images_api
from ansible_collections.immutable.ec2.plugins.module_utils.aws import snapshots as snapshots_api
from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.retention.model import (
    Failure,
    Image,
    Outcome,
    Plan,
    Reason,
    References,
    Rule,
    Unread,
)
from ansible_collections.immutable.ec2.plugins.module_utils.retention.plan import base_of, uses_of

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients

# Already gone: another run, or a person, was faster.
IMAGE_GONE = {"InvalidAMIID.NotFound", "InvalidAMIID.Unavailable"}
SNAPSHOT_GONE = "InvalidSnapshot.NotFound"


class Writer:
    """The writes, in AWS.

    Args:
        clients: by region.
    """

    def __init__(self, clients: Mapping[str, Clients]) -> None:
        self._clients = clients

    def deregister(self, image: Image) -> None:
        try:
            images_api.deregister_image(self._clients[image.region], image.id)
        except AwsError as error:
            if error.code not in IMAGE_GONE:
                raise

    def delete_snapshot(self, region: str, snapshot_id: str) -> None:
        try:
            snapshots_api.delete_snapshot(self._clients[region], snapshot_id)
        except AwsError as error:
            if error.code != SNAPSHOT_GONE:
                raise


class NoWriter:
    """Check mode's: everything happens but the writes."""

    def deregister(self, image: Image) -> None:
        """Leaves the image."""

    def delete_snapshot(self, region: str, snapshot_id: str) -> None:
        """Leaves the snapshot."""


def carry_out(
    plan: Plan, images: Iterable[Image], look_again: Callable[[Image], References], writer: Writer | NoWriter
) -> Outcome:
    """Removes what the plan removes.

    Args:
        plan: its removals are done in its order.
        images: every image known, since a snapshot goes only with the last image that uses it.
        look_again: what names an image now.
        writer: the writes, or none of them.

    Returns:
        What was decided in the end: an image that came into use after the plan was made, or could not be removed, is
        kept, and so is what it was built from.
    """
    users: defaultdict[str, set[str]] = defaultdict(set)
    for image in images:
        for snapshot in image.snapshots:
            users[snapshot.id].add(image.id)
    children: defaultdict[str, list[str]] = defaultdict(list)
    stays: dict[str, tuple[Reason, ...]] = {}
    deleted: dict[str, tuple[str, ...]] = {}
    failures: list[Failure] = []
    unread: dict[Unread, None] = {}
    for image in plan.removals:
        if image.id in children:
            why = [base_of(children[image.id])]
        else:
            references = look_again(image)
            unread.update(dict.fromkeys(references.unread))
            why = uses_of([image], references).get(image.id, [])
        if not why:
            try:
                writer.deregister(image)
            except AwsError as error:
                failures.append(Failure(image, str(error)))
                why = [Reason(Rule.FAILED, str(error))]
        if why:
            stays[image.id] = tuple(why)
            if image.base_image:
                children[image.base_image].append(image.id)
            continue
        deleted[image.id], failed = _delete_snapshots(image, users, writer)
        failures += failed
    decisions = tuple(replace(one, reasons=stays.get(one.image.id, one.reasons)) for one in plan.decisions)
    return Outcome(decisions, deleted, tuple(failures), tuple(unread))


def _delete_snapshots(
    image: Image, users: Mapping[str, set[str]], writer: Writer | NoWriter
) -> tuple[tuple[str, ...], list[Failure]]:
    """Deletes the removed image's snapshots that no other image uses; returns their ids and what failed."""
    deleted: list[str] = []
    failed: list[Failure] = []
    for snapshot_id in dict.fromkeys(snapshot.id for snapshot in image.snapshots):
        users[snapshot_id].discard(image.id)
        if users[snapshot_id]:
            continue
        try:
            writer.delete_snapshot(image.region, snapshot_id)
            deleted.append(snapshot_id)
        except AwsError as error:
            failed.append(Failure(image, f"{error} The image is gone, its snapshot is left: delete it by hand."))
    return tuple(deleted), failed
