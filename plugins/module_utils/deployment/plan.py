# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts and a wish in, the steps that are left out. Pure: it calls nothing and reads no clock."""

from __future__ import annotations

import typing as t
from dataclasses import replace
from datetime import timedelta

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    Await,
    Colour,
    ColourStack,
    CreateColour,
    DeleteColour,
    Deployed,
    Observed,
    Plan,
    Result,
    Retired,
    RolledBack,
    Scale,
    Shift,
    StackPhase,
    Step,
    Wanted,
    servers,
)

if t.TYPE_CHECKING:
    from datetime import datetime

# A load balancer's data plane follows its API late, by minutes when it is throttled (Argo Rollouts #4595: 120 s).
PROOF_PATIENCE = timedelta(minutes=5)


def plan(observed: Observed, wanted: Wanted, now: datetime, created: frozenset[str] = frozenset()) -> Plan:
    """What is left to do.

    Args:
        observed: the environment as it was just seen.
        wanted: what the user asked for.
        now: the time of the observation.
        created: ids of the stacks that this run made. One of them that fails ends the run; a failed one of an earlier
            run is removed and made again.

    Returns:
        The steps in order, the first of which can be done now, each with its reason; without steps, the end. The
        `result` is what the steps lead to if nothing else happens.
    """
    edge = observed.edge
    if edge.phase is StackPhase.BUSY:
        rest = _plan(observed, wanted, now, created)
        wait = Await(f"{edge.name} is settled", f"its status is {edge.status}")
        return replace(rest, steps=(wait, *rest.steps))
    if edge.phase is not StackPhase.READY:
        return Plan(
            Result.DIRTY, f"the stack {edge.name} is {edge.status}; repair it in CloudFormation, then run this again"
        )
    return _plan(observed, wanted, now, created)


def _plan(observed: Observed, wanted: Wanted, now: datetime, created: frozenset[str]) -> Plan:
    match wanted:
        case Deployed():
            return _deploy(observed, wanted, now, created)
        case RolledBack():
            return _roll_back(observed, wanted)
        case Retired():
            return _retire(observed, wanted, now)


# ---------------------------------------------------------------- deployed


def _deploy(observed: Observed, wanted: Deployed, now: datetime, created: frozenset[str]) -> Plan:
    live = observed.edge.live
    if observed.edge.split:
        return _join(observed, wanted)
    target = _target(observed, wanted)
    stack = observed.colours[target]
    done = Plan(Result.DEPLOYED, f"{wanted.release.name} serves all traffic from {target}")
    if target is live:
        return _proof(observed, target, replace(done, result=Result.NOTHING_TO_DO))

    live_desired = _desired(observed, live)
    desired = wanted.capacity.clamp(live_desired)
    shift = Shift(target, f"{wanted.release.name} is healthy")
    finish = (_healthy(target, desired), shift)
    if stack is None:
        reason = f"{live} serves with {servers(live_desired)}" if live else "nothing serves yet"
        return _then(done, CreateColour(target, desired, reason), *finish)
    status = f"its status is {stack.status}"
    if stack.phase is StackPhase.DELETING:
        gone = Await(f"{target} is deleted", status)
        return _then(done, gone, CreateColour(target, desired, "the place is free then"), *finish)
    if why := _unusable(stack, wanted, now, created):
        gone = Await(f"{target} is deleted", "its servers drain")
        return _then(done, DeleteColour(target, why), gone, CreateColour(target, desired, "in its place"), *finish)
    if stack.phase is StackPhase.BROKEN:
        return Plan(Result.ABORTED, f"the stack {stack.name} is {stack.status}: {stack.failed_because}")
    if stack.phase is StackPhase.BUSY:
        return _then(done, Await(f"{target} is made", status), *finish)
    if scale := _scale(stack, desired, live):
        return _then(done, scale, _healthy(target, scale.desired), shift)
    if stack.healthy < stack.desired and _overdue(stack, wanted.deadline, now):
        return Plan(Result.ABORTED, _never_healthy(stack, wanted.deadline))
    if stack.healthy < stack.desired:
        return _then(done, _healthy(target, stack.desired, stack), shift)
    return _then(done, shift)


def _target(observed: Observed, wanted: Deployed) -> Colour:
    """Where the release is to be: where it is already, else in the idle colour's place."""
    live = observed.edge.live
    for colour, stack in observed.colours.items():
        if stack and stack.identity == wanted.identity and (colour is live or live is None):
            return colour
    return live.other if live else Colour.BLUE


def _unusable(stack: ColourStack, wanted: Deployed, now: datetime, created: frozenset[str]) -> str:
    """Why an idle colour must make room for a new one; empty where it need not."""
    if stack.stack_id in created:
        return ""
    if stack.phase is StackPhase.BUSY:
        return ""  # CloudFormation deletes a busy stack as well, but what is under way may be our own release
    if stack.identity != wanted.identity:
        return f"it holds {stack.release}, which serves nothing"
    if stack.phase is not StackPhase.READY:
        return f"an earlier attempt left it {stack.status}"
    if stack.healthy < stack.desired and _overdue(stack, wanted.deadline, now):
        return "an earlier attempt left it without enough healthy servers"
    return ""


def _join(observed: Observed, wanted: Deployed) -> Plan:
    """Both colours have traffic, by hand or by another tool: only one of their two releases can end that."""
    for colour, stack in observed.colours.items():
        if stack and stack.identity == wanted.identity and stack.phase is StackPhase.READY:
            if stack.healthy < max(stack.desired, _desired(observed, colour.other)):
                break
            done = Plan(Result.DEPLOYED, f"{stack.release} serves all traffic from {colour}")
            return _then(done, Shift(colour, "traffic was split, and this colour can serve all of it"))
    split = ", ".join(f"{colour} {weight}" for colour, weight in observed.edge.weights.items())
    return Plan(
        Result.DIRTY,
        f"traffic is split ({split}) and {wanted.release.name} can't serve all of it; "
        "deploy one of the two releases that have traffic, or set the listener's weights by hand",
    )


# ---------------------------------------------------------------- rolled back


def _roll_back(observed: Observed, wanted: RolledBack) -> Plan:
    live = observed.edge.live
    serving = observed.colours[live] if live else None
    if live is None or serving is None:
        return Plan(Result.ABORTED, f"{_none_live(observed)}, so there is nothing to roll back")
    idle = observed.colours[live.other]
    if idle is None or idle.phase is not StackPhase.READY:
        state = f"is {idle.status}" if idle else "is gone"
        return Plan(
            Result.ABORTED,
            f"{live.other} {state}, so there is no colour to turn back to; "
            "deploy the release that you want by its name: deploy.yml -e image=<release>",
        )
    # Colours are made for a deployment and never updated: the older one is the one from before the deployment.
    if (idle.created_at, idle.colour) > (serving.created_at, serving.colour):
        reason = f"{serving.release} serves from {live} again already; {idle.release} was rolled back before"
        return _proof(observed, live, Plan(Result.NOTHING_TO_DO, reason))
    done = Plan(Result.ROLLED_BACK, f"{idle.release} serves all traffic from {idle.colour} again")
    shift = Shift(idle.colour, f"{serving.release} is rolled back")
    if scale := _scale(idle, serving.desired, live):
        return _then(done, scale, _healthy(idle.colour, scale.desired), shift)
    if idle.healthy < idle.desired:
        wait = _healthy(idle.colour, idle.desired, idle)
        return _then(done, replace(wait, patience=wanted.deadline), shift)
    return _then(done, shift)


# ---------------------------------------------------------------- retired


def _retire(observed: Observed, wanted: Retired, now: datetime) -> Plan:
    edge, live = observed.edge, observed.edge.live
    if live is None:
        return Plan(Result.NOTHING_TO_DO, f"{_none_live(observed)}, so no colour is idle")
    idle = observed.colours[live.other]
    if idle is None:
        return Plan(Result.NOTHING_TO_DO, f"{live.other} is gone already")
    done = Plan(Result.RETIRED, f"{idle.colour} with {idle.release} is gone")
    if idle.phase is StackPhase.DELETING:
        return _then(done, Await(f"{idle.colour} is deleted", f"its status is {idle.status}"))
    if idle.phase is StackPhase.BUSY:
        return Plan(Result.ABORTED, f"{idle.name} is {idle.status}: a deployment is under way; let it end first")
    left = edge.swapped_at + wanted.window - now if edge.swapped_at else timedelta(0)
    if left > timedelta(0) and not wanted.immediate:
        stays = f"{idle.colour} with {idle.release} stays warm for another {_seconds(left)}"
        return Plan(Result.NOTHING_TO_DO, f"{stays}; to retire it now: retire.yml -e immediate=true")
    serving = observed.colours[live]
    if serving is None or serving.healthy == 0:
        return Plan(Result.ABORTED, f"{live} has no healthy server, so {idle.colour} stays: it may be needed")
    gone = Await(f"{idle.colour} is deleted", "its servers drain")
    delete = DeleteColour(idle.colour, "asked for at once" if wanted.immediate else "its rollback window has passed")
    if observed.answers and idle.release != serving.release and idle.release in observed.answers:
        quiet = Await(f"{idle.colour} answers no more requests", f"{idle.release} still answered one", PROOF_PATIENCE)
        return _then(done, quiet, delete, gone)
    return _then(done, delete, gone)


# ---------------------------------------------------------------- shared


def _then(done: Plan, *steps: Step) -> Plan:
    return replace(done, steps=steps)


def _proof(observed: Observed, colour: Colour, done: Plan) -> Plan:
    """The end, once requests through the load balancer show it; without a way to ask, the end, unproven."""
    stack = observed.colours[colour]
    if observed.answers is None:
        return replace(done, proven=False)
    if stack and set(observed.answers) == {stack.release}:
        return done
    seen = ", ".join(f"{count} × {release or 'no release'}" for release, count in sorted(observed.answers.items()))
    names = f"every response names {stack.release if stack else 'the release'}"
    return _then(done, Await(names, f"seen: {seen}", PROOF_PATIENCE))


def _healthy(colour: Colour, wanted: int, stack: ColourStack | None = None) -> Await:
    reason = f"{stack.healthy} of {wanted} healthy" if stack else "no traffic before that"
    if stack and stack.unhealthy_because:
        reason += f"; {stack.unhealthy_because}"
    return Await(f"{servers(wanted)} of {colour} {'is' if wanted == 1 else 'are'} healthy", reason)


def _scale(stack: ColourStack, wanted: int, live: Colour | None) -> Scale | None:
    """Serving capacity never falls below what the live colour wants (as far as the group's maximum lets it grow)."""
    desired = min(wanted, stack.maximum)
    return Scale(stack.colour, desired, f"{live} wants {servers(wanted)} by now") if stack.desired < desired else None


def _none_live(observed: Observed) -> str:
    return "traffic is split between the colours" if observed.edge.split else "nothing is deployed"


def _desired(observed: Observed, colour: Colour | None) -> int:
    stack = observed.colours[colour] if colour else None
    return stack.desired if stack else 0


def _overdue(stack: ColourStack, deadline: timedelta, now: datetime) -> bool:
    return now - stack.created_at > deadline


def _never_healthy(stack: ColourStack, deadline: timedelta) -> str:
    why = f" ({stack.unhealthy_because})" if stack.unhealthy_because else ""
    count = f"{stack.healthy} of {servers(stack.desired)} of {stack.colour}"
    return (
        f"{count} healthy after {_seconds(deadline)}{why}; "
        f"no traffic was shifted, and {stack.colour} stays so that you can look at its servers"
    )


def _seconds(span: timedelta) -> str:
    total = round(span.total_seconds())
    return f"{total // 60} min {total % 60} s" if total >= 120 else f"{total} s"
