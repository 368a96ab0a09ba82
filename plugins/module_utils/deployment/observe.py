# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS in, the model out. Reads only."""

from __future__ import annotations

import typing as t
from dataclasses import replace
from datetime import datetime

from ansible_collections.immutable.ec2.plugins.module_utils.aws import auto_scaling, cloudformation, load_balancing
from ansible_collections.immutable.ec2.plugins.module_utils.aws.stack_events import cause_of
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    Colour,
    ColourStack,
    Edge,
    Observed,
    StackPhase,
)

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_autoscaling.type_defs import AutoScalingGroupTypeDef
    from mypy_boto3_cloudformation.type_defs import StackTypeDef
    from mypy_boto3_elbv2.type_defs import TargetHealthDescriptionTypeDef

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.settings import Environment

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
PHASES: Mapping[str, StackPhase] = {
    "CREATE_COMPLETE": StackPhase.READY,
    "UPDATE_COMPLETE": StackPhase.READY,
    "UPDATE_ROLLBACK_COMPLETE": StackPhase.READY,
    "IMPORT_COMPLETE": StackPhase.READY,
    "IMPORT_ROLLBACK_COMPLETE": StackPhase.READY,
    "CREATE_FAILED": StackPhase.BROKEN,
    "ROLLBACK_COMPLETE": StackPhase.BROKEN,
    "ROLLBACK_FAILED": StackPhase.BROKEN,
    "REVIEW_IN_PROGRESS": StackPhase.BROKEN,
    "DELETE_FAILED": StackPhase.BROKEN,
    "DELETE_IN_PROGRESS": StackPhase.DELETING,
    "UPDATE_FAILED": StackPhase.STUCK,
    "UPDATE_ROLLBACK_FAILED": StackPhase.STUCK,
    "IMPORT_ROLLBACK_FAILED": StackPhase.STUCK,
}


def phase(status: str) -> StackPhase:
    """What a stack's status means; one that isn't known yet counts as busy, so that nothing is done to it."""
    return PHASES.get(status, StackPhase.BUSY)


def observe(clients: Clients, environment: Environment) -> Observed:
    """The environment as AWS shows it now: at most 3 stacks, 1 listener, 1 look at the groups, 2 at the targets.

    Raises:
        Refused: the env has no edge, or one that is not ready to be read.
        AwsError: a call failed.
    """
    edge_stack = read_edge_stack(clients, environment)
    outputs = outputs_of(edge_stack)
    listener = load_balancing.describe_listener(clients, outputs["ListenerArn"])
    by_group = load_balancing.weights(listener)
    target_groups = {colour: target_group_of(outputs, colour) for colour in Colour}
    edge = Edge(
        name=edge_stack["StackName"],
        phase=phase(edge_stack["StackStatus"]),
        status=edge_stack["StackStatus"],
        address=outputs["LoadBalancerDnsName"],
        port=listener["Port"],
        tls=listener["Protocol"] == "HTTPS",
        weights={colour: by_group.get(arn, 0) for colour, arn in target_groups.items()},
        swapped_at=_time(outputs.get("SwappedAt", "")),
    )
    stacks = {colour: cloudformation.describe_stack(clients, environment.stack(colour)) for colour in Colour}
    group_names = [
        name for stack in stacks.values() if stack and (name := outputs_of(stack).get("AutoScalingGroupName"))
    ]
    groups = auto_scaling.describe_groups(clients, group_names)
    return Observed(
        edge=edge,
        colours={
            colour: _colour(clients, colour, stack, groups, target_groups[colour]) if stack else None
            for colour, stack in stacks.items()
        },
    )


def read_edge_stack(clients: Clients, environment: Environment) -> StackTypeDef:
    """The edge's stack, as CloudFormation describes it, with all its outputs.

    Raises:
        Refused: there is none, or it was never finished.
    """
    stack = cloudformation.describe_stack(clients, environment.edge)
    make = f"environment.yml -e env={environment.env}"
    if stack is None:
        raise Refused(f"{environment.env} has no edge (there is no stack {environment.edge}); make it first: {make}")
    if "ListenerArn" not in outputs_of(stack):
        raise Refused(
            f"the edge {environment.edge} is {stack['StackStatus']} and can't be used; repair it first: {make}"
        )
    return stack


def outputs_of(stack: StackTypeDef) -> dict[str, str]:
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def target_group_of(outputs: Mapping[str, str], colour: Colour) -> str:
    """A colour's target group, from the edge's outputs."""
    return outputs[f"{colour.capitalize()}TargetGroupArn"]


def _colour(
    clients: Clients,
    colour: Colour,
    stack: StackTypeDef,
    groups: Mapping[str, AutoScalingGroupTypeDef],
    target_group: str,
) -> ColourStack:
    tags = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}
    now = phase(stack["StackStatus"])
    group = groups.get(outputs_of(stack).get("AutoScalingGroupName", ""))
    seen = ColourStack(
        colour=colour,
        name=stack["StackName"],
        stack_id=stack["StackId"],
        phase=now,
        status=stack["StackStatus"],
        created_at=stack["CreationTime"],
        release=tags.get("release", "?"),
        image=tags.get("image", "?"),
        identity=tags.get("identity", "?"),
        failed_because=cause_of(clients, stack["StackId"]) if now is StackPhase.BROKEN else "",
    )
    if group is None:
        return seen
    # The target group may still drain an earlier colour's servers: only this group's count.
    servers = {server["InstanceId"]: server["LifecycleState"] for server in group["Instances"]}
    health = [h for h in load_balancing.target_health(clients, target_group) if h["Target"]["Id"] in servers]
    healthy = [
        h for h in health if h["TargetHealth"]["State"] == "healthy" and servers[h["Target"]["Id"]] == "InService"
    ]
    ailing = [h for h in health if h["TargetHealth"]["State"] in ("unhealthy", "unavailable")]
    return replace(
        seen,
        desired=group["DesiredCapacity"],
        minimum=group["MinSize"],
        maximum=group["MaxSize"],
        healthy=len(healthy),
        unhealthy_because=_reason(ailing[0]) if ailing else "",
    )


def _reason(target: TargetHealthDescriptionTypeDef) -> str:
    health = target["TargetHealth"]
    return (
        f"{target['Target']['Id']}: {health.get('Reason', 'unhealthy')}, {health.get('Description', 'no description')}"
    )


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None  # "never": nothing was swapped yet
