# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module's arguments → the policy, refused with everything that is wrong with it at once."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.retention.model import Policy, Selection

if t.TYPE_CHECKING:
    from collections.abc import Mapping


class PolicyError(ValueError):
    """The arguments make no policy; one line for a person."""


def to_policy(params: Mapping[str, t.Any]) -> Policy:
    """The policy that the arguments of `ami_retention` ask for.

    Raises:
        PolicyError: a count is negative, a tag's value is no text, or nothing would be kept.
    """
    selected = params.get("images") or {}
    keep = params["keep"]
    counts = {
        "keep.newest": keep.get("newest"),
        "keep.days": keep.get("days"),
        "max_removals": params.get("max_removals"),
    }
    wrong = [
        f"{name} is {count}, it must not be negative"
        for name, count in counts.items()
        if count is not None and count < 0
    ]
    wrong += _not_text("images.tags", selected.get("tags")) + _not_text("exclude_tags", params.get("exclude_tags"))
    if not keep.get("newest") and not keep.get("days"):
        wrong.append("keep would keep nothing; set keep.newest or keep.days to at least 1")
    if wrong:
        raise PolicyError(f"The retention policy is refused: {'; '.join(wrong)}.")
    return Policy(
        selection=Selection(
            owner=selected.get("owner") or "self",
            tags=dict(selected.get("tags") or {}),
            names=tuple(selected.get("names") or ()),
        ),
        group_by=tuple(params["group_by"]),
        newest=keep.get("newest") or 0,
        days=keep.get("days") or 0,
        count_in_use=bool(keep.get("count_in_use")),
        exclude_tags=dict(params.get("exclude_tags") or {}),
    )


def _not_text(name: str, tags: Mapping[str, t.Any] | None) -> list[str]:
    """YAML reads `true` and `1` as no text, and AWS's tags hold nothing else."""
    return [
        f"{name}.{key} must be text (put {value} in quotes)"
        for key, value in (tags or {}).items()
        if not isinstance(value, str)
    ]
