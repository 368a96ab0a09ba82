# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Elastic Load Balancing, one function a call."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import aws_call

if t.TYPE_CHECKING:
    from mypy_boto3_elbv2.type_defs import ListenerTypeDef, TargetHealthDescriptionTypeDef

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients


@aws_call("read the listener {}")
def describe_listener(clients: Clients, arn: str) -> ListenerTypeDef:
    """The listener, with its default actions as the load balancer has them."""
    return clients.elbv2.describe_listeners(ListenerArns=[arn])["Listeners"][0]


def weights(listener: ListenerTypeDef) -> dict[str, int]:
    """Target group → weight of a listener's default forward action (0–999; without a weight it is 1).

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html
    """
    for action in listener["DefaultActions"]:
        groups = action.get("ForwardConfig", {}).get("TargetGroups", [])
        if action["Type"] == "forward":
            return {group["TargetGroupArn"]: group.get("Weight", 1) for group in groups}
    return {}


@aws_call("read the health of the targets in {}")
def target_health(clients: Clients, target_group: str) -> list[TargetHealthDescriptionTypeDef]:
    """Every registered or draining target of the group, with its state and reason."""
    return clients.elbv2.describe_target_health(TargetGroupArn=target_group)["TargetHealthDescriptions"]
