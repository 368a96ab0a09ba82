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
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.listener import read_edge
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    Colour,
    ColourStack,
    Edge,
    Observed,
    StackPhase,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.naming import (
    ORIGINAL_MINIMUM,
    REPLACING,
    EdgeStack,
    outputs_of,
    phase,
    read_edge_stack,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import (
    Align,
    Await,
    CancelUpdate,
    ClosePreview,
    ContinueUpdate,
    CreateColour,
    DeleteColour,
    HoldMinimum,
    OpenPreview,
    Part,
    RestoreMinimum,
    ResumeReplacing,
    Shift,
    SuspendReplacing,
    TurnBack,
)

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_autoscaling.type_defs import AutoScalingGroupTypeDef, SuspendedProcessTypeDef
    from mypy_boto3_cloudformation.type_defs import StackTypeDef
    from mypy_boto3_elbv2.type_defs import TargetHealthDescriptionTypeDef

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients
    from ansible_collections.immutable.ec2.plugins.module_utils.aws.stack_events import StackEvent
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.ledger import Ledger
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.settings import Environment
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import Step

GONE: t.Final = "DELETE_COMPLETE"
OLD_SECONDS: t.Final = 5.0
"""Facts of this age are read again before traffic moves or a server goes."""

GROUP_OLD_SECONDS: t.Final = 30.0
"""A group that has all its servers is read again after so long: Auto Scaling may have replaced one of them."""


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
        self._groups: dict[str, AutoScalingGroupTypeDef] = {}
        self._groups_read_at: dict[str, float] = {}
        self._read_at: dict[Part, float] = {}
        self.edge_stack: EdgeStack | None = None
        self.news: list[StackEvent] = []
        """Events of stacks that were waited for, until somebody takes them."""

    @property
    def ledger(self) -> Ledger:
        """The env's ledger, known once the env was looked at."""
        return t.cast("Ledger", self._ledger)

    @property
    def stack(self) -> EdgeStack:
        """The edge's stack as it was last read."""
        return t.cast("EdgeStack", self.edge_stack)

    def everything(self) -> Observed:
        """The env as AWS shows it now: 3 stacks, the rules, groups, at most 2 looks at targets, the ledger.

        Raises:
            Refused: the env has no edge, or one that is not ready to be read.
            AwsError: a call failed.
        """
        stack = self._read_edge()
        self._ledger = self._ledger or self._open_ledger(stack.ledger)
        colours = self._colours(tuple(Colour))
        return Observed(edge=self._edge(), colours=colours, ledger=self._ledger.read())

    def again(self, seen: Observed, step: Await, turning_back: bool) -> Observed:
        """What was seen, with the part that a wait is about read again, in as few calls as can be."""
        if step.part is Part.EDGE and turning_back:
            return self.read(seen, Part.EDGE)
        if step.part is Part.EDGE:
            status = self._follow(self.stack.stack_id) or seen.edge.status
            if phase(status) is StackPhase.READY:
                return self.read(seen, Part.EDGE)
            return replace(seen, edge=replace(seen.edge, phase=phase(status), status=status))
        if step.part is Part.STACK and step.colour:
            return self._stack_again(seen, step.colour)
        if step.part is Part.TARGETS and step.colour:
            return self._targets_again(seen, step.colour)
        return self.read(seen, Part.TRAFFIC)

    def read(self, seen: Observed, part: Part, *colours: Colour) -> Observed:
        """What was seen, with one part read again as a whole.

        Args:
            part: the edge; the stacks of the colours; their groups and targets; or ledger and targets.
            colours: both unless given.
        """
        which = colours or tuple(Colour)
        if part is Part.EDGE:
            self._read_edge()
            return replace(seen, edge=self._edge())
        if part is Part.STACK:
            return replace(seen, colours={**seen.colours, **self._colours(which)})
        again = self._targets_again(seen, *which)
        return again if part is Part.TARGETS else replace(again, ledger=self.ledger.read())

    def after(self, seen: Observed, step: Step) -> Observed:
        """What was seen, with what a step that was just done changes."""
        match step:
            case CreateColour() | DeleteColour():
                return self.read(seen, Part.STACK, step.colour)
            case HoldMinimum() | RestoreMinimum():
                return self._group_again(seen, step.colour)
            case SuspendReplacing() | ResumeReplacing():
                return self._replacing(seen, step.colour, isinstance(step, ResumeReplacing))
            case OpenPreview() | ClosePreview() | Shift() | Align() | ContinueUpdate():
                asked = step.weights if isinstance(step, (Shift, Align)) else seen.edge.asked
                busy = replace(seen.edge, phase=StackPhase.BUSY, status="UPDATE_IN_PROGRESS", asked=asked)
                return replace(seen, edge=busy)
            case TurnBack() | CancelUpdate():
                return self.read(seen, Part.EDGE)
            case _:
                return self.read(seen, Part.TRAFFIC)

    def fresh(self, seen: Observed, *parts: Part) -> Observed:
        """What was seen, with those of the parts read again whose last look is some seconds old."""
        for part in parts:
            if clock.monotonic() - self._read_at.get(part, -OLD_SECONDS) >= OLD_SECONDS:
                seen = self.read(seen, part)
        return seen

    # ------------------------------------------------------------ the edge

    def _read_edge(self) -> EdgeStack:
        self.edge_stack = read_edge_stack(self._clients, self._environment)
        return self.edge_stack

    def _edge(self) -> Edge:
        self._looked_at(Part.EDGE)
        return read_edge(self._clients, self.stack)

    # ------------------------------------------------------------ the colours

    def _colours(self, which: t.Iterable[Colour]) -> dict[Colour, ColourStack | None]:
        stacks = {
            colour: cloudformation.describe_stack(self._clients, self._environment.stack(colour)) for colour in which
        }
        names = [name for one in stacks.values() if one and (name := outputs_of(one).get("AutoScalingGroupName"))]
        groups = self._read_groups(names)
        self._looked_at(Part.TARGETS)
        return {colour: self._colour(colour, one, groups) if one else None for colour, one in stacks.items()}

    def _looked_at(self, part: Part) -> None:
        self._read_at[part] = clock.monotonic()

    def _stack_again(self, seen: Observed, colour: Colour) -> Observed:
        known = seen.colours[colour]
        if known is None:
            return self.everything()
        status = self._follow(known.stack_id) or known.status
        if phase(status) not in (StackPhase.BUSY, StackPhase.DELETING) or status == GONE:
            return self.read(seen, Part.STACK, colour)
        again = replace(known, phase=phase(status), status=status)
        return replace(seen, colours={**seen.colours, colour: again})

    def _follow(self, stack_id: str) -> str:
        """Keeps the events since the last look, and returns the stack's status as they show it."""
        follower = self._followers.setdefault(stack_id, stack_events.StackFollower(self._clients, stack_id))
        self.news += follower.news()
        return follower.status

    def _targets_again(self, seen: Observed, *colours: Colour) -> Observed:
        """Groups and targets; of a colour whose group has all its servers in service only the targets."""
        known = {colour: stack for colour in colours if (stack := seen.colours[colour]) and stack.group}
        changing = [stack.group for colour, stack in known.items() if not self._complete(stack) or len(colours) > 1]
        groups = {**self._groups, **self._read_groups(changing)}
        again = {colour: self._with_servers(stack, groups.get(stack.group)) for colour, stack in known.items()}
        if len(colours) > 1:
            self._looked_at(Part.TARGETS)
        return replace(seen, colours={**seen.colours, **again})

    def _group_again(self, seen: Observed, colour: Colour) -> Observed:
        stack = seen.colours[colour]
        if stack is None:
            return seen
        groups = self._read_groups([stack.group])
        again = self._with_group(stack, groups[stack.group]) if stack.group in groups else stack
        return replace(seen, colours={**seen.colours, colour: again})

    def _replacing(self, seen: Observed, colour: Colour, on: bool) -> Observed:
        """What a call that Auto Scaling has answered changed, without another call."""
        stack = seen.colours[colour]
        if stack is None or stack.group not in self._groups:
            return seen
        suspended: list[SuspendedProcessTypeDef] = [] if on else [{"ProcessName": REPLACING}]
        again = self._with_group(stack, {**self._groups[stack.group], "SuspendedProcesses": suspended})
        return replace(seen, colours={**seen.colours, colour: again})

    def _read_groups(self, names: list[str]) -> dict[str, AutoScalingGroupTypeDef]:
        found = auto_scaling.describe_groups(self._clients, names)
        self._groups_read_at.update(dict.fromkeys(found, clock.monotonic()))
        return found

    def _complete(self, stack: ColourStack) -> bool:
        """Whether nothing is expected of its group: the last look, not long ago, saw all its servers in service."""
        if clock.monotonic() - self._groups_read_at.get(stack.group, -GROUP_OLD_SECONDS) >= GROUP_OLD_SECONDS:
            return False
        group = self._groups.get(stack.group)
        serving = [one for one in group["Instances"] if one["LifecycleState"] == "InService"] if group else []
        return group is not None and len(serving) == group["DesiredCapacity"] == stack.desired

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
        return replace(
            self._with_group(seen, group),
            healthy=len(healthy),
            ailing=len(ailing),
            unhealthy_because=_reason(ailing[0]) if ailing else "",
            unhealthy_server=ailing[0]["Target"]["Id"] if ailing else "",
        )

    def _with_group(self, seen: ColourStack, group: AutoScalingGroupTypeDef) -> ColourStack:
        self._groups[seen.group] = group
        tags = {tag["Key"]: tag.get("Value", "") for tag in group.get("Tags", [])}
        original = tags.get(ORIGINAL_MINIMUM, "")
        suspended = {process.get("ProcessName") for process in group.get("SuspendedProcesses", [])}
        return replace(
            seen,
            desired=group["DesiredCapacity"],
            minimum=group["MinSize"],
            maximum=group["MaxSize"],
            original_minimum=int(original) if original.isdigit() else None,
            replaces_unhealthy=REPLACING not in suspended,
        )


def _reason(target: TargetHealthDescriptionTypeDef) -> str:
    health = target["TargetHealth"]
    return (
        f"{target['Target']['Id']}: {health.get('Reason', 'unhealthy')}, {health.get('Description', 'no description')}"
    )
