# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is left to do until a release is published, or withdrawn: pure, from what was observed and is wanted."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import timedelta

from ansible_collections.immutable.ec2.plugins.module_utils.publishing.errors import PublishError
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.model import (
    Image,
    Leftover,
    Observed,
    Pointer,
    Publication,
    Verdict,
    Wanted,
)
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.naming import image_name
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.steps import (
    AwaitBake,
    AwaitImage,
    Copy,
    Deprecate,
    MarkPublished,
    MarkWithdrawn,
    MovePointer,
    RemoveFailedCopy,
    RemoveLeftover,
    RequireImdsv2,
    Share,
    Step,
    Tag,
    Validate,
)

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

# AWS keeps minutes.
SAME_TIME: t.Final = timedelta(minutes=1)
_NO_POINTER: t.Final = Pointer()


@dataclass(frozen=True)
class Plan:
    """The steps in their order; none is left when all is as wanted, and then `reason` says what that is."""

    steps: tuple[Step, ...]
    reason: str

    @property
    def next(self) -> tuple[Step, ...]:
        """The steps of the first phase: what comes after them is planned again."""
        return tuple(step for step in self.steps if step.phase == self.steps[0].phase)


def plan(seen: Observed, wanted: Wanted, now: datetime) -> Plan:
    """The way from what was observed to what is wanted.

    Args:
        seen: the release's images and pointers, and what earlier validations left over.
        wanted: what shall become of the release.
        now: the time, with its time zone.

    Raises:
        PublishError: it can't be done, and nothing would be begun.
    """
    leftovers = [
        RemoveLeftover(wanted.home, why, left) for left in seen.leftovers if (why := _left_why(left, wanted, now))
    ]
    steps = _withdraw(seen, wanted) if wanted.withdrawn else _publish(seen, wanted)
    ordered = sorted((*leftovers, *steps), key=lambda step: step.phase)
    return Plan(tuple(ordered), _at_the_end(seen, wanted))


def _left_why(left: Leftover, wanted: Wanted, now: datetime) -> str:
    """Why it may go: another run may be validating another release of the app right now."""
    if left.release == wanted.release:
        return "an earlier validation of this release left it"
    if left.expires is None or left.expires <= now:
        return f"a validation of {left.release or 'a release'} that must have ended left it"
    return ""


def _publish(seen: Observed, wanted: Wanted) -> Iterator[Step]:
    home = seen.images.get(wanted.home)
    if home is None:
        name = image_name(wanted.app, wanted.stage, wanted.release)
        raise PublishError(
            f"there is no image {name} in {wanted.home}: bake the release first, or name the region where it was baked"
        )
    if home.state == "pending":
        yield AwaitBake(wanted.home, "nothing boots from it before")
    elif home.state != "available":
        raise PublishError(
            f"the image {home.id} in {wanted.home} is {home.state}"
            f"{f' ({home.state_reason})' if home.state_reason else ''}: bake the release again under another name"
        )
    if wanted.validation and home.verdict not in (Verdict.PASSED, Verdict.PASSED_WITHOUT_APP):
        failed = home.verdict is Verdict.FAILED
        yield Validate(
            wanted.home, "it failed before and is tried again" if failed else "no server has booted from it yet"
        )
    for region in wanted.regions:
        yield from _in_region(region, seen, wanted, home)


def _in_region(region: str, seen: Observed, wanted: Wanted, home: Image) -> Iterator[Step]:
    image = seen.images.get(region)
    if image and image.state == "failed":
        yield RemoveFailedCopy(region, f"AWS could not make it: {image.state_reason or 'no reason given'}", image.id)
        image = None
    if image is None:
        yield Copy(region, "there is none yet", wanted.keys.get(region, ""))
        yield AwaitImage(region, "it is used only when it is complete")
        image = Image("", "pending", tags=home.tags, shared_with=frozenset())
    elif region != wanted.home and image.state == "pending":
        yield AwaitImage(region, "it is used only when it is complete")
    accounts = tuple(sorted(wanted.accounts - image.shared_with))
    organizations = tuple(sorted(wanted.organizations - image.shared_with))
    if accounts or organizations:
        yield Share(region, "they may not launch it yet", accounts, organizations)
    if not image.imdsv2:
        yield RequireImdsv2(region, "servers would answer without a token")
    if wanted.deprecate_after and home.created:
        at = home.created + wanted.deprecate_after
        if image.deprecated_at is None or abs(image.deprecated_at - at) > SAME_TIME:
            yield Deprecate(region, f"{wanted.deprecate_after.days} days after it was made", at)
    tags = {key: value for key, value in wanted.tags.items() if image.tags.get(key) != value}
    if tags:
        yield Tag(region, "asked for", tags)
    if image.publication is not Publication.PUBLISHED:
        yield MarkPublished(region, "everything before is done")
    if wanted.channel and (was := seen.pointers.get(region, _NO_POINTER).release) != wanted.release:
        reason = f"it names {was}" if was else "it names nothing yet"
        yield MovePointer(region, reason, wanted.channel, wanted.release)


def _withdraw(seen: Observed, wanted: Wanted) -> Iterator[Step]:
    """The pointer first: from then on nobody gets the release who doesn't ask for it by its name."""
    for region in wanted.regions:
        pointer = seen.pointers.get(region, _NO_POINTER)
        if wanted.channel and pointer.release == wanted.release:
            back = next((release for release in pointer.earlier if release != wanted.release), "")
            reason = "the release before" if back else "no earlier release can be deployed"
            yield MovePointer(region, reason, wanted.channel, back)
        image = seen.images.get(region)
        if image and image.publication is not Publication.WITHDRAWN:
            yield MarkWithdrawn(region, "it shall not be deployed")


def _at_the_end(seen: Observed, wanted: Wanted) -> str:
    where = ", ".join(wanted.regions)
    if not wanted.withdrawn:
        named = f": channel {wanted.channel} names it in {where}" if wanted.channel else f" in {where}"
        return f"release {wanted.release} of {wanted.app} is published{named}"
    if not seen.images and wanted.release not in {pointer.release for pointer in seen.pointers.values()}:
        return f"there is no image of release {wanted.release} of {wanted.app} in {where}, and no pointer to one"
    return f"release {wanted.release} of {wanted.app} is withdrawn in {where}"
