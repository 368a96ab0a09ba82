# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release is to serve everything: made, judged, given traffic in steps, proven."""

from __future__ import annotations

import typing as t
from dataclasses import replace
from datetime import timedelta

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    Colour,
    ColourStack,
    Observed,
    StackPhase,
    servers,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan import turn_back
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan.shared import (
    baseline,
    desired,
    healthy,
    hold,
    overdue,
    proof,
    seconds,
    settle,
    still_busy,
    then,
    told,
    unfinished,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan.shifts import Journey, go_on
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import (
    Await,
    ClosePreview,
    CreateColour,
    DeleteColour,
    OpenPreview,
    Part,
    Plan,
    Result,
    RunCommand,
    Shift,
    Step,
    SuspendReplacing,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import (
    Deployed,
    same_but_configuration,
)

if t.TYPE_CHECKING:
    from datetime import datetime


def deploy(observed: Observed, wanted: Deployed, now: datetime, created: frozenset[str]) -> Plan:
    begun, live = observed.ledger.deployment, observed.edge.live
    if begun and (not same_but_configuration(begun.identity, wanted.identity) or begun.kind == "rollback"):
        return unfinished(begun, wanted.release.name)
    target = place(observed, wanted)
    end = Result.ROLLED_BACK if wanted.rolls_back else Result.DEPLOYED
    done = Plan(end, f"{wanted.release.name} serves all traffic from {target}")
    if target is live and not begun:
        return _nothing(observed, target, done)
    if refusal := _drift(observed, wanted):
        return refusal
    least = baseline(observed, target, wanted.capacity)
    journey = Journey(target, least, wanted.strategy, wanted.gates, wanted.deadline, done)
    if reason := turn_back.why(observed, target, least):
        return turn_back.turn_back(observed, target, reason)
    if observed.edge.share(target) > 0:
        return _serving(observed, wanted, journey, now)
    if observed.edge.split:
        return _split(observed, wanted)
    return _prepare(observed, wanted, journey, now, created)


def place(observed: Observed, wanted: Deployed) -> Colour:
    """Where the release is to be: where it is already, else in the idle colour's place."""
    begun, live = observed.ledger.deployment, observed.edge.live
    if begun and same_but_configuration(begun.identity, wanted.identity):
        return begun.colour
    for colour, stack in observed.colours.items():
        if stack and wanted.is_it(stack.identity) and (colour is live or live is None):
            return colour
    return live.other if live else Colour.BLUE


def makes_colour(observed: Observed, wanted: Deployed) -> bool:
    """Whether a new deployment is to begin, in a place without traffic."""
    return observed.ledger.deployment is None and observed.edge.share(place(observed, wanted)) == 0


# ---------------------------------------------------------------- with traffic


def _nothing(observed: Observed, target: Colour, done: Plan) -> Plan:
    """It serves everything already; what an earlier run or a lost ledger left over is put right."""
    left: list[Step] = list(settle(observed, (target,), target))
    if observed.edge.preview:
        left.insert(0, ClosePreview("nothing is under way"))
    if left:
        return then(done, *left)
    return proof(observed, target, replace(done, result=Result.NOTHING_TO_DO))


def _drift(observed: Observed, wanted: Deployed) -> Plan | None:
    """Weights or rules that somebody set by hand; what a run of ours left half done is no drift."""
    edge = observed.edge
    if wanted.accept_drift or edge.phase is not StackPhase.READY or observed.ledger.deployment:
        return None  # what is under way must come to an end, whatever somebody did meanwhile
    found = list(edge.foreign_rules)
    if edge.drifted and not observed.watch.shifted:
        listener, stack = (
            ", ".join(f"{colour} {weights.get(colour, 0)}" for colour in Colour)
            for weights in (edge.weights, edge.asked)
        )
        found.append(f"the listener has {listener}, its stack says {stack}")
    if not found:
        return None
    return Plan(
        Result.ABORTED,
        f"{edge.name} was changed by hand ({'; '.join(found)}); undo that, or run again with accept_drift: true",
    )


def _serving(observed: Observed, wanted: Deployed, journey: Journey, now: datetime) -> Plan:
    stack = observed.colours[journey.target]
    usable = stack and stack.phase is StackPhase.READY and wanted.is_it(stack.identity)
    if not usable:
        return _split(observed, wanted)
    return go_on(observed, journey, now)


def _split(observed: Observed, wanted: Deployed) -> Plan:
    """Both colours have traffic, by hand or by another tool: only one of their two releases can end that."""
    for colour, stack in observed.colours.items():
        if stack and wanted.is_it(stack.identity) and stack.phase is StackPhase.READY:
            if stack.healthy < max(stack.desired, desired(observed, colour.other)):
                break
            done = Plan(Result.DEPLOYED, f"{stack.release} serves all traffic from {colour}")
            return then(done, Shift(colour, "traffic was split, and this colour can serve all of it"))
    split = ", ".join(f"{colour} {weight}" for colour, weight in observed.edge.weights.items())
    return Plan(
        Result.DIRTY,
        f"traffic is split ({split}) and {wanted.release.name} can't serve all of it; "
        "deploy one of the two releases that have traffic, or set the listener's weights by hand",
    )


# ---------------------------------------------------------------- before any traffic


def _prepare(observed: Observed, wanted: Deployed, journey: Journey, now: datetime, created: frozenset[str]) -> Plan:
    target, live, done = journey.target, observed.edge.live, journey.done
    stack = observed.colours[target]
    count = wanted.capacity.clamp(journey.least)
    rest = _before_traffic(observed, wanted, target, live)
    shifts = journey.shifts(observed)
    keep = SuspendReplacing(target, EVIDENCE)
    finish = (keep, healthy(target, count), *rest, *shifts)
    if stack is None:
        reason = f"{live} serves with {servers(desired(observed, live))}" if live else "nothing serves yet"
        return then(done, *_hold_live(observed, live, count), CreateColour(target, count, reason), *finish)
    status = f"its status is {stack.status}"
    if stack.phase is StackPhase.DELETING:
        gone = Await(f"{target} is deleted", status, part=Part.STACK, colour=target)
        return then(done, gone, CreateColour(target, count, "the place is free then"), *finish)
    if why := _unusable(observed, stack, wanted, now, created):
        gone = Await(f"{target} is deleted", "its servers drain", part=Part.STACK, colour=target)
        busy = still_busy(observed, stack, now)
        first = (busy,) if busy else ()
        again = CreateColour(target, count, "in its place")
        return then(done, *first, DeleteColour(target, why), gone, again, *finish)
    if stack.phase is StackPhase.BROKEN:
        return _failed(observed, target, f"the stack {stack.name} is {stack.status}: {stack.failed_because}")
    if stack.phase is StackPhase.BUSY:
        return then(done, Await(f"{target} is made", status, part=Part.STACK, colour=target), *finish)
    if live and (holds := hold(observed, journey.least)):
        return then(done, *holds, healthy(target, count), *rest, *shifts)
    if stack.replaces_unhealthy:
        return then(done, keep, healthy(target, stack.desired, stack, wanted.deadline), *rest, *shifts)
    if _never_came(observed, stack, wanted, now):
        return _failed(observed, target, _never_healthy(stack, wanted))
    if stack.healthy < stack.desired:
        return then(done, healthy(target, stack.desired, stack, wanted.deadline), *rest, *shifts)
    return then(done, *rest, *shifts)


EVIDENCE = "it never served, and its servers are the evidence if it fails"


def _hold_live(observed: Observed, live: Colour | None, count: int) -> tuple[Step, ...]:
    return tuple(step for step in hold(observed, count)) if live else ()


def _before_traffic(observed: Observed, wanted: Deployed, target: Colour, live: Colour | None) -> tuple[Step, ...]:
    """The preview, and what is asked for through it; a first deployment is tried as well."""
    watch, edge = observed.watch, observed.edge
    steps: list[Step] = []
    opened = edge.preview is not None and edge.preview.colour is target
    if not opened:
        steps.append(OpenPreview(target, "it can be tried before it has traffic"))
    if not (opened and watch.preview_shown):
        seen = f"seen: {told(observed.answers)}" if opened and observed.answers else ""
        steps.append(Await(f"the preview of {target} answers", "with its header only", PREVIEW_PATIENCE, seen=seen))
    if wanted.gates.command and not (opened and watch.command):
        steps.append(RunCommand(wanted.gates.command, "it must pass before any traffic"))
    return tuple(steps)


PREVIEW_PATIENCE = timedelta(minutes=5)


def _never_came(observed: Observed, stack: ColourStack, wanted: Deployed, now: datetime) -> bool:
    """Whether its servers had their time and aren't healthy. With a preview they were: those it grows by are waited
    for."""
    preview = observed.edge.preview
    opened = preview is not None and preview.colour is stack.colour
    return stack.healthy < stack.desired and overdue(stack, wanted.deadline, now) and not opened


CLOCKS_DIFFER = timedelta(seconds=5)
"""The deployment began by the controller's clock, the stack by AWS's."""


def _unusable(observed: Observed, stack: ColourStack, wanted: Deployed, now: datetime, created: frozenset[str]) -> str:
    """Why an idle colour must make room for a new one; empty where it need not."""
    if stack.stack_id in created:
        return ""
    if stack.phase is StackPhase.BUSY:
        return ""  # CloudFormation deletes a busy stack as well, but what is under way may be our own release
    if not wanted.is_it(stack.identity):
        return f"it holds {_what(stack, wanted)}, which serves nothing"
    if stack.phase is not StackPhase.READY:
        return f"an earlier attempt left it {stack.status}"
    if _never_came(observed, stack, wanted, now):
        return "an earlier attempt left it without enough healthy servers"
    begun = observed.ledger.deployment
    from_before = begun is None or stack.created_at < begun.started_at - CLOCKS_DIFFER
    if from_before and stack.ailing and not stack.replaces_unhealthy:
        return "an earlier attempt left it with unhealthy servers, which nobody replaces"
    return ""


def _what(stack: ColourStack, wanted: Deployed) -> str:
    older = same_but_configuration(stack.identity, wanted.identity)
    return f"{stack.release} with an older configuration" if older else stack.release


def _failed(observed: Observed, target: Colour, reason: str) -> Plan:
    """The new colour can't serve: nothing had traffic, and nothing gets any."""
    close: tuple[Step, ...] = (ClosePreview("the deployment has ended"),) if observed.edge.preview else ()
    end = Plan(Result.ABORTED, reason, turns_back=reason)
    return then(end, *close, *settle(observed, Colour))


def _never_healthy(stack: ColourStack, wanted: Deployed) -> str:
    why = f" ({stack.unhealthy_because})" if stack.unhealthy_because else ""
    count = f"{stack.healthy} of {servers(stack.desired)} of {stack.colour}"
    return f"{count} healthy after {seconds(wanted.deadline)}{why}; no traffic was shifted"
