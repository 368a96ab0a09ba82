# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The colour from before the last deployment is to serve everything again."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    Colour,
    Observed,
    StackPhase,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan import turn_back
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan.shared import (
    healthy,
    hold,
    none_live,
    proof,
    then,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan.shifts import Journey, go_on
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import Plan, Result
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import (
    GateRules,
    RolledBack,
)

if t.TYPE_CHECKING:
    from datetime import datetime


def roll_back(observed: Observed, wanted: RolledBack, now: datetime) -> Plan:
    begun, live = observed.ledger.deployment, observed.edge.live
    if begun and begun.kind != "rollback":
        return turn_back.turn_back(observed, begun.colour, begun.turned_back or f"{wanted.by} asked for it")
    if begun:
        return _go(observed, wanted, begun.colour, now)
    serving = observed.colours[live] if live else None
    if live is None or serving is None:
        return Plan(Result.ABORTED, f"{none_live(observed)}, so there is nothing to roll back")
    idle = observed.colours[live.other]
    if idle is None or idle.phase is not StackPhase.READY:
        state = f"is {idle.status}" if idle else "is gone"
        return Plan(
            Result.ABORTED,
            f"{live.other} {state}, so there is no colour to turn back to; "
            "deploy the release that you want by its name: deploy.yml -e image=<release>",
        )
    # Colours are made for a deployment and never updated: the older one is the one from before the deployment.
    # But where the serving release was deployed anew, since its colour had been retired, the older one is the one left.
    if idle.release == wanted.left or (idle.created_at, idle.colour) > (serving.created_at, serving.colour):
        reason = f"{serving.release} serves from {live} again already; {idle.release} was rolled back before"
        return proof(observed, live, Plan(Result.NOTHING_TO_DO, reason))
    return _go(observed, wanted, idle.colour, now)


def _go(observed: Observed, wanted: RolledBack, target: Colour, now: datetime) -> Plan:
    begun, stack, serving = observed.ledger.deployment, observed.colours[target], observed.colours[target.other]
    if begun and (begun.turned_back or begun.abort_by):
        return _given_up(observed, target, begun.turned_back or f"{begun.abort_by} asked for its end")
    if stack is None or stack.phase is not StackPhase.READY:
        reason = f"{target} is {stack.status if stack else 'gone'}, so there is no colour to turn back to"
        return _given_up(observed, target, reason) if begun else Plan(Result.ABORTED, reason)
    release = serving.release if serving else "the other release"
    done = Plan(Result.ROLLED_BACK, f"{stack.release} serves all traffic from {target} again")
    least = max(begun.baseline if begun else 0, serving.desired if serving and observed.edge.share(target) == 0 else 0)
    why = f"{release} is rolled back"
    journey = Journey(
        target, least, wanted.strategy, GateRules(), wanted.deadline, done, why, judged=False, restores_both=True
    )
    if observed.edge.share(target) > 0:
        return go_on(observed, journey, now)
    shifts = journey.shifts(observed)
    if holds := hold(observed, least):
        return then(done, *holds, healthy(target, min(least, stack.maximum)), *shifts)
    if stack.healthy < stack.desired:
        return then(done, healthy(target, stack.desired, stack, wanted.deadline), *shifts)
    return then(done, *shifts)


def _given_up(observed: Observed, target: Colour, reason: str) -> Plan:
    """The rollback itself goes back: what served before it serves again, which is not what was wanted."""
    end = turn_back.turn_back(observed, target, reason)
    return end if end.result is Result.DIRTY else replace(end, result=Result.ABORTED)
