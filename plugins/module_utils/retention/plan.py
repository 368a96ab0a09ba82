# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which images are kept and which are removed: pure, from what was observed, the policy and the time."""

from __future__ import annotations

import functools
import re
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
    Rule,
    Selection,
)

if t.TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    GroupKey = tuple[str, ...]  # the region, then the values of the policy's tags

NAMED_AT_MOST = 3
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
    uses = uses_of(selected, references)
    exempt = {image.id: why for image in selected if (why := _exemptions(image, policy))}
    groups = _groups((image for image in selected if image.id not in exempt), policy)
    children: dict[str, list[str]] = {}
    while True:
        # What a kept image was built from is in use, hence kept, and may itself be built from another one. Each turn
        # can only keep more, so this ends.
        used = uses.keys() | children.keys()
        rules = _rules(groups, used, policy, now)
        kept = used | exempt.keys() | rules.keys()
        removed = {image.id for image in selected if image.id not in kept}
        found = _children(known.values(), removed)
        if found.keys() == children.keys():
            break
        children = found

    def reasons(image: Image) -> tuple[Reason, ...]:
        lineage = [base_of(children[image.id])] if image.id in children else []
        why = [*uses.get(image.id, ()), *lineage, *exempt.get(image.id, ()), *rules.get(image.id, ())]
        return tuple(why) or (_unneeded(policy),)

    decisions = [Decision(image, reasons(image)) for image in selected]
    decisions.sort(key=lambda decision: group_of(decision.image, policy))  # stable: newest first within a group
    return Plan(tuple(decisions), tuple(_children_first([image for image in selected if image.id in removed])))


def selects(selection: Selection, image: Image) -> bool:
    """Whether a policy is about this image."""
    owned = image.own if selection.owner == "self" else image.owner == selection.owner
    tagged = all(key in image.tags and matches(glob, image.tags[key]) for key, glob in selection.tags.items())
    named = not selection.names or any(matches(glob, image.name or "") for glob in selection.names)
    return owned and tagged and named


@functools.cache
def _pattern(glob: str) -> re.Pattern[str]:
    return re.compile(re.escape(glob).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def matches(glob: str, text: str) -> bool:
    """Whether a glob with EC2's two wildcards, `*` and `?`, fits the whole text."""
    return _pattern(glob).fullmatch(text) is not None


def uses_of(images: Iterable[Image], references: References) -> dict[str, list[Reason]]:
    """Image id → why it counts as in use, for those that do: who names it, or what could not be read."""
    users: defaultdict[str, set[str]] = defaultdict(set)
    for reference in references.found:
        users[reference.image_id].add(reference.user)
    uses: dict[str, list[Reason]] = {}
    for image in images:
        why = [Reason(Rule.IN_USE, f"used by {_some(users[image.id])}")] if image.id in users else []
        why += [
            Reason(
                Rule.IN_USE, f"counts as in use: {unread.place} of {unread.region} could not be read ({unread.error})"
            )
            for unread in references.unread
            if unread.may_name(image)
        ]
        if why:
            uses[image.id] = why
    return uses


def base_of(children: Collection[str]) -> Reason:
    """The reason for an image that others, which stay, were built from."""
    return Reason(Rule.IN_USE, f"base image of {_some(children)}")


def _some(names: Collection[str]) -> str:
    ordered = sorted(names)
    more = len(ordered) - NAMED_AT_MOST
    return ", ".join(ordered[:NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")


def _exemptions(image: Image, policy: Policy) -> list[Reason]:
    """Why an image can't be a candidate at all, whatever uses it and however old it is."""
    found: list[Reason] = []
    if not image.own:
        found.append(Reason(Rule.FOREIGN, f"owned by another account ({image.owner or 'unknown'})"))
    if image.state != "available":
        found.append(Reason(Rule.STATE, f"its state is {image.state}"))
    if image.created is None:
        found.append(Reason(Rule.UNDATED, "it has no creation date"))
    if missing := [key for key in policy.group_by if key not in image.tags]:
        found.append(Reason(Rule.UNGROUPED, f"it belongs to no group: it has no tag {', '.join(missing)}"))
    if image.public:
        found.append(Reason(Rule.PUBLIC, "it is public, so that other accounts may use it"))
    if image.protected:
        found.append(Reason(Rule.PROTECTED, "it is protected from deregistration"))
    for key, glob in policy.exclude_tags.items():
        if key in image.tags and matches(glob, image.tags[key]):
            found.append(Reason(Rule.EXCLUDED, f"excluded by its tag {key}={image.tags[key]}"))
    return found


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
        spare = group if policy.count_in_use else [image for image in group if image.id not in used]
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


def _unneeded(policy: Policy) -> Reason:
    rules = [f"not one of the {policy.newest} newest of its group"] if policy.newest else []
    rules += [f"older than {policy.days} days"] if policy.days else []
    return Reason(Rule.UNNEEDED, f"{' and '.join(rules)}, and nothing uses it")


def _children_first(images: Sequence[Image]) -> list[Image]:
    """Oldest first, but an image always before the one it was built from: if it stays after all, so must that one."""
    bases = {image.id: image.base_image for image in images}

    def depth(image: Image) -> int:
        seen = {image.id}
        base = image.base_image
        while base in bases and base not in seen:
            seen.add(base)
            base = bases[base]
        return len(seen)

    return sorted(images, key=lambda image: (-depth(image), image.created or EARLIEST, image.id))
