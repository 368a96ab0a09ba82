# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Elastic Load Balancing, one function a call."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import aws_call

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mypy_boto3_elbv2.type_defs import RuleTypeDef, TargetHealthDescriptionTypeDef

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients


@aws_call("read the health of the targets in {}")
def target_health(clients: Clients, target_group: str) -> list[TargetHealthDescriptionTypeDef]:
    """Every registered or draining target of the group, with its state and reason."""
    return clients.elbv2.describe_target_health(TargetGroupArn=target_group)["TargetHealthDescriptions"]


@aws_call("read the rules of the listener {}")
def describe_rules(clients: Clients, listener: str) -> list[RuleTypeDef]:
    """The listener's rules, all pages. The default one has the listener's default actions."""
    pages = clients.elbv2.get_paginator("describe_rules").paginate(ListenerArn=listener)
    return [rule for page in pages for rule in page["Rules"]]


def weights(rules: Iterable[RuleTypeDef]) -> dict[str, int]:
    """Target group → weight of the default rule's forward action (0–999; without a weight it is 1).

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html
    """
    for action in (action for rule in rules if rule["IsDefault"] for action in rule["Actions"]):
        groups = action.get("ForwardConfig", {}).get("TargetGroups", [])
        if action["Type"] == "forward":
            return {group["TargetGroupArn"]: group.get("Weight", 1) for group in groups}
    return {}


@aws_call("set the weights of the listener {}")
def set_weights(clients: Clients, listener: str, weights: Mapping[str, int]) -> None:
    """Sets a listener's default action to these weights (target group → weight) at once, in one call.

    Sticky clients are let go: a cookie would hold them on a group even at weight 0.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/sticky-sessions.html
    """
    clients.elbv2.modify_listener(
        ListenerArn=listener,
        DefaultActions=[
            {
                "Type": "forward",
                "ForwardConfig": {
                    "TargetGroups": [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()],
                    "TargetGroupStickinessConfig": {"Enabled": False},
                },
            }
        ],
    )
