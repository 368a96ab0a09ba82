# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What several plans need to know of a world."""

from __future__ import annotations

import math
import typing as t
from dataclasses import replace
from datetime import timedelta

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    ALL_TRAFFIC,
    Colour,
    ColourStack,
    Observed,
    servers,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import (
    Await,
    HoldMinimum,
    Part,
    Plan,
    RestoreMinimum,
    Result,
    ResumeReplacing,
    Step,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import Capacity

if t.TYPE_CHECKING:
    from datetime import datetime

    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import Deployment


def then(done: Plan, *steps: Step) -> Plan:
    return replace(done, steps=steps)


def desired(observed: Observed, colour: Colour | None) -> int:
    stack = observed.colours[colour] if colour else None
    return stack.desired if stack else 0


def baseline(observed: Observed, target: Colour, capacity: Capacity | None = None) -> int:
    """The highest number of servers that the colour which serves wanted since the deployment began.

    While the target has traffic it is asked for as well: what it was scaled out to is needed.
    """
    begun = observed.ledger.deployment
    seen = max(begun.baseline if begun else 0, desired(observed, target.other) if serves(observed, target.other) else 0)
    return capacity.clamp(seen) if capacity else seen


def serves(observed: Observed, colour: Colour) -> bool:
    return observed.edge.weights.get(colour, 0) > 0


def needed(least: int, share: int) -> int:
    """Servers that a colour needs for a share of the traffic (percent) that takes `least` servers in all."""
    return math.ceil(least * share / ALL_TRAFFIC)


def hold(observed: Observed, least: int) -> tuple[Step, ...]:
    """Raises the minimum of both colours: traffic that leaves one would let it shrink, and so does waiting without."""
    holds: list[Step] = []
    for colour, stack in observed.colours.items():
        if stack is None or not stack.maximum:
            continue
        minimum = min(least, stack.maximum)
        if stack.minimum < minimum or stack.desired < minimum:
            holds.append(HoldMinimum(colour, minimum, f"{servers(least)} serve now"))
    return tuple(holds)


def settle(observed: Observed, restore: t.Iterable[Colour], resume: Colour | None = None) -> tuple[Step, ...]:
    """Undoes at the end what a deployment held: minimums, and the evidence of a colour that serves for good."""
    steps: list[Step] = []
    serving = observed.colours[resume] if resume else None
    if serving and not serving.replaces_unhealthy:
        steps.append(ResumeReplacing(serving.colour, "it serves for good"))
    for colour in restore:
        stack = observed.colours[colour]
        if stack and stack.original_minimum is not None:
            steps.append(RestoreMinimum(colour, stack.original_minimum, "the deployment is over"))
    return tuple(steps)


def healthy(colour: Colour, wanted: int, stack: ColourStack | None = None, patience: timedelta | None = None) -> Await:
    reason = f"{stack.healthy} of {wanted} healthy" if stack else "no traffic before that"
    if stack and stack.unhealthy_because:
        reason += f"; {stack.unhealthy_because}"
    what = f"{servers(wanted)} of {colour} {'is' if wanted == 1 else 'are'} healthy"
    return Await(what, reason, patience or timedelta(hours=1), Part.TARGETS, colour)


def proof(observed: Observed, colour: Colour, done: Plan) -> Plan:
    """The end, once requests through the load balancer show it; without a way to ask, the end, unproven."""
    stack = observed.colours[colour]
    if observed.answers is None:
        return replace(done, proven=False)
    if stack and set(observed.answers) == {stack.release}:
        return done
    names = f"every response names {stack.release if stack else 'the release'}"
    return then(done, Await(names, "not all do", PROOF_PATIENCE, seen=f"seen: {told(observed.answers)}"))


# A load balancer's data plane follows its API late, by minutes when it is throttled (Argo Rollouts #4595: 120 s).
PROOF_PATIENCE = timedelta(minutes=5)


def still_busy(observed: Observed, idle: ColourStack, now: datetime) -> Await | None:
    """Why an idle colour can't go yet: it may be at requests from before the swap, or it still gets some."""
    edge, live = observed.edge, observed.colours[idle.colour.other]
    if edge.swapped_at is None or edge.swapped_at < idle.created_at:
        return None  # it has had no traffic
    left = edge.swapped_at + edge.drain - now
    if left > timedelta(0):
        return Await(f"{idle.colour} has finished its requests", "it may be at some still", left=left)
    quiet = f"{idle.colour} answers no more requests"
    if observed.answers and live and idle.release != live.release and idle.release in observed.answers:
        return Await(quiet, f"{idle.release} still answered one", PROOF_PATIENCE)
    if observed.idle_requests:
        counted = f"the load balancer counted {observed.idle_requests} in the last minutes"
        return Await(quiet, counted, PROOF_PATIENCE)
    return None


def told(answers: t.Mapping[str, int]) -> str:
    return ", ".join(f"{count} × {release or 'no release'}" for release, count in sorted(answers.items())) or "nothing"


def none_live(observed: Observed) -> str:
    return "traffic is split between the colours" if observed.edge.split else "nothing is deployed"


def seconds(span: timedelta) -> str:
    total = round(span.total_seconds())
    return f"{total // 60} min {total % 60} s" if total >= 120 else f"{total} s"


def overdue(stack: ColourStack, deadline: timedelta, now: datetime) -> bool:
    return now - stack.created_at > deadline


def unfinished(begun: Deployment, verb: str) -> Plan:
    """The refusal of a wish while something else is under way."""
    what = "rollback" if begun.kind == "rollback" else "deployment"
    again = "rollback.yml" if begun.kind == "rollback" else f"deploy.yml -e image={begun.release}"
    return Plan(
        Result.ABORTED,
        f"{verb} has to wait: the {what} of {begun.release} ({begun.id}, begun by {begun.by} at "
        f"{begun.started_at:%Y-%m-%d %H:%M:%S} UTC) has not ended; finish it ({again}) or end it (abort.yml)",
    )
