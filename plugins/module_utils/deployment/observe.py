# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS in, the model out. Reads only."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.immutable.ec2.plugins.module_utils.aws import (
    auto_scaling,
    cloudformation,
    load_balancing,
    stack_events,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    Colour,
    ColourStack,
    Edge,
    Observed,
    Preview,
    StackPhase,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.naming import (
    ORIGINAL_MINIMUM,
    PREVIEW_HEADER,
    REPLACING,
    EdgeStack,
    outputs_of,
    phase,
    read_edge_stack,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import Await, Part

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_autoscaling.type_defs import AutoScalingGroupTypeDef
    from mypy_boto3_cloudformation.type_defs import StackTypeDef
    from mypy_boto3_elbv2.type_defs import ListenerTypeDef, RuleTypeDef, TargetHealthDescriptionTypeDef

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients
    from ansible_collections.immutable.ec2.plugins.module_utils.aws.stack_events import StackEvent
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.ledger import Ledger
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.settings import Environment

GONE: t.Final = "DELETE_COMPLETE"


class Observer:
    """Looks at one env: at everything, or at the one part that a wait is about.

    Args:
        clients: the way to AWS.
        environment: the env.
        open_ledger: makes the ledger from its table's name.
    """

    def __init__(self, clients: Clients, environment: Environment, open_ledger: t.Callable[[str], Ledger]) -> None:
        self._clients = clients
        self._environment = environment
        self._open_ledger = open_ledger
        self._ledger: Ledger | None = None
        self._followers: dict[str, stack_events.StackFollower] = {}
        self.edge_stack: EdgeStack | None = None
        self.news: list[StackEvent] = []
        """Events of stacks that were waited for, until somebody takes them."""

    @property
    def ledger(self) -> Ledger:
        """The env's ledger, known once the env was looked at."""
        assert self._ledger
        return self._ledger

    @property
    def stack(self) -> EdgeStack:
        """The edge's stack as it was last read."""
        assert self.edge_stack
        return self.edge_stack

    def everything(self) -> Observed:
        """The env as AWS shows it now: 3 stacks, listener, rules, groups, at most 2 looks at targets, the ledger.

        Raises:
            Refused: the env has no edge, or one that is not ready to be read.
            AwsError: a call failed.
        """
        stack = self._read_edge()
        self._ledger = self._ledger or self._open_ledger(stack.ledger)
        stacks = {
            colour: cloudformation.describe_stack(self._clients, self._environment.stack(colour)) for colour in Colour
        }
        names = [name for one in stacks.values() if one and (name := outputs_of(one).get("AutoScalingGroupName"))]
        groups = auto_scaling.describe_groups(self._clients, names)
        return Observed(
            edge=self._edge(),
            colours={colour: self._colour(colour, one, groups) if one else None for colour, one in stacks.items()},
            ledger=self._ledger.read(),
        )

    def again(self, seen: Observed, step: Await, turning_back: bool) -> Observed:
        """What was seen, with the part that a wait is about read again."""
        if step.part is Part.EDGE and turning_back:
            self._read_edge()
            return replace(seen, edge=self._edge())
        if step.part is Part.EDGE:
            status = self._follow(self.stack.stack_id) or seen.edge.status
            return replace(seen, edge=replace(seen.edge, phase=phase(status), status=status))
        if step.part is Part.STACK and step.colour:
            return self._stack_again(seen, step.colour)
        if step.part is Part.TARGETS and step.colour:
            return self._targets_again(seen, step.colour)
        return replace(self._targets_again(seen, *Colour), ledger=self.ledger.read())

    # ------------------------------------------------------------ the edge

    def _read_edge(self) -> EdgeStack:
        self.edge_stack = read_edge_stack(self._clients, self._environment)
        return self.edge_stack

    def _edge(self) -> Edge:
        stack = self.stack
        listener = load_balancing.describe_listener(self._clients, stack.listener)
        rules = load_balancing.describe_rules(self._clients, stack.listener)
        previews = {arn: found for arn, found in ((rule["RuleArn"], self._preview(rule)) for rule in rules) if found}
        now = phase(stack.status)
        return Edge(
            name=stack.name,
            phase=now,
            status=stack.status,
            address=stack.outputs["LoadBalancerDnsName"],
            port=listener["Port"],
            tls=listener["Protocol"] == "HTTPS",
            weights=self._weights(listener),
            swapped_at=stack.swapped_at,
            asked=stack.asked,
            preview=next(iter(previews.values()), None),
            foreign_rules=tuple(_told(rule) for rule in rules if rule["RuleArn"] not in previews),
            drain=stack.drain,
            stuck=self._stuck(stack) if now is StackPhase.STUCK else (),
        )

    def _stuck(self, stack: EdgeStack) -> tuple[str, ...]:
        return stack_events.stuck_resources(stack_events.operation_events(self._clients, stack.stack_id))

    def _weights(self, listener: ListenerTypeDef) -> dict[Colour, int]:
        by_group = load_balancing.weights(listener)
        return {colour: by_group.get(self.stack.target_group(colour), 0) for colour in Colour}

    def _preview(self, rule: RuleTypeDef) -> Preview | None:
        for condition in rule["Conditions"]:
            header = condition.get("HttpHeaderConfig", {})
            if header.get("HttpHeaderName", "").lower() == PREVIEW_HEADER.lower():
                groups = {
                    group["TargetGroupArn"]
                    for action in rule["Actions"]
                    for group in action.get("ForwardConfig", {}).get("TargetGroups", [])
                } | {action["TargetGroupArn"] for action in rule["Actions"] if "TargetGroupArn" in action}
                for colour in Colour:
                    if groups == {self.stack.target_group(colour)}:
                        return Preview(colour, header["Values"][0])
        return None

    # ------------------------------------------------------------ the colours

    def _stack_again(self, seen: Observed, colour: Colour) -> Observed:
        known = seen.colours[colour]
        if known is None:
            return self.everything()
        status = self._follow(known.stack_id) or known.status
        again = None if status == GONE else replace(known, phase=phase(status), status=status)
        return replace(seen, colours={**seen.colours, colour: again})

    def _follow(self, stack_id: str) -> str:
        """Keeps the events since the last look, and returns the stack's status as they show it."""
        follower = self._followers.setdefault(stack_id, stack_events.StackFollower(self._clients, stack_id))
        self.news += follower.news()
        return follower.status

    def _targets_again(self, seen: Observed, *colours: Colour) -> Observed:
        known = {colour: stack for colour in colours if (stack := seen.colours[colour]) and stack.group}
        groups = auto_scaling.describe_groups(self._clients, [stack.group for stack in known.values()])
        again = {colour: self._with_servers(stack, groups.get(stack.group)) for colour, stack in known.items()}
        return replace(seen, colours={**seen.colours, **again})

    def _colour(
        self, colour: Colour, stack: StackTypeDef, groups: Mapping[str, AutoScalingGroupTypeDef]
    ) -> ColourStack:
        tags = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}
        now = phase(stack["StackStatus"])
        group = outputs_of(stack).get("AutoScalingGroupName", "")
        broken = now is StackPhase.BROKEN
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
            group=group,
            failed_because=stack_events.cause_of(self._clients, stack["StackId"]) if broken else "",
        )
        return self._with_servers(seen, groups.get(group))

    def _with_servers(self, seen: ColourStack, group: AutoScalingGroupTypeDef | None) -> ColourStack:
        if group is None:
            return seen
        # The target group may still drain an earlier colour's servers: only this group's count.
        servers = {server["InstanceId"]: server["LifecycleState"] for server in group["Instances"]}
        targets = load_balancing.target_health(self._clients, self.stack.target_group(seen.colour))
        health = [one for one in targets if one["Target"]["Id"] in servers]
        healthy = [
            one
            for one in health
            if one["TargetHealth"]["State"] == "healthy" and servers[one["Target"]["Id"]] == "InService"
        ]
        ailing = [one for one in health if one["TargetHealth"]["State"] in ("unhealthy", "unavailable")]
        tags = {tag["Key"]: tag.get("Value", "") for tag in group.get("Tags", [])}
        original = tags.get(ORIGINAL_MINIMUM, "")
        suspended = {process.get("ProcessName") for process in group.get("SuspendedProcesses", [])}
        return replace(
            seen,
            desired=group["DesiredCapacity"],
            minimum=group["MinSize"],
            maximum=group["MaxSize"],
            healthy=len(healthy),
            ailing=len(ailing),
            unhealthy_because=_reason(ailing[0]) if ailing else "",
            unhealthy_server=ailing[0]["Target"]["Id"] if ailing else "",
            original_minimum=int(original) if original.isdigit() else None,
            replaces_unhealthy=REPLACING not in suspended,
        )


def _told(rule: RuleTypeDef) -> str:
    fields = ", ".join(condition.get("Field", "?") for condition in rule["Conditions"])
    return f"rule {rule['Priority']} ({fields})"


def _reason(target: TargetHealthDescriptionTypeDef) -> str:
    health = target["TargetHealth"]
    return (
        f"{target['Target']['Id']}: {health.get('Reason', 'unhealthy')}, {health.get('Description', 'no description')}"
    )
