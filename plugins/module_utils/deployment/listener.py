# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The edge in AWS's words to the edge in ours: what the listener does, and what its stack says."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws import load_balancing, stack_events
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import Colour, Edge, Preview, StackPhase
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.naming import PREVIEW_HEADER, EdgeStack, phase

if t.TYPE_CHECKING:
    from mypy_boto3_elbv2.type_defs import RuleTypeDef

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients


def read_edge(clients: Clients, stack: EdgeStack) -> Edge:
    """The edge as the rules of its listener are now.

    Args:
        clients: the way to AWS.
        stack: the edge's stack as it was just read.
    """
    rules = load_balancing.describe_rules(clients, stack.listener)
    by_group = load_balancing.weights(rules)
    previews = {rule["RuleArn"]: found for rule in rules if (found := _preview(stack, rule))}
    now = phase(stack.status)
    return Edge(
        name=stack.name,
        phase=now,
        status=stack.status,
        address=stack.outputs["LoadBalancerDnsName"],
        port=443 if stack.tls else 80,
        tls=stack.tls,
        weights={colour: by_group.get(stack.target_group(colour), 0) for colour in Colour},
        swapped_at=stack.swapped_at,
        asked=stack.asked,
        preview=next(iter(previews.values()), None),
        foreign_rules=tuple(_told(rule) for rule in rules if not rule["IsDefault"] and rule["RuleArn"] not in previews),
        drain=stack.drain,
        stuck=_stuck(clients, stack) if now is StackPhase.STUCK else (),
    )


def _stuck(clients: Clients, stack: EdgeStack) -> tuple[str, ...]:
    return stack_events.stuck_resources(stack_events.operation_events(clients, stack.stack_id))


def _preview(stack: EdgeStack, rule: RuleTypeDef) -> Preview | None:
    """The preview that a rule opens: requests with its header go to one colour alone."""
    for condition in rule["Conditions"]:
        header = condition.get("HttpHeaderConfig", {})
        if header.get("HttpHeaderName", "").lower() == PREVIEW_HEADER.lower():
            groups = _groups(rule)
            for colour in Colour:
                if groups == {stack.target_group(colour)}:
                    return Preview(colour, header["Values"][0])
    return None


def _groups(rule: RuleTypeDef) -> set[str]:
    """The target groups that a rule forwards to; a single one may stand outside of `ForwardConfig`."""
    weighted = (action.get("ForwardConfig", {}).get("TargetGroups", []) for action in rule["Actions"])
    single = {action["TargetGroupArn"] for action in rule["Actions"] if "TargetGroupArn" in action}
    return single | {group["TargetGroupArn"] for groups in weighted for group in groups}


def _told(rule: RuleTypeDef) -> str:
    fields = ", ".join(condition.get("Field", "?") for condition in rule["Conditions"])
    return f"rule {rule['Priority']} ({fields})"
