# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts → when and how an idle colour goes, as tables."""

from __future__ import annotations

import typing as t
from dataclasses import replace
from datetime import timedelta

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    Edge,
    Observed,
    StackPhase,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan import plan
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import Await, Result
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import Retired
from tests.unit.deployment.worlds import BLUE, GREEN, NOW, begun, edge, ledger, stack, steps, world

OLD, NEW = stack(BLUE, "r1", 120), stack(GREEN, "r2", 100)
HOUR = Retired(timedelta(hours=1), timedelta(hours=3))
AT_ONCE = Retired(timedelta(hours=1), immediate=True)
GONE = ["delete blue", "wait until blue is deleted"]


def swapped(minutes: float, **changed: t.Any) -> Edge:
    """Green serves since so many minutes."""
    return edge(green=100, swapped_at=NOW - timedelta(minutes=minutes), **changed)


def turned_back(minutes: float, age: float) -> Observed:
    """Blue serves again since so many minutes; green was made so many minutes ago."""
    return world(edge(blue=100, swapped_at=NOW - timedelta(minutes=minutes)), OLD, stack(GREEN, "r2", age))


STEPS: dict[str, tuple[Observed, Retired, list[str]]] = {
    "the idle colour goes when its window has passed": (world(swapped(60), OLD, NEW), HOUR, GONE),
    "or at once, when that is asked for": (world(swapped(1), OLD, NEW), AT_ONCE, GONE),
    "or where nothing is known of a swap": (world(edge(green=100, swapped_at=None), OLD, NEW), HOUR, GONE),
    "a colour that was turned back goes when it had time to be looked at": (
        turned_back(180, 200 - 90),
        Retired(timedelta(hours=9), timedelta(hours=1)),
        ["delete green", "wait until green is deleted"],
    ),
    "promise 1: not while its servers finish their requests": (
        world(swapped(60, drain=timedelta(minutes=61)), OLD, NEW),
        HOUR,
        ["wait until blue has finished its requests", *GONE],
    ),
    "promise 1: that is waited for even when it is asked for at once": (
        world(swapped(1, drain=timedelta(minutes=5)), OLD, NEW),
        AT_ONCE,
        ["wait until blue has finished its requests", *GONE],
    ),
    "promise 1: not while it still answers": (
        world(swapped(120), OLD, NEW, answers={"r1": 1, "r2": 11}),
        HOUR,
        ["wait until blue answers no more requests", *GONE],
    ),
    "promise 1: not while the load balancer counts requests for it": (
        world(swapped(120), OLD, NEW, answers={"r2": 12}, idle_requests=1),
        HOUR,
        ["wait until blue answers no more requests", *GONE],
    ),
    "promise 1: the last request counts, not the clock": (
        world(swapped(61, drain=timedelta(minutes=61)), OLD, NEW),
        HOUR,
        GONE,
    ),
    "the same release on both colours is no answer of the idle one": (
        world(swapped(120), OLD, stack(GREEN, "r1", 100), answers={"r1": 12}),
        HOUR,
        GONE,
    ),
    "a retire that was killed is waited for": (
        world(swapped(1), replace(OLD, phase=StackPhase.DELETING), NEW),
        HOUR,
        ["wait until blue is deleted"],
    ),
    "what could not be deleted is deleted again": (
        world(swapped(120), replace(OLD, phase=StackPhase.BROKEN, status="DELETE_FAILED"), NEW),
        HOUR,
        GONE,
    ),
}


@pytest.mark.parametrize(("observed", "wanted", "expected"), STEPS.values(), ids=STEPS.keys())
def test_steps(observed: Observed, wanted: Retired, expected: list[str]) -> None:
    assert steps(observed, wanted) == expected
    assert plan(observed, wanted, NOW).result is Result.RETIRED


ENDS: dict[str, tuple[Observed, Retired, Result, str]] = {
    "the window has not passed": (
        world(swapped(5), OLD, NEW),
        HOUR,
        Result.NOTHING_TO_DO,
        "blue with r1 stays warm for another 55 min 0 s; to retire it now: retire.yml -e immediate=true",
    ),
    "it is about to": (world(swapped(59.5), OLD, NEW), HOUR, Result.NOTHING_TO_DO, "stays warm for another 30 s"),
    "the time to look at it has not passed": (
        turned_back(60, 100),
        HOUR,
        Result.NOTHING_TO_DO,
        "green with r2 stays for inspection for another 120 min 0 s",
    ),
    "it never had traffic: its time counts from its making": (
        turned_back(10000, 60),
        HOUR,
        Result.NOTHING_TO_DO,
        "green with r2 stays for inspection for another 120 min 0 s",
    ),
    "the idle colour is gone": (world(edge(green=100), None, NEW), HOUR, Result.NOTHING_TO_DO, "blue is gone already"),
    "nothing is deployed": (world(edge()), HOUR, Result.NOTHING_TO_DO, "nothing is deployed, so no colour is idle"),
    "traffic is split": (
        world(edge(blue=50, green=50), OLD, NEW),
        AT_ONCE,
        Result.NOTHING_TO_DO,
        "traffic is split between the colours, so no colour is idle",
    ),
    "promise 5: the serving colour is in trouble, so the other one stays": (
        world(swapped(120), OLD, stack(GREEN, "r2", 100, healthy=0)),
        AT_ONCE,
        Result.ABORTED,
        "green has no healthy server, so blue stays: it may be needed",
    ),
    "promise 5: the serving colour has no stack": (
        world(swapped(120), OLD, None),
        AT_ONCE,
        Result.ABORTED,
        "it may be needed",
    ),
    "a colour that is being made is not retired": (
        world(swapped(120), stack(BLUE, "r3", 1, phase=StackPhase.BUSY, status="CREATE_IN_PROGRESS"), NEW),
        AT_ONCE,
        Result.ABORTED,
        "shop-prod-blue is CREATE_IN_PROGRESS: a deployment is under way",
    ),
    "promise 4: nor is one that an unfinished deployment may need": (
        world(swapped(120), OLD, NEW, ledger=ledger(begun("r2"))),
        AT_ONCE,
        Result.ABORTED,
        "retiring has to wait: the deployment of r2 (20260102-115500-ab12, begun by ann@ci pid 1",
    ),
}


@pytest.mark.parametrize(("observed", "wanted", "result", "reason"), ENDS.values(), ids=ENDS.keys())
def test_ends(observed: Observed, wanted: Retired, result: Result, reason: str) -> None:
    end = plan(observed, wanted, NOW)
    assert (end.steps, end.result) == ((), result)
    assert reason in end.reason


def test_the_time_left_to_finish_requests_is_told() -> None:
    step = plan(world(swapped(1, drain=timedelta(minutes=5)), OLD, NEW), AT_ONCE, NOW).steps[0]
    assert isinstance(step, Await)
    assert step.left == timedelta(minutes=4)
