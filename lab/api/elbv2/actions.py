# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What listeners' and rules' actions say, and AWS's checks of it.

Private to moto 5.2.5: ``FakeAction`` and ``ELBv2Backend._validate_actions``.
"""

from __future__ import annotations

from typing import Any

from moto.elbv2.exceptions import ELBClientError
from moto.elbv2.models import ELBv2Backend, FakeAction

from lab.api.patching import replace
from lab.api.settings import Settings
from lab.loadbalancer.model import Forward, Share

MAX_WEIGHT = 999
MAX_GROUPS = 5
MAX_STICKY_SECONDS = 604800


def use_checked_actions() -> None:
    """Check forward actions as AWS does, and show them as AWS does: a single target group in both of its places."""

    def initialize(action: Any, data: dict[str, Any]) -> None:
        original_initialize(action, _both_ways(data))

    def validate_actions(elbv2: Any, actions: list[Any]) -> None:
        for action in actions:
            _check(shares(action), _stickiness(action))
        original_validate(elbv2, actions)

    original_initialize = replace(FakeAction, "__init__", initialize)
    original_validate = replace(ELBv2Backend, "_validate_actions", validate_actions)


def forward(actions: list[Any], settings: Settings) -> Forward:
    """The forward action among these; one without target groups for another action."""
    for action in actions:
        if found := shares(action):
            sticky = _stickiness(action)
            seconds = settings.seconds(float(sticky["DurationSeconds"])) if _enabled(sticky) else 0
            return Forward(found, max(1, round(seconds)) if seconds else 0)
    return Forward()


def shares(action: Any) -> tuple[Share, ...]:
    """The target groups and weights that a forward action names; a group without a weight has 1."""
    if action.type != "forward":
        return ()
    groups = action.data.get("ForwardConfig", {}).get("TargetGroups", [])
    return tuple(Share(group["TargetGroupArn"], int(group.get("Weight", 1))) for group in groups)


def _both_ways(data: dict[str, Any]) -> dict[str, Any]:
    if data.get("Type") != "forward":
        return data
    groups = data.get("ForwardConfig", {}).get("TargetGroups", [])
    if len(groups) == 1:
        return {**data, "TargetGroupArn": groups[0]["TargetGroupArn"]}
    if not groups and "TargetGroupArn" in data:
        group = {"TargetGroupArn": data["TargetGroupArn"], "Weight": 1}
        return {**data, "ForwardConfig": {**data.get("ForwardConfig", {}), "TargetGroups": [group]}}
    return data


def _check(found: tuple[Share, ...], stickiness: dict[str, Any]) -> None:
    if len(found) > MAX_GROUPS:
        raise ELBClientError("TooManyTargetGroups", f"At most {MAX_GROUPS} target groups in a forward action")
    for share in found:
        if not 0 <= share.weight <= MAX_WEIGHT:
            raise ELBClientError("ValidationError", f"Weight must be between 0 and {MAX_WEIGHT}")
    if _enabled(stickiness) and not 1 <= int(stickiness.get("DurationSeconds", 0)) <= MAX_STICKY_SECONDS:
        raise ELBClientError(
            "ValidationError", f"Target group stickiness needs DurationSeconds from 1 to {MAX_STICKY_SECONDS}"
        )


def _stickiness(action: Any) -> dict[str, Any]:
    found: dict[str, Any] = action.data.get("ForwardConfig", {}).get("TargetGroupStickinessConfig") or {}
    return found


def _enabled(stickiness: dict[str, Any]) -> bool:
    return str(stickiness.get("Enabled", False)).lower() == "true"
