# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts → why and how traffic goes back, as tables."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    GateState,
    Observed,
    StackPhase,
    Watch,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan import plan
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import Await, Part, Result
from tests.unit.deployment.worlds import (
    BLUE,
    CANARY,
    GREEN,
    NOW,
    PREVIEW,
    begun,
    deployed,
    edge,
    ledger,
    order,
    shares,
    stack,
    steps,
    verdict,
    world,
)

OLD = stack(BLUE, "r1")
NEW = stack(GREEN, "r2", 10, replaces_unhealthy=False)
R2 = deployed("r2", strategy=CANARY)
BEGUN = begun("r2")
FAILED = Watch(proven_at=NOW, verdicts=(verdict(GateState.PASSED, "analysis"), verdict(GateState.FAILED)))
BACK = ["turn all traffic back to blue", "bring the edge's stack into line: all traffic to blue"]
ALIGN = BACK[1:]
FIRED = order(BEGUN, armed=False, fired_at=NOW, fired_by="shop-5xx")
TURNED = replace(BEGUN, turned_back="gate alarms failed: shop-5xx is in ALARM")


def turned(asked_green: int = 10, **more: t.Any) -> Observed:
    """The listener was set, its stack says something else still."""
    facts = {"asked": {BLUE: 100 - asked_green, GREEN: asked_green}, **more}
    return world(edge(100, 0, **facts), OLD, NEW)


REASONS: dict[str, tuple[Observed, str]] = {
    "a gate failed": (shares(90, 10, OLD, NEW, watch=FAILED), "gate alarms failed: shop-5xx is in ALARM"),
    "a gate failed with all traffic there": (
        shares(0, 100, OLD, NEW, watch=FAILED),
        "gate alarms failed: shop-5xx is in ALARM",
    ),
    "a person asked for the end": (
        shares(90, 10, OLD, NEW, ledger=ledger(begun("r2", abort_by="bob"))),
        "bob asked for its end",
    ),
    "it was turned back already, and the reason is remembered": (
        shares(90, 10, OLD, NEW, ledger=ledger(TURNED)),
        "gate alarms failed: shop-5xx is in ALARM",
    ),
    "the guard fired, and an update under way has set other weights since": (
        shares(90, 10, OLD, NEW, ledger=ledger(BEGUN, FIRED)),
        "the guard turned traffic back at 12:00:00 UTC: shop-5xx is in alarm",
    ),
    "too few healthy servers for its share": (
        shares(50, 50, OLD, stack(GREEN, "r2", 10, healthy=0, ailing=2, unhealthy_because="i-1: codes 503")),
        "0 of 1 server that 50 % of the traffic needs are healthy (i-1: codes 503)",
    ),
    "too few healthy servers for all traffic": (
        shares(0, 100, OLD, stack(GREEN, "r2", 10, healthy=1, ailing=1)),
        "1 of 2 servers that 100 % of the traffic needs are healthy",
    ),
}


@pytest.mark.parametrize(("observed", "reason"), REASONS.values(), ids=REASONS.keys())
def test_promise_6_traffic_goes_back_at_once_all_of_it(observed: Observed, reason: str) -> None:
    end = plan(observed, R2, NOW)
    assert [str(step) for step in end.steps] == BACK
    assert end.turns_back == end.steps[0].reason == reason
    assert end.reason.startswith(f"{reason}; r1 serves all traffic from blue, green stays")
    assert end.result is (Result.ABORTED if "bob" in reason else Result.ROLLED_BACK)


STAYS: dict[str, Observed] = {
    "enough servers for the share, though not all are healthy": shares(
        50, 50, OLD, stack(GREEN, "r2", 10, healthy=1, ailing=1)
    ),
    "servers that start are not ill": shares(50, 50, OLD, stack(GREEN, "r2", 10, healthy=0, ailing=0)),
    "servers added since the shift that are not up yet": shares(
        50,
        50,
        stack(BLUE, "r1", desired=4, healthy=4),
        stack(GREEN, "r2", 10, desired=4, healthy=1, ailing=3),
        watch=Watch(most_healthy=1),
    ),
    "the guard fired for another deployment": shares(
        90, 10, OLD, NEW, ledger=ledger(BEGUN, replace(FIRED, deployment="20260101-000000-0000"))
    ),
    "the guard waits": shares(90, 10, OLD, NEW, ledger=ledger(BEGUN, order(BEGUN))),
    "a gate has not decided": shares(90, 10, OLD, NEW, watch=Watch(verdicts=(verdict(GateState.UNDECIDED),))),
}


@pytest.mark.parametrize("observed", STAYS.values(), ids=STAYS.keys())
def test_it_goes_on_with(observed: Observed) -> None:
    end = plan(observed, R2, NOW)
    assert (end.turns_back, end.result) == ("", Result.DEPLOYED)


# ---------------------------------------------------------------- the listener is safe already

SAFE: dict[str, tuple[Observed, list[str]]] = {
    "the guard turned it back: the stack follows": (replace(turned(), ledger=ledger(BEGUN, FIRED)), ALIGN),
    "the guard turned it back before the stack said anything else": (
        world(edge(blue=100), OLD, NEW, ledger=ledger(BEGUN, FIRED)),
        [],
    ),
    "a run was killed between the listener and its record": (
        replace(turned(), ledger=ledger(BEGUN, order(BEGUN))),
        ALIGN,
    ),
    "a run was killed before the stack followed": (replace(turned(), ledger=ledger(TURNED)), ALIGN),
    "all is in line": (world(edge(blue=100), OLD, NEW, ledger=ledger(TURNED)), []),
    "all is in line but the preview": (
        world(edge(blue=100, preview=PREVIEW), OLD, NEW, ledger=ledger(TURNED)),
        ["close the preview"],
    ),
    "the stack's weights are of another sum": (
        replace(turned(asked_green=999), ledger=ledger(TURNED)),
        ALIGN,
    ),
    "minimums of both colours are restored": (
        world(
            edge(blue=100),
            stack(BLUE, "r1", original_minimum=1),
            stack(GREEN, "r2", 10, original_minimum=1, replaces_unhealthy=False),
            ledger=ledger(TURNED),
        ),
        ["restore the minimum of blue to 1 server", "restore the minimum of green to 1 server"],
    ),
}


@pytest.mark.parametrize(("observed", "expected"), SAFE.values(), ids=SAFE.keys())
def test_promise_3_what_is_left_of_turning_back(observed: Observed, expected: list[str]) -> None:
    assert steps(observed, R2) == expected


def test_the_guard_that_fired_ends_the_deployment_as_rolled_back() -> None:
    end = plan(world(edge(blue=100), OLD, NEW, ledger=ledger(BEGUN, FIRED)), R2, NOW)
    assert (end.steps, end.result) == ((), Result.ROLLED_BACK)


@pytest.mark.parametrize(
    ("facts", "watch"),
    [
        ({"asked": {BLUE: 100, GREEN: 0}}, Watch()),
        ({"asked": {BLUE: 90, GREEN: 10}}, Watch(shifted=True)),
        ({"asked": {BLUE: 90, GREEN: 10}, "phase": StackPhase.BUSY, "status": "UPDATE_IN_PROGRESS"}, Watch()),
    ],
    ids=["nothing was asked for yet", "this run's own shift", "the update is under way"],
)
def test_an_armed_guard_alone_is_no_reason(facts: dict[str, t.Any], watch: Watch) -> None:
    seen = world(edge(100, 0, **facts), OLD, NEW, ledger=ledger(BEGUN, order(BEGUN)), watch=watch)
    assert plan(seen, R2, NOW).turns_back == ""


# ---------------------------------------------------------------- before it had any traffic


def test_a_command_that_fails_ends_it_before_any_traffic() -> None:
    failed = Watch(preview_shown=True, command=verdict(GateState.FAILED, "command", "smoke ended with exit status 1"))
    held = stack(BLUE, "r1", original_minimum=1)
    seen = world(edge(blue=100, preview=PREVIEW), held, NEW, ledger=ledger(BEGUN), watch=failed)
    end = plan(seen, R2, NOW)
    assert end.result is Result.ABORTED
    assert [str(step) for step in end.steps] == ["close the preview", "restore the minimum of blue to 1 server"]
    assert end.reason.startswith("gate command failed: smoke ended with exit status 1; r1 serves all traffic from blue")


def test_a_first_release_stays_where_it_is_since_there_is_nothing_before_it() -> None:
    only = stack(BLUE, "r1", 10, original_minimum=1)
    first = ledger(begun("r1", BLUE, previous=None))
    end = plan(world(edge(blue=100), only, ledger=first, watch=FAILED), deployed("r1"), NOW)
    assert [str(step) for step in end.steps] == ["restore the minimum of blue to 1 server"]
    assert end.result is Result.ABORTED
    assert "there is no colour to turn back to, traffic stays where it is" in end.reason


def test_a_first_release_whose_command_failed_stays_to_be_looked_at() -> None:
    failed = Watch(preview_shown=True, command=verdict(GateState.FAILED, "command"))
    opened = edge(preview=replace(PREVIEW, colour=BLUE))
    first = ledger(begun("r1", BLUE, previous=None))
    end = plan(world(opened, stack(BLUE, "r1", 10), ledger=first, watch=failed), deployed("r1"), NOW)
    assert [str(step) for step in end.steps] == ["close the preview"]
    assert (end.result, "blue stays" in end.reason) == (Result.ABORTED, True)


# ---------------------------------------------------------------- promise 5: where it can't go

DEAD = stack(BLUE, "r1", healthy=0)
ILL = stack(GREEN, "r2", 10, healthy=0, ailing=2)
NOWHERE: dict[str, tuple[Observed, str]] = {
    "the old colour is gone": (shares(0, 100, None, NEW, watch=FAILED), "blue is gone"),  # type: ignore[arg-type]
    "the old colour is being deleted": (
        shares(50, 50, stack(BLUE, "r1", phase=StackPhase.DELETING), NEW, watch=FAILED),
        "blue is gone",
    ),
    "the old colour has no healthy server, and the new one serves": (
        shares(0, 100, DEAD, NEW, watch=FAILED),
        "blue has no healthy server, so traffic stays",
    ),
    "nor has it while traffic is split": (
        shares(50, 50, DEAD, NEW, watch=FAILED),
        "blue has no healthy server, so traffic stays",
    ),
    "neither has one": (shares(0, 100, DEAD, ILL), "blue has no healthy server, so traffic stays"),
}


@pytest.mark.parametrize(("observed", "reason"), NOWHERE.values(), ids=NOWHERE.keys())
def test_promise_5_traffic_stays_with_the_last_colour_that_serves(observed: Observed, reason: str) -> None:
    end = plan(observed, R2, NOW)
    assert (end.steps, end.result) == ((), Result.DIRTY)
    assert reason in end.reason


def test_a_share_that_nobody_can_serve_goes_back_to_the_colour_with_the_most_traffic() -> None:
    assert steps(shares(90, 10, DEAD, ILL), R2) == BACK


# ---------------------------------------------------------------- an update of the edge is under way


def busy(green: int, status: str, asked: int = 50) -> Observed:
    wanted = {BLUE: 100 - asked, GREEN: asked}
    seen = edge(100 - green, green, phase=StackPhase.BUSY, status=status, asked=wanted)
    return world(seen, OLD, NEW, ledger=ledger(TURNED, order(BEGUN)))


SETTLED = "wait until shop-prod-edge is settled"
UNDER_WAY: dict[str, tuple[Observed, list[str]]] = {
    "the listener first, then its update is cancelled": (
        busy(10, "UPDATE_IN_PROGRESS"),
        [BACK[0], "cancel the edge's update", SETTLED, *ALIGN],
    ),
    "the listener is safe: cancelled": (
        busy(0, "UPDATE_IN_PROGRESS"),
        ["cancel the edge's update", SETTLED, *ALIGN],
    ),
    "it is cancelled already: waited for": (busy(0, "UPDATE_ROLLBACK_IN_PROGRESS"), [SETTLED, *ALIGN]),
    "it is our own, to the safe weights: not cancelled, that would move traffic again": (
        busy(0, "UPDATE_IN_PROGRESS", asked=0),
        [SETTLED, *ALIGN],
    ),
    "it only cleans up: waited for": (busy(0, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"), [SETTLED, *ALIGN]),
    "what is cancelled sets its old weights again: the listener again": (
        busy(10, "UPDATE_ROLLBACK_IN_PROGRESS"),
        [BACK[0], SETTLED, *ALIGN],
    ),
}


@pytest.mark.parametrize(("observed", "expected"), UNDER_WAY.values(), ids=UNDER_WAY.keys())
def test_promise_6_the_listener_never_waits_for_the_stack(observed: Observed, expected: list[str]) -> None:
    assert steps(observed, R2) == expected


def test_turning_back_waits_with_a_look_at_the_edge_alone() -> None:
    step = plan(busy(0, "UPDATE_ROLLBACK_IN_PROGRESS"), R2, NOW).steps[0]
    assert isinstance(step, Await)
    assert step.part is Part.EDGE


def test_an_edge_that_is_busy_with_the_preview_is_not_cancelled_before_any_traffic() -> None:
    """Nothing of it can hurt: it ends soon, and the preview is closed then."""
    opening = edge(blue=100, phase=StackPhase.BUSY, status="UPDATE_IN_PROGRESS", preview=PREVIEW)
    seen = world(opening, OLD, NEW, ledger=ledger(begun("r2", abort_by="bob")))
    assert steps(seen, R2) == [SETTLED, "close the preview"]


def test_promise_6_the_listener_is_set_even_where_the_stack_is_stuck() -> None:
    stuck = edge(90, 10, phase=StackPhase.STUCK, status="UPDATE_ROLLBACK_FAILED")
    assert steps(world(stuck, OLD, NEW, ledger=ledger(TURNED)), R2)[0] == BACK[0]
