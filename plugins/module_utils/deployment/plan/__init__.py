# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts and a wish in, the steps that are left out. Pure: it calls nothing and reads no clock."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    Observed,
    StackPhase,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan import turn_back
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan.abort import abort
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan.deploy import deploy
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan.retire import retire
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan.roll_back import roll_back
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import (
    Await,
    ContinueUpdate,
    Part,
    Plan,
    Result,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import (
    Aborted,
    Deployed,
    Retired,
    RolledBack,
    Wanted,
)

if t.TYPE_CHECKING:
    from datetime import datetime

__all__ = ["plan"]


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
    rest = _plan(observed, wanted, now, created)
    edge = observed.edge
    if turn_back.goes_first(rest):
        return rest
    if edge.phase is StackPhase.BUSY:
        wait = Await(f"{edge.name} is settled", f"its status is {edge.status}", part=Part.EDGE)
        return rest if rest.steps[:1] == (wait,) else replace(rest, steps=(wait, *rest.steps))
    if edge.phase is not StackPhase.READY:
        return _unstick(observed, wanted, rest)
    return rest


def _plan(observed: Observed, wanted: Wanted, now: datetime, created: frozenset[str]) -> Plan:
    match wanted:
        case Deployed():
            return deploy(observed, wanted, now, created)
        case RolledBack():
            return roll_back(observed, wanted, now)
        case Retired():
            return retire(observed, wanted, now)
        case Aborted():
            return abort(observed, wanted)


def _unstick(observed: Observed, wanted: Wanted, rest: Plan) -> Plan:
    """A stuck update goes on; resources are left out only where the env's file names them.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-continueupdaterollback.html
    """
    edge = observed.edge
    allowed = wanted.may_skip if isinstance(wanted, Deployed) else frozenset()
    skip = tuple(sorted(edge.stuck)) if observed.watch.continued else ()
    if edge.status == "UPDATE_ROLLBACK_FAILED" and observed.watch.continued < 2 and allowed.issuperset(skip):
        reason = f"its status is {edge.status}"
        return replace(rest, steps=(ContinueUpdate(skip, reason), *rest.steps))
    named = f" ({', '.join(edge.stuck)})" if edge.stuck else ""
    hint = f"; or let edge_may_skip in the env's file name {', '.join(edge.stuck)}" if edge.stuck else ""
    return Plan(
        Result.DIRTY,
        f"the stack {edge.name} is {edge.status}{named}; repair it in CloudFormation, then run this again{hint}",
    )
