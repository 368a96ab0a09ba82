# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of retention: observe → plan → act."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ansible_collections.immutable.ec2.plugins.module_utils.aws import images as images_api
from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.retention.act import NoWriter, Writer, carry_out
from ansible_collections.immutable.ec2.plugins.module_utils.retention.model import (
    Decision,
    Image,
    Outcome,
    Place,
    Plan,
    Policy,
    Reason,
    Reference,
    References,
    Rule,
    Unread,
)
from ansible_collections.immutable.ec2.plugins.module_utils.retention.observe import Region
from ansible_collections.immutable.ec2.plugins.module_utils.retention.plan import group_of, plan
from ansible_collections.immutable.ec2.plugins.module_utils.retention.policy import PolicyError

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients


@dataclass(frozen=True)
class Run:
    """What a run came to: the outcome, the places that could not be read, and why nothing was done, if so."""

    outcome: Outcome
    unread: tuple[Unread, ...]
    now: datetime
    stopped: str = ""


def run(clients: Clients, regions: Sequence[str], policy: Policy, max_removals: int | None, *, check_mode: bool) -> Run:
    """Applies a policy to the images of some regions.

    Args:
        clients: the account's clients, in any region.
        regions: their names; none means the clients' own.
        policy: what to keep.
        max_removals: a plan with more is not begun.
        check_mode: everything is done but the writes.

    Raises:
        PolicyError: a region is unknown or not enabled.
        AwsError: the regions, or all images, could not be read.
    """
    names = list(dict.fromkeys(regions)) or [clients.region]
    check_regions(clients, names)
    places = {name: Region(clients.in_region(name), name) for name in names}
    images, unread = _read_images(places, policy.selection.owner)
    references = References(unread=unread)
    for place in places.values():
        references += place.references()
    now = datetime.now(UTC)
    planned = plan(images, references, policy, now)
    # AWS tells for one image at a time with whom it is shared, so only those are asked for that hang on it. What that
    # adds can only take removals away, so no image goes that wasn't asked for.
    asked: set[str] = set()
    while unasked := [image for image in _hanging_on_use(planned, policy) if image.id not in asked]:
        for image in unasked:
            references += places[image.region].sharing(image)
        asked.update(image.id for image in unasked)
        planned = plan(images, references, policy, now)
    if max_removals is not None and len(planned.removals) > max_removals:
        count = len(planned.removals)
        why = f"{count} images would be removed, more than max_removals ({max_removals}) allows; nothing was removed"
        return Run(Outcome(_keep_all(planned, max_removals)), references.unread, now, why)
    writer = NoWriter() if check_mode else Writer({name: place.clients for name, place in places.items()})
    outcome = carry_out(planned, images, _looking_again(places, images), writer)
    return Run(outcome, tuple(dict.fromkeys(references.unread + outcome.unread)), now)


def check_regions(clients: Clients, names: Sequence[str]) -> None:
    """Refuses regions that AWS doesn't know or that the account can't use.

    Raises:
        PolicyError: with the names of those.
    """
    opted = {
        region.get("RegionName", ""): region.get("OptInStatus", "") for region in images_api.describe_regions(clients)
    }
    if unknown := [name for name in names if name not in opted]:
        raise PolicyError(f"Unknown region: {', '.join(unknown)}. AWS has: {', '.join(sorted(opted))}.")
    if disabled := [name for name in names if opted[name] == "not-opted-in"]:
        raise PolicyError(f"Region not enabled in this account: {', '.join(disabled)}.")


def _read_images(places: dict[str, Region], owner: str) -> tuple[list[Image], tuple[Unread, ...]]:
    images: list[Image] = []
    unread: list[Unread] = []
    first: AwsError | None = None
    for place in places.values():
        try:
            images += place.images(owner)
        except AwsError as error:
            first = first or error
            unread.append(Unread(Place.IMAGES, place.name, str(error)))
    if first and len(unread) == len(places):
        raise first
    return images, tuple(unread)


def _looking_again(places: dict[str, Region], images: Sequence[Image]) -> Callable[[Image], References]:
    """What names an image at the time of asking, images included that were built from it since they were listed."""
    known = {image.id for image in images}

    def look(image: Image) -> References:
        references = places[image.region].sharing(image)
        for place in places.values():
            try:
                new = [child for child in place.children(image) if child not in known]
            except AwsError as error:
                references += References(unread=(Unread(Place.IMAGES, place.name, str(error)),))
            else:
                references += References(tuple(Reference(image.id, f"image {child}, built from it") for child in new))
        return references + places[image.region].references(image.id)

    return look


def _hanging_on_use(planned: Plan, policy: Policy) -> list[Image]:
    """The images that would go, and the spare ones of their groups: one that is in use makes room for another spare."""
    groups = {group_of(image, policy) for image in planned.removals}
    return [
        one.image
        for one in planned.decisions
        if group_of(one.image, policy) in groups
        and {reason.rule for reason in one.reasons} <= {Rule.NEWEST, Rule.UNNEEDED}
    ]


def _keep_all(planned: Plan, max_removals: int) -> tuple[Decision, ...]:
    stopped = "max_removals ({limit}) stopped the run: it would be removed, {why}"
    return tuple(
        replace(one, reasons=(Reason(Rule.MAX_REMOVALS, stopped.format(limit=max_removals, why=one.reasons[0].text)),))
        if one.removed
        else one
        for one in planned.decisions
    )
