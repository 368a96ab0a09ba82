# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts → the steps of a rollback and of a retire, as tables."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    Observed,
    Result,
    Retired,
    RolledBack,
    StackPhase,
    Wanted,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan import plan
from tests.unit.deployment.worlds import BLUE, DEADLINE, GREEN, NOW, edge, stack, world

OLD, NEW = stack(BLUE, "r1", 120), stack(GREEN, "r2", 20)
BACK = RolledBack(DEADLINE)
HOUR = Retired(timedelta(hours=1))
AT_ONCE = Retired(timedelta(hours=1), immediate=True)
SWAPPED_LONG_AGO = edge(green=100, swapped_at=NOW - timedelta(hours=2))

STEPS: dict[str, tuple[Observed, Wanted, list[str]]] = {
    "the older colour takes the traffic back": (
        world(edge(green=100), OLD, NEW),
        BACK,
        ["shift all traffic to blue"],
    ),
    "but not before it is healthy": (
        world(edge(green=100), stack(BLUE, "r1", 120, healthy=1), NEW),
        BACK,
        ["wait until 2 servers of blue are healthy", "shift all traffic to blue"],
    ),
    "and not smaller than what serves now": (
        world(edge(green=100), OLD, stack(GREEN, "r2", 20, desired=4, healthy=4)),
        BACK,
        ["scale blue to 4 servers", "wait until 4 servers of blue are healthy", "shift all traffic to blue"],
    ),
    "the idle colour goes when its window has passed": (
        world(SWAPPED_LONG_AGO, OLD, NEW),
        HOUR,
        ["delete blue", "wait until blue is deleted"],
    ),
    "or at once, when that is asked for": (
        world(edge(green=100), OLD, NEW),
        AT_ONCE,
        ["delete blue", "wait until blue is deleted"],
    ),
    "not while it still answers": (
        world(SWAPPED_LONG_AGO, OLD, NEW, answers={"r1": 1, "r2": 11}),
        HOUR,
        ["wait until blue answers no more requests", "delete blue", "wait until blue is deleted"],
    ),
    "a retire that was killed is waited for": (
        world(edge(green=100), stack(BLUE, "r1", 120, phase=StackPhase.DELETING), NEW),
        HOUR,
        ["wait until blue is deleted"],
    ),
}

ENDS: dict[str, tuple[Observed, Wanted, Result, str]] = {
    "a second rollback never goes forward to the bad release": (
        world(edge(blue=100), OLD, NEW, answers={"r1": 12}),
        BACK,
        Result.NOTHING_TO_DO,
        "r2 was rolled back before",
    ),
    "no colour to turn back to": (world(edge(green=100), None, NEW), BACK, Result.ABORTED, "deploy.yml -e image="),
    "nothing was ever deployed": (world(edge()), BACK, Result.ABORTED, "nothing is deployed"),
    "the window has not passed": (world(edge(green=100), OLD, NEW), HOUR, Result.NOTHING_TO_DO, "55 min 0 s"),
    "the idle colour is gone": (world(edge(green=100), None, NEW), HOUR, Result.NOTHING_TO_DO, "gone already"),
    "promise 5: the serving colour is in trouble, so the other one stays": (
        world(SWAPPED_LONG_AGO, OLD, stack(GREEN, "r2", 20, healthy=0)),
        HOUR,
        Result.ABORTED,
        "it may be needed",
    ),
    "a colour that is being made is not retired": (
        world(SWAPPED_LONG_AGO, stack(BLUE, "r3", 1, phase=StackPhase.BUSY), NEW),
        AT_ONCE,
        Result.ABORTED,
        "a deployment is under way",
    ),
    "split traffic: no colour is idle": (
        world(edge(blue=50, green=50), OLD, NEW),
        AT_ONCE,
        Result.NOTHING_TO_DO,
        "no colour is idle",
    ),
}


@pytest.mark.parametrize(("observed", "wanted", "expected"), STEPS.values(), ids=STEPS.keys())
def test_steps(observed: Observed, wanted: Wanted, expected: list[str]) -> None:
    assert [str(step) for step in plan(observed, wanted, NOW).steps] == expected


@pytest.mark.parametrize(("observed", "wanted", "result", "reason"), ENDS.values(), ids=ENDS.keys())
def test_ends(observed: Observed, wanted: Wanted, result: Result, reason: str) -> None:
    end = plan(observed, wanted, NOW)
    assert (end.steps, end.result) == ((), result)
    assert reason in end.reason
