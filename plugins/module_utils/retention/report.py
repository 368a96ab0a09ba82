# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run → the module's result and diff: the same for check mode and a real run."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ansible_collections.immutable.ec2.plugins.module_utils.retention.model import Decision, Outcome
    from ansible_collections.immutable.ec2.plugins.module_utils.retention.runner import Run


def to_result(run: Run, group_by: Sequence[str]) -> dict[str, t.Any]:
    """The documented return values of `ami_retention`, `changed` included."""
    entries = [(one.removed, _entry(one, run.outcome, group_by, run.now)) for one in run.outcome.decisions]
    removed = [entry for gone, entry in entries if gone]
    kept = [entry for gone, entry in entries if not gone]
    failed = [{"id": one.image.id, "region": one.image.region, "error": one.error} for one in run.outcome.failures]
    return {
        "changed": bool(removed),
        "removed": removed,
        "kept": kept,
        "failed_images": failed,
        "unread": [{"place": str(one.place), "region": one.region, "error": one.error} for one in run.unread],
        "totals": {
            "images": len(entries),
            "removed": len(removed),
            "kept": len(kept),
            "failed": len(failed),
            "snapshots_removed": sum(len(entry["snapshots_removed"]) for entry in removed),
            "removed_gib": sum(entry["size_gib"] for entry in removed),
        },
    }


def to_diff(outcome: Outcome) -> dict[str, str]:
    """The selected images before and after, one a line, as Ansible's diff wants them."""
    return {
        "before_header": "images",
        "after_header": "images",
        "before": "".join(_line(one) for one in outcome.decisions),
        "after": "".join(_line(one) for one in outcome.decisions if not one.removed),
    }


def _line(decision: Decision) -> str:
    image = decision.image
    return f"{image.region} {image.id} {image.name or '(no name)'}\n"


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
        "snapshots_removed": list(outcome.snapshots.get(image.id, ())),
    }
