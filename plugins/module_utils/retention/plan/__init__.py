# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which images are kept and which are removed: pure, from what was observed, the policy and the time."""

from __future__ import annotations

import typing as t
from collections import defaultdict
from datetime import UTC, datetime, timedelta

from ansible_collections.immutable.ec2.plugins.module_utils.retention.model import (
    Decision,
    Image,
    Plan,
    Policy,
    Reason,
    References,
    Selection,
)
from ansible_collections.immutable.ec2.plugins.module_utils.retention.plan.reasons import (
    base_of,
    exemptions,
    matches,
    some,
    unneeded,
    uses_of,
)
from ansible_collections.immutable.ec2.plugins.module_utils.retention.plan.stages import next_step
from ansible_collections.immutable.ec2.plugins.module_utils.retention.words import Rule, Step

if t.TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    GroupKey = tuple[str, ...]  # the region, then the values of the policy's tags

EARLIEST = datetime.min.replace(tzinfo=UTC)


def plan(images: Sequence[Image], references: References, policy: Policy, now: datetime) -> Plan:
    """Decides about every selected image.

    Args:
        images: every image known, of all regions. Those that the policy doesn't select are never removed; they count
            because they may be built from one that is selected, and keep it so.
        references: what uses images, and which places could not be read.
        policy: what to keep, in each group of each region.
        now: the time that ages are measured at, with its time zone.

    Returns:
        The plan. Nothing with a reference is removed, a place that could not be read counts as one, and further
        references never lead to further removals.
    """
    known = {image.id: image for image in images}
    selected = sorted(
        (image for image in known.values() if selects(policy.selection, image)),
        key=lambda image: (image.created or EARLIEST, image.id),
        reverse=True,
    )
    uses = uses_of(selected, references, policy)
    exempt = {image.id: why for image in selected if (why := exemptions(image, policy))}
    groups = _groups((image for image in selected if image.id not in exempt), policy)
    outside = known.keys() - {image.id for image in selected}
    bakes = _bakes(known.values()) if policy.together else {}
    children: dict[str, list[str]] = {}
    while True:
        # What a kept image was built from is in use, hence kept, and may itself be built from another one. Each turn
        # can only keep more, so this ends.
        used = uses.keys() | children.keys()
        rules = _rules(groups, used, policy, now)
        kept = used | exempt.keys() | rules.keys()
        copies = _copies(bakes, kept | outside)
        kept |= copies.keys()
        leaving = (image for image in selected if image.id not in kept)
        removed = {image.id for image in leaving if next_step(image, policy.stages, now)[0] is Step.DEREGISTER}
        found = _children(known.values(), removed) if policy.lineage else {}
        if found.keys() == children.keys():
            break
        children = found

    def decide(image: Image) -> Decision:
        lineage = [base_of(children[image.id])] if image.id in children else []
        why = [*uses.get(image.id, ()), *lineage, *exempt.get(image.id, ()), *rules.get(image.id, ())]
        if not why and image.id in copies:
            why = [copies[image.id]]
        if why:
            return Decision(image, tuple(why))
        step, waits = next_step(image, policy.stages, now)
        return Decision(image, (waits or unneeded(policy),), step)

    decisions = [decide(image) for image in selected]
    decisions.sort(key=lambda decision: group_of(decision.image, policy))  # stable: newest first within a group
    return Plan(tuple(decisions), tuple(_in_order(decisions)))


def selects(selection: Selection, image: Image) -> bool:
    """Whether a policy is about this image."""
    owned = image.own if selection.owner == "self" else image.owner == selection.owner
    tagged = all(key in image.tags and matches(glob, image.tags[key]) for key, glob in selection.tags.items())
    named = not selection.names or any(matches(glob, image.name or "") for glob in selection.names)
    return owned and tagged and named and (not selection.ids or image.id in selection.ids)


def group_of(image: Image, policy: Policy) -> GroupKey:
    return (image.region, *(image.tags.get(key, "") for key in policy.group_by))


def _groups(images: Iterable[Image], policy: Policy) -> dict[GroupKey, list[Image]]:
    groups: defaultdict[GroupKey, list[Image]] = defaultdict(list)
    for image in images:
        groups[group_of(image, policy)].append(image)
    return groups


def _rules(
    groups: Mapping[GroupKey, list[Image]], used: Collection[str], policy: Policy, now: datetime
) -> dict[str, list[Reason]]:
    """Image id → which of the policy's rules keep it. The groups' images are ordered newest first."""
    kept: defaultdict[str, list[Reason]] = defaultdict(list)
    for group in groups.values():
        # In-use images stay anyway; counting them out leaves that many spare ones to go back to.
        # A disabled one can't be launched, so it is none to go back to.
        ready = [image for image in group if image.state == "available"]
        spare = ready if policy.count_in_use else [image for image in ready if image.id not in used]
        for image in spare[: policy.newest]:
            kept[image.id].append(Reason(Rule.NEWEST, f"one of the {policy.newest} newest of its group"))
        if policy.days:
            for image in group:
                if now - (image.created or EARLIEST) <= timedelta(days=policy.days):
                    kept[image.id].append(Reason(Rule.DAYS, f"not older than {policy.days} days"))
    return kept


def _children(images: Iterable[Image], removed: Collection[str]) -> dict[str, list[str]]:
    """Base image id → the ids of the images built from it that stay."""
    children: defaultdict[str, list[str]] = defaultdict(list)
    for image in images:
        if image.base_image and image.id not in removed:
            children[image.base_image].append(image.id)
    return children


def _bakes(images: Iterable[Image]) -> dict[tuple[str, ...], list[Image]]:
    """Bake → its copies, of the bakes that there is more than one image of."""
    bakes: defaultdict[tuple[str, ...], list[Image]] = defaultdict(list)
    for image in images:
        if image.bake and image.own and image.state in ("available", "disabled"):
            bakes[image.bake].append(image)
    return {bake: copies for bake, copies in bakes.items() if len(copies) > 1}


def _copies(bakes: Mapping[tuple[str, ...], list[Image]], kept: Collection[str]) -> dict[str, Reason]:
    """Image id → why it stays with its copies, of those that nothing else keeps.

    It doesn't count as used: else it would make room for a further spare one, and its copies for more elsewhere.
    """
    found: dict[str, Reason] = {}
    for copies in bakes.values():
        stays = [image for image in copies if image.id in kept]
        if stays and len(stays) < len(copies):
            names = sorted(f"{image.id} in {image.region}" for image in stays)
            reason = Reason(Rule.COPY, f"the same bake as {some(names)}, which stays")
            found |= {image.id: reason for image in copies if image.id not in kept}
    return found


def _in_order(decisions: Iterable[Decision]) -> list[Decision]:
    """Oldest first, but an image always before the one it was built from: if it stays after all, so must that one."""
    steps = [one for one in decisions if one.step is not Step.KEEP]
    bases = {one.image.id: one.image.base_image for one in steps}

    def depth(image: Image) -> int:
        seen = {image.id}
        base = image.base_image
        while base in bases and base not in seen:
            seen.add(base)
            base = bases[base]
        return len(seen)

    return sorted(
        steps, key=lambda one: (-depth(one.image), one.image.region, one.image.created or EARLIEST, one.image.id)
    )
