# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The idle colour is to go, once its window has passed and it serves nothing."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    Observed,
    StackPhase,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan.shared import (
    none_live,
    seconds,
    still_busy,
    then,
    unfinished,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import (
    Await,
    DeleteColour,
    Part,
    Plan,
    Result,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import Retired
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.windows import idle_window

if t.TYPE_CHECKING:
    from datetime import datetime


def retire(observed: Observed, wanted: Retired, now: datetime) -> Plan:
    live = observed.edge.live
    if begun := observed.ledger.deployment:
        return unfinished(begun, "retiring")
    if live is None:
        return Plan(Result.NOTHING_TO_DO, f"{none_live(observed)}, so no colour is idle")
    idle, serving = observed.colours[live.other], observed.colours[live]
    if idle is None:
        return Plan(Result.NOTHING_TO_DO, f"{live.other} is gone already")
    done = Plan(Result.RETIRED, f"{idle.colour} with {idle.release} is gone")
    gone = Await(f"{idle.colour} is deleted", "its servers drain", part=Part.STACK, colour=idle.colour)
    if idle.phase is StackPhase.DELETING:
        return then(done, Await(gone.what, f"its status is {idle.status}", part=Part.STACK, colour=idle.colour))
    if idle.phase is StackPhase.BUSY:
        return Plan(Result.ABORTED, f"{idle.name} is {idle.status}: a deployment is under way; let it end first")
    window = idle_window(observed, wanted.window, wanted.inspect_window, now)
    if window and window.left and not wanted.immediate:
        why = "for inspection" if window.turned_back else "warm"
        stays = f"{idle.colour} with {idle.release} stays {why} for another {seconds(window.left)}"
        return Plan(Result.NOTHING_TO_DO, f"{stays}; to retire it now: retire.yml -e immediate=true")
    if serving is None or serving.healthy == 0:
        return Plan(Result.ABORTED, f"{live} has no healthy server, so {idle.colour} stays: it may be needed")
    reason = "asked for at once" if wanted.immediate else "its window has passed"
    if idle.failed_because:  # DELETE_FAILED: tried again, and explained
        reason = f"{idle.name} is {idle.status}: {idle.failed_because}"
    delete = DeleteColour(idle.colour, reason)
    busy = still_busy(observed, idle, now)
    return then(done, *((busy,) if busy else ()), delete, gone)
