# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run → the module's result and diff: the same for check mode and a real run."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.retention.words import Step

if t.TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ansible_collections.immutable.ec2.plugins.module_utils.retention.model import Decision, Outcome
    from ansible_collections.immutable.ec2.plugins.module_utils.retention.runner import Run

LISTS: t.Final = {step: step.value for step in Step}
"""What happened → the list of the result that it is in."""


def to_result(run: Run, group_by: Sequence[str], price: float) -> dict[str, t.Any]:
    """The documented return values of `ami_retention`, `changed` included.

    Args:
        run: the run.
        group_by: the tags of the groups.
        price: of a GiB of snapshots for a month.
    """
    outcome = run.outcome
    lists: dict[str, list[dict[str, t.Any]]] = {name: [] for name in LISTS.values()}
    for one in outcome.decisions:
        lists[LISTS[one.step]].append(_entry(one, outcome, group_by, run.now))
    failed = [{"id": one.image.id, "region": one.image.region, "error": one.error} for one in outcome.failures]
    orphans = [
        {"id": one.snapshot.id, "region": one.region, "image": one.image_id, "size_gib": one.snapshot.size}
        | ({"error": one.error} if one.error else {})
        for one in outcome.orphans
    ]
    swept = [one for one in outcome.orphans if not one.error]
    deleted = {one.id: one.size for each in outcome.snapshots.values() for one in each}
    deleted |= {one.snapshot.id: one.snapshot.size for one in swept}
    gib = sum(deleted.values())
    return {
        "changed": bool(swept) or any(found for name, found in lists.items() if name != Step.KEEP),
        **lists,
        "failed_images": failed,
        "orphaned_snapshots": orphans,
        "unread": [
            {"place": str(one.place), "region": one.region, "account": one.account, "error": one.error}
            for one in run.unread
        ],
        "totals": {
            "images": len(outcome.decisions),
            **{name: len(found) for name, found in lists.items()},
            "failed": len(failed),
            "snapshots_removed": len(deleted),
            "removed_gib": gib,
            "saved_per_month": round(gib * price, 2),
        },
    }


def to_diff(outcome: Outcome) -> dict[str, str]:
    """The selected images before and after, one a line, as Ansible's diff wants them."""
    return {
        "before_header": "images",
        "after_header": "images",
        "before": "".join(_line(one) for one in outcome.decisions),
        "after": "".join(_line(one, _mark(one)) for one in outcome.decisions if not one.removed),
    }


def _mark(one: Decision) -> str:
    return "" if one.step is Step.KEEP else f" ({one.step})"


def _line(decision: Decision, mark: str = "") -> str:
    image = decision.image
    return f"{image.region} {image.id} {image.name or '(no name)'}{mark}\n"


def _entry(decision: Decision, outcome: Outcome, group_by: Sequence[str], now: datetime) -> dict[str, t.Any]:
    image = decision.image
    return {
        "id": image.id,
        "region": image.region,
        "name": image.name,
        "group": {key: image.tags.get(key) for key in group_by},
        "created": image.created.isoformat() if image.created else None,
        "age_days": (now - image.created).days if image.created else None,
        "size_gib": image.size,
        "rules": [str(rule) for rule in dict.fromkeys(reason.rule for reason in decision.reasons)],
        "reason": "; ".join(reason.text for reason in decision.reasons),
        "snapshots_removed": [snapshot.id for snapshot in outcome.snapshots.get(image.id, ())],
    }
