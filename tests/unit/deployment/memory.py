# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An env in memory whose operations end well unless a test says otherwise, and a clock that only moves when asked.

The real observer, actor and ledger are tested against the lab; here they are as small as the engine's own logic needs.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace
from datetime import timedelta

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.forecast import forecast
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.errors import GuardFired
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.ledger import Held
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    Colour,
    Deployment,
    GateState,
    GuardOrder,
    Lease,
    LedgerSeen,
    Observed,
    Preview,
    Verdict,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import (
    Align,
    Await,
    ClosePreview,
    CreateColour,
    OpenPreview,
    Part,
    RestoreMinimum,
    ResumeReplacing,
    Shift,
    Step,
    SuspendReplacing,
    TurnBack,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import (
    Deployed,
    Wanted,
)
from tests.unit.deployment.worlds import NOW


class Time:
    """Sleeping is what makes it pass."""

    def __init__(self) -> None:
        self.now = NOW
        self.slept: list[float] = []

    def passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.passes(seconds)

    @property
    def seconds(self) -> float:
        return (self.now - NOW).total_seconds() + 1000


class Fence:
    orphaned = False

    def parent_is_gone(self) -> bool:
        return self.orphaned


@dataclass
class Stack:
    """What the engine and its herald ask of the edge's stack."""

    topic: str = ""
    stack_id: str = "edge"


class Ledger:
    """One controller's hand on it; `log` is shared with the env, so that the order of all writes can be seen."""

    def __init__(self, log: list[str], time: Time) -> None:
        self._log = log
        self._time = time
        self.holder = "ann@ci pid 1"
        self.fence = Fence()
        self.held: Held | None = None
        self.deployment: Deployment | None = None
        self.guard: GuardOrder | None = None
        self.overtaken = False
        self.guard_is_quicker = False
        self.expired = False
        self.unanswered = 0

    def read(self) -> LedgerSeen:
        return LedgerSeen(deployment=self.deployment, guard=self.guard)

    def wait_for(self, _what: str, deployment: Deployment | None, _patience: timedelta, _tell: object) -> Held:
        self._log.append("take the lock")
        if self.overtaken:
            self.overtaken, deployment = False, None
        self.deployment = self.deployment or deployment
        return self._hold()

    def due(self) -> bool:
        return self.expired

    def renew(self, baseline: int) -> Held:
        if self.unanswered:
            self.unanswered -= 1
            raise AwsError("renew the lock", "timed out")
        self._log.append(f"renew, baseline {baseline}")
        if self.deployment:
            self.deployment = replace(self.deployment, baseline=max(baseline, self.deployment.baseline))
        return self._hold()

    def turn_back(self, reason: str) -> Held:
        self._log.append(f"write down: {reason}")
        assert self.deployment
        self.deployment = replace(self.deployment, turned_back=self.deployment.turned_back or reason)
        return self._hold()

    def arm(self, order: GuardOrder) -> None:
        self._log.append(f"arm the guard with {', '.join(order.alarms)}")
        self._fire()
        self.guard = order

    def finish(self, result: str, _reason: str) -> None:
        if self.deployment and not self.deployment.turned_back:
            self._fire()
        self._log.append(f"finish: {result}")
        self.held = self.deployment = self.guard = None

    def release(self) -> None:
        if self.held:
            self._log.append("give the lock back")
        self.held = None

    def _fire(self) -> None:
        if self.guard_is_quicker and self.deployment:
            self.guard_is_quicker = False
            safe = {self.deployment.colour: 0, self.deployment.colour.other: 100}
            self.guard = GuardOrder(self.deployment.id, safe, ("shop-5xx",), False, NOW, "shop-5xx")
            raise GuardFired(self.guard)

    def _hold(self) -> Held:
        lease = Lease(self.holder, "deploys", self._time.now, self._time.now + timedelta(minutes=1), 1)
        self.held = Held(lease, self.deployment)
        return self.held


class Env:
    """Observer, actor and judge of one env in memory.

    Attributes:
        log: what was written, in order.
        useless: kinds of steps that change nothing.
        failing: kind of step → error.
        says: what the alarms' gate says, by the new colour's share.
        looks: number of looks.
    """

    def __init__(self, seen: Observed, wanted: Wanted, time: Time) -> None:
        self.seen = seen
        self.log: list[str] = []
        self.ledger = Ledger(self.log, time)
        self.ledger.deployment, self.ledger.guard = seen.ledger.deployment, seen.ledger.guard
        self.stack = Stack()
        self.news: list[object] = []
        self.told: list[str] = []
        self.useless: tuple[type, ...] = ()
        self.failing: dict[type, AwsError] = {}
        self.says: t.Callable[[int], GateState] = lambda _share: GateState.PASSED
        self.looks = 0
        self._wanted = wanted
        self._time = time

    # ------------------------------------------------------------ as an observer

    def everything(self) -> Observed:
        self.looks += 1
        return replace(self.seen, ledger=self.ledger.read())

    def again(self, seen: Observed, step: Await, _turning_back: bool) -> Observed:
        self.looks += 1
        return replace(self.seen, ledger=self.ledger.read() if step.part is Part.TRAFFIC else seen.ledger)

    def read(self, seen: Observed, part: Part, *_colours: Colour) -> Observed:
        return replace(self.seen, ledger=self.ledger.read() if part is Part.TRAFFIC else seen.ledger)

    def after(self, seen: Observed, _step: Step) -> Observed:
        return replace(self.seen, ledger=seen.ledger)

    def fresh(self, seen: Observed, *_parts: Part) -> Observed:
        return replace(self.seen, ledger=seen.ledger)

    # ------------------------------------------------------------ as an actor

    def create_colour(self, _edge: Stack, wanted: Deployed, step: CreateColour) -> str:
        self._wanted = wanted
        self.do(_edge, self.seen, step)
        made = self.seen.colours[step.colour]
        return made.stack_id if made else ""

    def do(self, _edge: Stack, _seen: Observed, step: Step) -> None:
        if error := self.failing.get(type(step)):
            raise error
        self.log.append(str(step))
        if isinstance(step, self.useless):
            return
        after = forecast(self.seen, (step,), self._wanted, self._time.now)
        edge, colours = after.edge, dict(after.colours)
        if isinstance(step, OpenPreview):
            edge = replace(edge, preview=Preview(step.colour, "c0ffee"))
        if isinstance(step, (ClosePreview, Align)) or (isinstance(step, Shift) and step.share == 100):
            edge = replace(edge, preview=None)
        if isinstance(step, TurnBack):
            edge = replace(edge, asked=self.seen.edge.asked, swapped_at=self.seen.edge.swapped_at)
        if isinstance(step, (SuspendReplacing, ResumeReplacing)) and (stack := colours[step.colour]):
            colours[step.colour] = replace(stack, replaces_unhealthy=isinstance(step, ResumeReplacing))
        if isinstance(step, RestoreMinimum) and (stack := colours[step.colour]):
            colours[step.colour] = replace(stack, original_minimum=None)
        self.seen = Observed(edge, colours)

    # ------------------------------------------------------------ as a judge

    def begin_anew(self) -> None:
        pass

    def verdicts(self, _edge: Stack, seen: Observed, target: Colour, _baked: bool) -> tuple[Verdict, ...]:
        state = self.says(seen.edge.share(target))
        return (Verdict("alarms", state, "shop-5xx", self._time.now),)

    def guard_alarms(self, _edge: Stack, _begun: Deployment) -> tuple[str, ...]:
        return ("shop-5xx",)

    def requests(self, _edge: Stack, _colour: Colour) -> int:
        return 0

    def counted(self, _edge: Stack, _target: Colour) -> bool:
        return True

    # ------------------------------------------------------------ as the load balancer

    def answers(self, *_asked: object, **_more: object) -> dict[str, int]:
        """What requests get: each release its share of twenty; with the preview's header the new one."""
        edge, headers = self.seen.edge, _asked[3] if len(_asked) > 3 else None
        if headers and edge.preview and (stack := self.seen.colours[edge.preview.colour]):
            return {stack.release: 3}
        return {
            stack.release: 20 * edge.share(colour) // 100
            for colour, stack in self.seen.colours.items()
            if stack and edge.share(colour)
        }
