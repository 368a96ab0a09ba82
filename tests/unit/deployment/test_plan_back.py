# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts → the steps of a rollback and of an abort, as tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    GateState,
    Observed,
    StackPhase,
    Watch,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan import plan
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import Await, Result
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import (
    Aborted,
    RolledBack,
    Wanted,
)
from tests.unit.deployment.worlds import (
    BLUE,
    CANARY,
    DEADLINE,
    GREEN,
    NOW,
    PREVIEW,
    begun,
    edge,
    ledger,
    order,
    shares,
    stack,
    steps,
    verdict,
    world,
)

OLD, NEW = stack(BLUE, "r1", 120), stack(GREEN, "r2", 20)
BACK = RolledBack(DEADLINE, by="ann")
IN_STEPS = RolledBack(DEADLINE, CANARY, "ann")
ABORT = Aborted("ann")
ROLLBACK = begun("r1", BLUE, GREEN, kind="rollback")
UNDER_WAY = ledger(ROLLBACK)
PROVEN = Watch(proven_at=NOW - timedelta(minutes=5))
TURN_BACK = ["turn all traffic back to blue", "bring the edge's stack into line: all traffic to blue"]
TURN_AGAIN = ["turn all traffic back to green", "bring the edge's stack into line: all traffic to green"]

STEPS: dict[str, tuple[Observed, Wanted, list[str]]] = {
    "the older colour takes the traffic back at once": (
        world(edge(green=100), OLD, NEW),
        BACK,
        ["shift all traffic to blue"],
    ),
    "or in steps, if the file says so": (
        world(edge(green=100), OLD, NEW),
        IN_STEPS,
        [
            "shift 10 % of the traffic to blue",
            "wait until 10 % was watched for 5m",
            "shift 50 % of the traffic to blue",
            "wait until 50 % was watched for 5m",
            "shift all traffic to blue",
        ],
    ),
    "promise 1: not before it is healthy": (
        world(edge(green=100), stack(BLUE, "r1", 120, healthy=1), NEW),
        BACK,
        ["wait until 2 servers of blue are healthy", "shift all traffic to blue"],
    ),
    "promise 2: not smaller than what serves now": (
        world(edge(green=100), OLD, stack(GREEN, "r2", 20, desired=4, healthy=4)),
        BACK,
        [
            "hold blue at 4 servers at least",
            "hold green at 4 servers at least",
            "wait until 4 servers of blue are healthy",
            "shift all traffic to blue",
        ],
    ),
    "as far as its own maximum": (
        world(edge(green=100), OLD, stack(GREEN, "r2", 20, desired=6, minimum=6, healthy=6, maximum=6)),
        BACK,
        ["hold blue at 4 servers at least", "wait until 4 servers of blue are healthy", "shift all traffic to blue"],
    ),
    "promise 3: a rollback that was killed goes on": (
        world(edge(50, 50), OLD, NEW, ledger=UNDER_WAY, watch=PROVEN),
        IN_STEPS,
        ["shift all traffic to blue"],
    ),
    "also before its first shift": (
        world(edge(green=100), OLD, NEW, ledger=UNDER_WAY),
        BACK,
        ["shift all traffic to blue"],
    ),
    "gates have no say: it has passed them once": (
        world(
            edge(50, 50),
            OLD,
            NEW,
            ledger=UNDER_WAY,
            watch=Watch(proven_at=NOW - timedelta(minutes=5), verdicts=(verdict(GateState.UNDECIDED),)),
        ),
        IN_STEPS,
        ["shift all traffic to blue"],
    ),
    "promise 2: the highest that served since it began counts": (
        world(edge(green=100), OLD, NEW, ledger=ledger(begun("r1", BLUE, GREEN, kind="rollback", baseline=3))),
        BACK,
        [
            "hold blue at 3 servers at least",
            "hold green at 3 servers at least",
            "wait until 3 servers of blue are healthy",
            "shift all traffic to blue",
        ],
    ),
    "all traffic is shown by requests": (
        world(edge(blue=100), OLD, NEW, ledger=UNDER_WAY),
        BACK,
        ["wait until requests show 100 % on blue"],
    ),
    "what was held is given back": (
        world(edge(blue=100), stack(BLUE, "r1", 120, original_minimum=1), NEW, ledger=UNDER_WAY, watch=PROVEN),
        BACK,
        ["restore the minimum of blue to 1 server"],
    ),
    "on both colours, since the one that is idle now serves no longer": (
        world(
            edge(blue=100),
            stack(BLUE, "r1", 120, original_minimum=1),
            stack(GREEN, "r2", 20, original_minimum=1),
            ledger=UNDER_WAY,
            watch=PROVEN,
        ),
        BACK,
        ["restore the minimum of blue to 1 server", "restore the minimum of green to 1 server"],
    ),
    "promise 6: an unfinished deployment is turned back": (shares(90, 10, OLD, NEW), BACK, TURN_BACK),
    "promise 6: an abort turns it back": (shares(90, 10, OLD, NEW), ABORT, TURN_BACK),
    "before any traffic an abort closes the preview and gives back what was held": (
        world(
            edge(blue=100, preview=PREVIEW),
            stack(BLUE, "r1", 120, original_minimum=1),
            stack(GREEN, "r2", 20, original_minimum=1),
            ledger=ledger(begun("r2")),
        ),
        ABORT,
        [
            "close the preview",
            "restore the minimum of blue to 1 server",
            "restore the minimum of green to 1 server",
        ],
    ),
    "a colour that is still being made is no reason to wait": (
        world(edge(blue=100), OLD, stack(GREEN, "r2", 1, phase=StackPhase.BUSY), ledger=ledger(begun("r2"))),
        ABORT,
        [],
    ),
    "an abort ends a rollback with traffic where it was": (
        world(edge(50, 50), OLD, NEW, ledger=UNDER_WAY),
        ABORT,
        TURN_AGAIN,
    ),
    "so does one that another controller asked for": (
        world(edge(50, 50), OLD, NEW, ledger=ledger(begun("r1", BLUE, GREEN, kind="rollback", abort_by="bob"))),
        IN_STEPS,
        TURN_AGAIN,
    ),
    "promise 3: a rollback that is on its way back never goes forward again": (
        world(edge(50, 50), OLD, NEW, ledger=ledger(begun("r1", BLUE, GREEN, kind="rollback", turned_back="ann"))),
        IN_STEPS,
        TURN_AGAIN,
    ),
    "promise 5: traffic doesn't stay split with a colour that is gone": (
        world(edge(50, 50), stack(BLUE, "r1", 120, phase=StackPhase.DELETING), NEW, ledger=UNDER_WAY),
        IN_STEPS,
        TURN_AGAIN,
    ),
}


@pytest.mark.parametrize(("observed", "wanted", "expected"), STEPS.values(), ids=STEPS.keys())
def test_steps(observed: Observed, wanted: Wanted, expected: list[str]) -> None:
    assert steps(observed, wanted) == expected


GONE = "so there is no colour to turn back to"
ENDS: dict[str, tuple[Observed, Wanted, Result, str]] = {
    "a rollback has ended": (
        world(edge(blue=100), OLD, NEW, ledger=UNDER_WAY, watch=PROVEN),
        BACK,
        Result.ROLLED_BACK,
        "r1 serves all traffic from blue again",
    ),
    "a second one never goes forward to the bad release": (
        world(edge(blue=100), OLD, NEW, answers={"r1": 12}),
        BACK,
        Result.NOTHING_TO_DO,
        "r1 serves from blue again already; r2 was rolled back before",
    ),
    "nor where the one that serves was deployed anew": (
        world(edge(green=100), OLD, NEW, answers={"r2": 12}),
        replace(BACK, left="r1"),
        Result.NOTHING_TO_DO,
        "r2 serves from green again already; r1 was rolled back before",
    ),
    "the older colour is gone": (world(edge(green=100), None, NEW), BACK, Result.ABORTED, f"blue is gone, {GONE}"),
    "it is not ready": (
        world(edge(green=100), stack(BLUE, "r1", phase=StackPhase.DELETING, status="DELETE_IN_PROGRESS"), NEW),
        BACK,
        Result.ABORTED,
        f"blue is DELETE_IN_PROGRESS, {GONE}",
    ),
    "it went while the rollback was under way": (
        world(edge(green=100), None, NEW, ledger=UNDER_WAY),
        BACK,
        Result.ABORTED,
        f"blue is gone, {GONE}",
    ),
    "nothing was ever deployed": (world(edge()), BACK, Result.ABORTED, "nothing is deployed"),
    "traffic is split, and no record says why": (
        world(edge(50, 50), OLD, NEW),
        BACK,
        Result.ABORTED,
        "traffic is split between the colours",
    ),
    "promise 7: a rollback that is given up is none": (
        world(edge(green=100), OLD, NEW, ledger=ledger(begun("r1", BLUE, GREEN, kind="rollback", abort_by="bob"))),
        BACK,
        Result.ABORTED,
        "bob asked for its end; r2 serves all traffic from green",
    ),
    "an unfinished deployment was turned back": (
        world(
            edge(blue=100), OLD, NEW, ledger=ledger(begun("r2", turned_back="gate alarms failed"), order(begun("r2")))
        ),
        BACK,
        Result.ROLLED_BACK,
        "gate alarms failed; r1 serves all traffic from blue",
    ),
    "nothing is there to abort": (
        world(edge(blue=100), OLD),
        ABORT,
        Result.NOTHING_TO_DO,
        "no deployment is under way",
    ),
    "an abort is one, whatever it turned back": (
        world(edge(blue=100), OLD, NEW, ledger=ledger(begun("r2"), order(begun("r2")))),
        ABORT,
        Result.ABORTED,
        "ann asked for its end; r1 serves all traffic from blue",
    ),
    "the first reason stays": (
        world(edge(blue=100), OLD, NEW, ledger=ledger(begun("r2", turned_back="gate alarms failed"))),
        ABORT,
        Result.ABORTED,
        "gate alarms failed",
    ),
    "and who asked first": (
        world(edge(blue=100), OLD, NEW, ledger=ledger(begun("r2", abort_by="bob"))),
        ABORT,
        Result.ABORTED,
        "bob asked for its end",
    ),
    "promise 5: an abort leaves traffic with the last colour that serves": (
        shares(0, 100, stack(BLUE, "r1", healthy=0), NEW),
        ABORT,
        Result.DIRTY,
        "blue has no healthy server, so traffic stays",
    ),
    "promise 5: so does a rollback that is given up": (
        world(
            edge(blue=100),
            OLD,
            stack(GREEN, "r2", healthy=0),
            ledger=ledger(begun("r1", BLUE, GREEN, kind="rollback", abort_by="bob")),
        ),
        BACK,
        Result.DIRTY,
        "green has no healthy server, so traffic stays",
    ),
}


@pytest.mark.parametrize(("observed", "wanted", "result", "reason"), ENDS.values(), ids=ENDS.keys())
def test_ends(observed: Observed, wanted: Wanted, result: Result, reason: str) -> None:
    end = plan(observed, wanted, NOW)
    assert (end.steps, end.result) == ((), result)
    assert reason in end.reason


def test_the_colour_that_comes_back_is_waited_for_as_long_as_the_file_says() -> None:
    step = plan(world(edge(green=100), stack(BLUE, "r1", 120, healthy=1), NEW), BACK, NOW).steps[0]
    assert isinstance(step, Await)
    assert step.patience == DEADLINE
