# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module's arguments → the policy, refused with everything that is wrong with it at once."""

from __future__ import annotations

import itertools
import re
import typing as t
from datetime import timedelta

from ansible_collections.immutable.ec2.plugins.module_utils.retention.model import Policy, Selection, Stages

if t.TYPE_CHECKING:
    from collections.abc import Mapping


class PolicyError(ValueError):
    """The arguments make no policy; one line for a person."""


DAY_SECONDS: t.Final = 86_400
UNITS: t.Final = {"m": 60, "h": 3600, "d": DAY_SECONDS, "w": 7 * DAY_SECONDS}
STAGES: t.Final = ("deprecate_after", "disable_after", "deregister_after")
MOST_VERSIONS: t.Final = 10_000
ROLE: t.Final = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):role/\S+")


def to_policy(params: Mapping[str, t.Any]) -> Policy:
    """The policy that the arguments of `ami_retention` ask for.

    Raises:
        PolicyError: a count is negative, a tag's value is no text, stages are in the wrong order, a role's ARN is none,
            or nothing would be kept.
    """
    selected = params.get("images") or {}
    keep = params.get("keep") or {}
    references = params.get("references") or {}
    counts = {
        "keep.newest": keep.get("newest"),
        "keep.days": keep.get("days"),
        "keep.per_env_previous": keep.get("per_env_previous"),
        "max_removals": params.get("max_removals"),
        "price_per_gb_month": params.get("price_per_gb_month"),
    }
    wrong = [
        f"{name} is {count}, it must not be negative"
        for name, count in counts.items()
        if count is not None and count < 0
    ]
    wrong += _not_text("images.tags", selected.get("tags")) + _not_text("exclude_tags", params.get("exclude_tags"))
    stages = _stages(params.get("stages"), wrong)
    versions = references.get("launch_template_versions")
    if versions is not None and not 1 <= versions <= MOST_VERSIONS:
        wrong.append(f"references.launch_template_versions is {versions}, it must be from 1 to {MOST_VERSIONS}")
    wrong += [
        f"references.accounts: {role} is no ARN of a role (arn:aws:iam::<account>:role/<name>)"
        for role in references.get("accounts") or ()
        if not ROLE.fullmatch(role)
    ]
    if (limit := params.get("concurrency")) is not None and limit < 1:
        wrong.append(f"concurrency is {limit}, it must be at least 1")
    if params.get("state") == "restored":
        if not any(selected.get(name) for name in ("tags", "names", "ids")):
            wrong.append("images would select every image; say by images.ids, names or tags which to restore")
    elif not keep.get("newest") and not keep.get("days"):
        wrong.append("keep would keep nothing; set keep.newest or keep.days to at least 1")
    if wrong:
        raise PolicyError(f"The retention policy is refused: {'; '.join(wrong)}.")
    return Policy(
        selection=Selection(
            owner=selected.get("owner") or "self",
            tags=dict(selected.get("tags") or {}),
            names=tuple(selected.get("names") or ()),
            ids=tuple(selected.get("ids") or ()),
        ),
        group_by=tuple(params["group_by"]),
        newest=keep.get("newest") or 0,
        days=keep.get("days") or 0,
        count_in_use=bool(keep.get("count_in_use")),
        exclude_tags=dict(params.get("exclude_tags") or {}),
        stages=stages,
        together=params.get("copies") != "apart",
        **{name: keep.get(name) is not False for name in ("lineage", "public", "shared", "protected")},
    )


def account_of(role: str) -> str:
    """The number of the account that a role's ARN names."""
    found = ROLE.fullmatch(role)
    return found[1] if found else ""


def _stages(given: Mapping[str, t.Any] | None, wrong: list[str]) -> Stages | None:
    """The stages; what is wrong with them is added to the list."""
    ages: dict[str, timedelta] = {}
    for name in STAGES:
        if (text := (given or {}).get(name)) is None:
            continue
        if age := _age(str(text)):
            ages[name] = age
        else:
            wrong.append(f"stages.{name} is {text}, it must be a time such as 30d, 12h or 2w")
    for earlier, later in itertools.combinations(ages, 2):
        if ages[earlier] >= ages[later]:
            wrong.append(f"stages are in the wrong order: {later} must be later than {earlier}")
    return Stages(*(ages.get(name) for name in STAGES)) if ages else None


def _age(text: str) -> timedelta | None:
    found = re.fullmatch(r"(\d{1,6})([mhdw])", text)
    return timedelta(seconds=int(found[1]) * UNITS[found[2]]) if found and int(found[1]) else None


def _not_text(name: str, tags: Mapping[str, t.Any] | None) -> list[str]:
    """YAML reads `true` and `1` as no text, and AWS's tags hold nothing else."""
    return [
        f"{name}.{key} must be text (put {value} in quotes)"
        for key, value in (tags or {}).items()
        if not isinstance(value, str)
    ]
