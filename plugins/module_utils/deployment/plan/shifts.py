# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From share to share: each shift proven, watched, and judged before the next."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace
from datetime import timedelta

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.statistics import consistent_share
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    ALL_TRAFFIC,
    Colour,
    GateState,
    Observed,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan.shared import (
    PROOF_PATIENCE,
    healthy,
    hold,
    needed,
    settle,
    then,
    told,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import Await, Plan, Shift, Step
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import (
    GateRules,
    Strategy,
)

if t.TYPE_CHECKING:
    from datetime import datetime

NOTHING = timedelta(0)


@dataclass(frozen=True)
class Journey:
    """A colour's way to all traffic.

    Attributes:
        target: the colour.
        least: servers that all traffic needs.
        deadline: how long missing servers are waited for.
        done: the plan's end.
        why: the reason of its shifts.
        restores_both: whether the other colour's minimum is restored too; after a deployment it stays at its size.
        judged: whether gates have a say; a colour that comes back has passed them once.
    """

    target: Colour
    least: int
    strategy: Strategy
    gates: GateRules
    deadline: timedelta
    done: Plan
    why: str = "it is healthy"
    judged: bool = True
    restores_both: bool = False

    def shares(self, observed: Observed) -> tuple[int, ...]:
        """The shares that are still to come. Where nothing serves there is nothing to compare with: all at once."""
        if observed.edge.live is None and not observed.edge.split:
            return (ALL_TRAFFIC,)
        return tuple(share for share in self.strategy.steps if share > observed.edge.share(self.target))

    def shifts(self, observed: Observed) -> tuple[Step, ...]:
        """Every shift that is still to come with what lies between, as a forecast."""
        steps: list[Step] = []
        before = 0
        for share in self.shares(observed):
            if before and self.strategy.bake_time:
                steps.append(_watched(before, self.strategy.bake_time, self.strategy.bake_time))
            before = share
            if share == ALL_TRAFFIC and (approval := self._approval(observed)):
                steps.append(approval)
            steps.append(Shift(self.target, self.why, share))
        return tuple(steps)

    def _approval(self, observed: Observed) -> Await | None:
        begun = observed.ledger.deployment
        if not self.gates.approval or (begun and begun.approved_by):
            return None
        name = begun.id if begun else "<deployment id>"
        return Await("a person says go", f"deploy.yml -e approve={name}", self.gates.approval_deadline)


def go_on(observed: Observed, journey: Journey, now: datetime) -> Plan:
    """What comes next for a colour that has a share of the traffic."""
    share = observed.edge.share(journey.target)
    rest = journey.shifts(observed) if share < ALL_TRAFFIC else ()
    restore = tuple(Colour) if journey.restores_both else (journey.target,)
    end = settle(observed, restore, journey.target) if share == ALL_TRAFFIC else ()
    # Not only before the next shift: what the live colour was scaled out to while it is watched could shrink again.
    holds = hold(observed, journey.least) if share < ALL_TRAFFIC else ()
    if wait := _shown(observed, journey.target) or _baked(observed, journey, now):
        return then(journey.done, *holds, wait, *rest, *end)
    if share == ALL_TRAFFIC:
        return _proven(observed, then(journey.done, *end))
    if holds:
        return then(journey.done, *holds, *rest)
    stack, coming = observed.colours[journey.target], journey.shares(observed)[0]
    need = needed(journey.least, coming)
    if stack and stack.healthy < need:
        return then(journey.done, healthy(journey.target, need, stack, journey.deadline), *rest)
    return _proven(observed, then(journey.done, *rest))


def _proven(observed: Observed, plan: Plan) -> Plan:
    return replace(plan, proven=not observed.watch.unproven)


def shown(observed: Observed, target: Colour) -> bool:
    """Whether responses since the last shift show the listener's weights."""
    share, answers = observed.edge.share(target), observed.answers
    if not answers:
        return False
    new, old = (observed.colours[colour] for colour in (target, target.other))
    releases = {stack.release for stack, has in ((new, share > 0), (old, share < ALL_TRAFFIC)) if stack and has}
    if set(answers) != releases:
        return False
    total = sum(answers.values())
    return share == ALL_TRAFFIC or (new is not None and consistent_share(answers[new.release], total, share))


def _shown(observed: Observed, target: Colour) -> Await | None:
    watch = observed.watch
    if watch.proven_at:
        return None
    share = observed.edge.share(target)
    what = f"requests show {share} % on {target}"
    how = "the load balancer's counts stand in for requests" if watch.unproven else "responses name their release"
    return Await(what, how, PROOF_PATIENCE, seen=f"seen: {told(observed.answers or {})}")


def _baked(observed: Observed, journey: Journey, now: datetime) -> Await | None:
    """The bake time, and after it the gates that have not decided yet."""
    watch, share = observed.watch, observed.edge.share(journey.target)
    since = watch.proven_at or now
    left = since + journey.strategy.bake_time - now
    figures = "; ".join(f"{verdict.gate}: {verdict.words}" for verdict in watch.verdicts)
    if left > NOTHING:
        return _watched(share, journey.strategy.bake_time, left, figures)
    open_gates = [verdict for verdict in watch.verdicts if verdict.state is not GateState.PASSED]
    if open_gates and journey.judged:
        names = ", ".join(verdict.gate for verdict in open_gates)
        return Await(f"{names} can say", figures, journey.gates.approval_deadline)
    return None


def _watched(share: int, bake_time: timedelta, left: timedelta, figures: str = "") -> Await:
    what = f"{share} % was watched for {_short(bake_time)}"
    return Await(what, figures or "its bake time", left + timedelta(hours=1), left=left)


def _short(span: timedelta) -> str:
    total = round(span.total_seconds())
    for unit, seconds in (("h", 3600), ("m", 60)):
        if total >= seconds and total % seconds == 0:
            return f"{total // seconds}{unit}"
    return f"{total}s"
