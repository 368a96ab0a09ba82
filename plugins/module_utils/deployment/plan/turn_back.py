# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When traffic goes back to where it was, and how."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    ALL_TRAFFIC,
    Colour,
    GateState,
    Observed,
    StackPhase,
    servers,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan.shared import needed, settle
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import (
    Align,
    Await,
    CancelUpdate,
    ClosePreview,
    Part,
    Plan,
    Result,
    Step,
    TurnBack,
)

# Only an update that still goes forward can be cancelled.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CancelUpdateStack.html
CANCELLABLE = "UPDATE_IN_PROGRESS"


def goes_first(rest: Plan) -> bool:
    """Whether a plan begins with what must not wait for a busy edge."""
    return bool(rest.steps) and isinstance(rest.steps[0], (TurnBack, CancelUpdate))


def why(observed: Observed, target: Colour, least: int) -> str:
    """Why the deployment to `target` must turn back; empty where it may go on.

    Args:
        least: servers that all traffic needs.
    """
    begun, guard, watch = observed.ledger.deployment, observed.ledger.guard, observed.watch
    if begun and begun.turned_back:
        return begun.turned_back
    if begun and begun.abort_by:
        return f"{begun.abort_by} asked for its end"
    if begun and guard and guard.fired_at and guard.deployment == begun.id:
        return f"the guard turned traffic back at {guard.fired_at:%H:%M:%S} UTC: {guard.fired_by} is in alarm"
    if begun and guard and guard.armed and guard.deployment == begun.id and _was_turned(observed, target):
        return "an earlier run began to turn traffic back"
    for verdict in (*watch.verdicts, *((watch.command,) if watch.command else ())):
        if verdict.state is GateState.FAILED:
            return f"gate {verdict.gate} failed: {verdict.words}"
    return _ailing(observed, target, least)


def _was_turned(observed: Observed, target: Colour) -> bool:
    """The listener is at its safe weights while its stack asks for something else, and this run did not do that."""
    edge = observed.edge
    settled = edge.phase is StackPhase.READY and not observed.watch.shifted
    return settled and edge.drifted and edge.share(target) == 0 and edge.asked.get(target, 0) > 0


def _ailing(observed: Observed, target: Colour, least: int) -> str:
    share, stack = observed.edge.share(target), observed.colours[target]
    if not share or stack is None:
        return ""
    need = needed(least, share)
    if observed.watch.most_healthy:  # servers that were added since the shift may still be starting
        need = min(need, observed.watch.most_healthy)
    if stack.healthy >= need or not stack.ailing:
        return ""
    because = f" ({stack.unhealthy_because})" if stack.unhealthy_because else ""
    return f"{stack.healthy} of {servers(need)} that {share} % of the traffic needs are healthy{because}"


def had_traffic(observed: Observed, target: Colour) -> bool:
    """Whether the colour has, or in this deployment may have had, a share of the traffic."""
    begun, guard = observed.ledger.deployment, observed.ledger.guard
    ordered = bool(begun and guard and guard.deployment == begun.id)
    return observed.edge.share(target) > 0 or observed.edge.asked.get(target, 0) > 0 or ordered


def turn_back(observed: Observed, target: Colour, reason: str) -> Plan:
    """All traffic goes from `target` to the colour from before: the listener first, then the edge's stack."""
    edge, safe = observed.edge, target.other
    begun = observed.ledger.deployment
    asked_for = bool(begun and begun.abort_by)
    had = had_traffic(observed, target)
    result = Result.ROLLED_BACK if had and not asked_for else Result.ABORTED
    stays = f"{target} stays so that you can look at its servers"
    back = observed.colours[safe]
    if begun and begun.previous is None:
        there = "; there is no colour to turn back to, traffic stays where it is" if had else f"; {stays}"
        return _ended(observed, Plan(Result.ABORTED, f"{reason}{there}", turns_back=reason), target)
    if had and (back is None or back.phase is StackPhase.DELETING):
        return Plan(Result.DIRTY, f"{reason}, but {safe} is gone; deploy a release that works: deploy.yml -e image=…")
    if back and back.healthy == 0 and _serves(observed, target):
        return Plan(
            Result.DIRTY,
            f"{reason}, but {safe} has no healthy server, so traffic stays; look at both colours' servers",
        )
    serves = f"{back.release} serves all traffic from {safe}" if back else "nothing serves"
    done = Plan(result, f"{reason}; {serves}, {stays}", turns_back=reason)
    steps: list[Step] = []
    if edge.share(target) > 0:
        steps.append(TurnBack(safe, reason))
    # One that asks for the safe weights is our own: cancelled, it would give the traffic away again.
    if edge.phase is StackPhase.BUSY and edge.status == CANCELLABLE and edge.asked.get(target, 0) > 0:
        steps.append(CancelUpdate("it is under way while traffic goes back"))
    if edge.phase is StackPhase.BUSY:
        steps.append(Await(f"{edge.name} is settled", f"its status is {edge.status}", part=Part.EDGE))
    if had and (edge.drifted or edge.share(target) > 0 or edge.phase is StackPhase.BUSY or edge.asked.get(target, 0)):
        steps.append(Align(safe, "the listener was set directly"))
    elif edge.preview:
        steps.append(ClosePreview("the deployment has ended"))
    return replace(done, steps=(*steps, *settle(observed, Colour)))


def _serves(observed: Observed, target: Colour) -> bool:
    """Whether it answers requests that nobody else could: all of them, or those that it has healthy servers for."""
    share, stack = observed.edge.share(target), observed.colours[target]
    return share == ALL_TRAFFIC or (share > 0 and stack is not None and stack.healthy > 0)


def _ended(observed: Observed, end: Plan, target: Colour) -> Plan:
    close: tuple[Step, ...] = (ClosePreview("the deployment has ended"),) if observed.edge.preview else ()
    return replace(end, steps=(*close, *settle(observed, Colour)))
