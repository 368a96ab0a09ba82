# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why an image stays or goes, in words and by rule. Pure."""

from __future__ import annotations

import functools
import re
import typing as t
from collections import defaultdict

from ansible_collections.immutable.ec2.plugins.module_utils.retention.model import Image, Policy, Reason, References
from ansible_collections.immutable.ec2.plugins.module_utils.retention.words import Place, Rule

if t.TYPE_CHECKING:
    from collections.abc import Collection, Iterable

NAMED_AT_MOST = 3
WORDS = {Rule.IN_USE: "used by {}", Rule.PREVIOUS: "{}"}


@functools.cache
def _pattern(glob: str) -> re.Pattern[str]:
    return re.compile(re.escape(glob).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def matches(glob: str, text: str) -> bool:
    """Whether a glob with EC2's two wildcards, `*` and `?`, fits the whole text."""
    return _pattern(glob).fullmatch(text) is not None


def uses_of(images: Iterable[Image], references: References, policy: Policy) -> dict[str, list[Reason]]:
    """Image id → why it counts as in use, for those that do: who names it, or what could not be read."""
    users: defaultdict[tuple[str, Rule], set[str]] = defaultdict(set)
    for reference in references.found:
        users[reference.image_id, reference.rule].add(reference.user)
    unread = [one for one in references.unread if one.place is not Place.IMAGES or policy.lineage or policy.together]
    uses: dict[str, list[Reason]] = {}
    for image in images:
        why = [
            Reason(rule, WORDS[rule].format(some(users[image.id, rule])))
            for rule in (Rule.IN_USE, Rule.PREVIOUS)
            if (image.id, rule) in users
        ]
        why += [
            Reason(Rule.IN_USE, f"counts as in use: {one.where} could not be read ({one.error})")
            for one in unread
            if one.may_name(image)
        ]
        if why:
            uses[image.id] = why
    return uses


def base_of(children: Collection[str]) -> Reason:
    """The reason for an image that others, which stay, were built from."""
    return Reason(Rule.IN_USE, f"base image of {some(children)}")


def some(names: Collection[str]) -> str:
    """The first few of the names, and how many more there are."""
    ordered = sorted(names)
    more = len(ordered) - NAMED_AT_MOST
    return ", ".join(ordered[:NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")


def exemptions(image: Image, policy: Policy) -> list[Reason]:
    """Why an image can't be a candidate at all, whatever uses it and however old it is."""
    found: list[Reason] = []
    if not image.own:
        found.append(Reason(Rule.FOREIGN, f"owned by another account ({image.owner or 'unknown'})"))
    if image.state == "disabled" and image.disabled is None:
        found.append(Reason(Rule.STATE, "its state is disabled, and it was not retention that disabled it"))
    elif image.state not in ("available", "disabled"):
        found.append(Reason(Rule.STATE, f"its state is {image.state}"))
    if image.created is None:
        found.append(Reason(Rule.UNDATED, "it has no creation date"))
    if missing := [key for key in policy.group_by if key not in image.tags]:
        found.append(Reason(Rule.UNGROUPED, f"it belongs to no group: it has no tag {', '.join(missing)}"))
    if image.public and policy.public:
        found.append(Reason(Rule.PUBLIC, "it is public, so that other accounts may use it"))
    if image.protected and policy.protected:
        found.append(Reason(Rule.PROTECTED, "it is protected from deregistration"))
    for key, glob in policy.exclude_tags.items():
        if key in image.tags and matches(glob, image.tags[key]):
            found.append(Reason(Rule.EXCLUDED, f"excluded by its tag {key}={image.tags[key]}"))
    return found


def unneeded(policy: Policy) -> Reason:
    """The reason for an image that nothing keeps."""
    rules = [f"not one of the {policy.newest} newest of its group"] if policy.newest else []
    rules += [f"older than {policy.days} days"] if policy.days else []
    kept = " and ".join(rules)
    return Reason(Rule.UNNEEDED, f"{kept}, and nothing uses it" if kept else "nothing uses it")
