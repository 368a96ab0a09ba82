# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying out a plan: each image is looked at again right before it is touched; one failure stops no other."""

from __future__ import annotations

import itertools
import typing as t
from collections import defaultdict
from dataclasses import replace

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.retention.model import (
    Decision,
    Failure,
    Image,
    Orphan,
    Outcome,
    Plan,
    Policy,
    Reason,
    References,
    Snapshot,
    Unread,
)
from ansible_collections.immutable.ec2.plugins.module_utils.retention.observe.survey import TEN
from ansible_collections.immutable.ec2.plugins.module_utils.retention.plan.reasons import base_of, uses_of
from ansible_collections.immutable.ec2.plugins.module_utils.retention.words import Rule, Step

if t.TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from ansible_collections.immutable.ec2.plugins.module_utils.retention.act.writer import NoWriter, Writer


class Looks(t.Protocol):
    """What names an image at the time of asking."""

    def again(self, images: Sequence[Image]) -> References:
        """What names one of a few images of one region."""

    def last_look(self, image: Image) -> References:
        """The same for one, where it may have changed since."""


class NoLooks:
    """Check mode's: nothing is touched, so what the plan knows is as new as it can be."""

    def again(self, images: Sequence[Image]) -> References:
        return References()

    def last_look(self, image: Image) -> References:
        return References()


class Actor:
    """Carries out one plan.

    Args:
        images: every image known, since a snapshot goes only with the last image that uses it.
        policy: what the plan was made by.
        looks: what names an image now.
        writer: the writes, or none of them.
        kept_snapshots: regions where snapshots stay until a later run: their Recycle Bin may bring images back.
    """

    def __init__(
        self,
        images: Iterable[Image],
        policy: Policy,
        looks: Looks,
        writer: Writer | NoWriter,
        kept_snapshots: Collection[str] = (),
    ) -> None:
        self._policy = policy
        self._looks = looks
        self._writer = writer
        self._kept_snapshots = kept_snapshots
        self._users: defaultdict[str, set[str]] = defaultdict(set)
        for image in images:
            for snapshot in image.snapshots:
                self._users[snapshot.id].add(image.id)
        self._children: defaultdict[str, list[str]] = defaultdict(list)
        self._stays: dict[str, tuple[Reason, ...]] = {}
        self._deleted: dict[str, tuple[Snapshot, ...]] = {}
        self._failures: list[Failure] = []
        self._unread: dict[Unread, None] = {}

    def carry_out(self, plan: Plan, orphans: Iterable[Orphan] = ()) -> Outcome:
        """Does what is planned.

        Returns:
            What was decided in the end: an image that came into use after the plan was made, or could not be touched,
            is kept, and so is what it was built from.
        """
        for batch in batches(plan.steps):
            again = self._looks.again([one.image for one in batch])
            for one in batch:
                self._touch(one, again)
        decisions = tuple(
            replace(one, reasons=self._stays[one.image.id], step=Step.KEEP) if one.image.id in self._stays else one
            for one in plan.decisions
        )
        swept = tuple(self._sweep(orphan) for orphan in orphans)
        return Outcome(decisions, self._deleted, tuple(self._failures), tuple(self._unread), swept)

    def _touch(self, one: Decision, again: References) -> None:
        image = one.image
        why = [base_of(self._children[image.id])] if image.id in self._children else self._uses(image, again)
        if not why:
            try:
                self._writer.take(one.step, image)
            except AwsError as error:
                self._failures.append(Failure(image, str(error)))
                why = [Reason(Rule.FAILED, str(error))]
        if why:
            self._stays[image.id] = tuple(why)
            if image.base_image and self._policy.lineage:
                self._children[image.base_image].append(image.id)
        elif one.step is Step.DEREGISTER:
            # Nothing that belongs to an image goes before it: a failure must leave it whole.
            self._deleted[image.id] = tuple(self._delete_snapshots(image))

    def _uses(self, image: Image, again: References) -> list[Reason]:
        references = again + self._looks.last_look(image)
        self._unread.update(dict.fromkeys(references.unread))
        return uses_of([image], references, self._policy).get(image.id, [])

    def _delete_snapshots(self, image: Image) -> Iterator[Snapshot]:
        """Deletes the removed image's snapshots that no other image uses."""
        for snapshot in {snapshot.id: snapshot for snapshot in image.snapshots}.values():
            self._users[snapshot.id].discard(image.id)
            if self._users[snapshot.id] or image.region in self._kept_snapshots:
                continue
            try:
                self._writer.delete_snapshot(image.region, snapshot.id)
                yield snapshot
            except AwsError as error:
                left = "The image is gone, its snapshot is left: the next run deletes it, if it may."
                self._failures.append(Failure(image, f"{error} {left}"))

    def _sweep(self, orphan: Orphan) -> Orphan:
        try:
            self._writer.delete_snapshot(orphan.region, orphan.snapshot.id)
        except AwsError as error:
            return replace(orphan, error=str(error))
        return orphan


def batches(steps: Iterable[Decision]) -> Iterator[list[Decision]]:
    """At most ten at a time, of one region each, in their order."""
    for _region, group in itertools.groupby(steps, key=lambda one: one.image.region):
        while batch := list(itertools.islice(group, TEN)):
            yield batch
