# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A line appears when something changed, and at least once a minute: which lines a run shows."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    Colour,
    GateState,
    GuardOrder,
    Lease,
    Verdict,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.progress import LINE_LENGTH, Reporter
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import Await, CreateColour, Plan, Result
from tests.unit.progress.conftest import Clock
from tests.unit.progress.stories import NOON, story

BLUE, GREEN = Colour.BLUE, Colour.GREEN


class Screen(list[str]):
    """What was shown since the last look."""

    def new(self) -> list[str]:
        shown = list(self)
        self.clear()
        return shown


@pytest.fixture
def screen() -> Screen:
    return Screen()


@pytest.fixture
def report(time: Clock, screen: Screen) -> Reporter:
    return Reporter("prod", screen.append)


def healthy(count: int) -> Await:
    return Await("2 servers of green are healthy", f"{count} of 2 healthy")


def baking(seconds: int) -> Await:
    return Await("the bake time is over", "green has 25 %", left=timedelta(seconds=seconds))


def verdict(words: str, state: GateState = GateState.UNDECIDED) -> Verdict:
    return Verdict("analysis", state, words, NOON)


def test_a_step_says_what_and_why(report: Reporter, screen: Screen) -> None:
    report.doing(CreateColour(GREEN, 2, "r2 is not there yet"))
    assert screen == ["prod | create green with 2 servers (r2 is not there yet)"]


def test_a_wait_is_told_once_and_again_when_it_got_on(report: Reporter, screen: Screen, time: Clock) -> None:
    for count in (0, 0, 0, 1, 1, 2):
        report.waiting(healthy(count))
        time.passes(5)
    assert screen == [
        "prod | wait until 2 servers of green are healthy (0 of 2 healthy)",
        "prod | wait until 2 servers of green are healthy (1 of 2 healthy)",
        "prod | wait until 2 servers of green are healthy (2 of 2 healthy)",
    ]


def test_a_wait_without_change_is_told_once_a_minute(report: Reporter, screen: Screen, time: Clock) -> None:
    for _second in range(180):
        report.waiting(healthy(0))
        time.passes(1)
    assert len(screen) == 3


def test_what_else_is_told_puts_the_minutes_line_off(report: Reporter, screen: Screen, time: Clock) -> None:
    report.waiting(healthy(0))
    time.passes(50)
    report.notice("something")
    time.passes(50)
    report.waiting(healthy(0))
    assert len(screen) == 2


def test_the_same_wait_after_another_step_is_told(report: Reporter, screen: Screen) -> None:
    report.waiting(healthy(0))
    report.doing(CreateColour(GREEN, 2, "again"))
    report.waiting(healthy(0))
    assert len(screen) == 3


def test_time_that_goes_by_is_no_change(report: Reporter, screen: Screen, time: Clock) -> None:
    for second in range(121):
        report.waiting(baking(300 - second))
        time.passes(1)
    assert screen == [
        "prod | wait until the bake time is over (green has 25 %), 5 m 0 s left",
        "prod | wait until the bake time is over (green has 25 %), 4 m 0 s left",
        "prod | wait until the bake time is over (green has 25 %), 3 m 0 s left",
    ]


def test_a_gates_new_answer_is_told_at_once(report: Reporter, screen: Screen, time: Clock) -> None:
    report.gates([verdict("120 of 200 requests")])
    time.passes(5)
    report.gates([verdict("p95 0.9 s against 0.2 s (4.5 of at most 1.3)", GateState.FAILED)])
    assert screen == [
        "prod | gate analysis undecided: 120 of 200 requests",
        "prod | gate analysis failed: p95 0.9 s against 0.2 s (4.5 of at most 1.3)",
    ]


def test_a_gates_figures_are_told_once_a_minute(report: Reporter, screen: Screen, time: Clock) -> None:
    for second in range(121):
        report.gates([verdict(f"{second} of 200 requests")])
        time.passes(1)
    assert screen == [f"prod | gate analysis undecided: {count} of 200 requests" for count in (0, 60, 120)]


def test_a_gate_that_says_the_same_is_not_told_again(report: Reporter, screen: Screen, time: Clock) -> None:
    for _minute in range(5):
        report.gates([verdict("4 alarms OK", GateState.PASSED)])
        time.passes(60)
    assert screen == ["prod | gate analysis passed: 4 alarms OK"]


def test_the_traffic_now_and_next(report: Reporter, screen: Screen) -> None:
    for _look in range(3):
        report.weights({GREEN: 5, BLUE: 95}, {BLUE: 75, GREEN: 25})
    report.weights({BLUE: 75, GREEN: 25})
    assert screen == [
        "prod | traffic: blue 95 %, green 5 %; next: blue 75 %, green 25 %",
        "prod | traffic: blue 75 %, green 25 %",
    ]


def test_events_share_a_line_and_a_resource_is_named_once(report: Reporter, screen: Screen) -> None:
    report.happened(
        story(
            "shop-prod-green",
            """
            0 . CREATE_IN_PROGRESS User Initiated
            1 Template CREATE_IN_PROGRESS
            2 Template CREATE_COMPLETE
            3 Group CREATE_IN_PROGRESS Resource creation Initiated
            """,
        )
    )
    assert screen == [
        "prod | stack shop-prod-green: CREATE_IN_PROGRESS, Template CREATE_COMPLETE, Group CREATE_IN_PROGRESS"
    ]


def test_a_failure_has_a_line_of_its_own_with_its_reason(report: Reporter, screen: Screen) -> None:
    report.happened(
        story(
            "shop-prod-green",
            """
            1 Template CREATE_COMPLETE
            2 Group CREATE_FAILED Received 0 SUCCESS signal(s) out of 2
            3 Group DELETE_COMPLETE
            4 . ROLLBACK_COMPLETE
            """,
        )
    )
    assert screen == [
        "prod | stack shop-prod-green: Template CREATE_COMPLETE",
        "prod | stack shop-prod-green: Group CREATE_FAILED: Received 0 SUCCESS signal(s) out of 2",
        "prod | stack shop-prod-green: Group DELETE_COMPLETE, ROLLBACK_COMPLETE",
    ]


def test_many_events_make_short_lines(report: Reporter, screen: Screen) -> None:
    names = [f"Alarm{number}" for number in range(12)]
    report.happened(story("shop-prod-edge", "\n".join(f"1 {name} CREATE_IN_PROGRESS" for name in names)))
    assert max(map(len, screen)) <= LINE_LENGTH
    assert all(f"{name} CREATE_IN_PROGRESS" in "\n".join(screen) for name in names)


def test_no_event_no_line(report: Reporter, screen: Screen) -> None:
    report.happened([])
    assert screen == []


def test_the_guard_is_told_once(report: Reporter, screen: Screen) -> None:
    order = GuardOrder("20260102-120000-3f9a", {BLUE: 100, GREEN: 0}, ("prod-5xx",), False, NOON, "prod-5xx")
    for _look in range(3):
        report.guard_fired(order)
    assert screen == ["prod | the guard has fired at 12:00:00 UTC on the alarm prod-5xx: blue 100 %, green 0 %"]


def test_turning_back_is_told_once(report: Reporter, screen: Screen) -> None:
    for _look in range(3):
        report.turning_back("gate analysis: 3.1 % errors")
    assert screen == ["prod | turning back: gate analysis: 3.1 % errors"]


def test_who_holds_the_lock_is_told_once_a_minute(report: Reporter, screen: Screen, time: Clock) -> None:
    lease = Lease("ann@build-7", "deploy r2", NOON, NOON + timedelta(minutes=1), 7)
    for _second in range(90):
        report.locked(lease)
        time.passes(1)
    assert screen == ["prod | waiting: ann@build-7 has held the lock since 12:00:00 UTC to deploy r2"] * 2


def test_the_end(report: Reporter, screen: Screen) -> None:
    report.ended(Plan(Result.DEPLOYED, "r2 serves all traffic from green"))
    assert screen == ["prod | deployed: r2 serves all traffic from green"]


def test_an_end_that_no_response_proves_says_so(report: Reporter, screen: Screen) -> None:
    report.ended(Plan(Result.DEPLOYED, "r2 serves all traffic from green", proven=False))
    assert "; unproven, since the load balancer can't be reached from here" in screen[0]


def test_a_servers_last_words_stand_below_the_end(report: Reporter, screen: Screen) -> None:
    report.ended(Plan(Result.ABORTED, "0 of 2 servers of green healthy after 10 m\nboot\nno such table: users"))
    assert screen == [
        "prod | aborted: 0 of 2 servers of green healthy after 10 m",
        "prod |   boot",
        "prod |   no such table: users",
    ]


def test_nothing_moves_the_cursor_of_a_persons_terminal(report: Reporter, screen: Screen) -> None:
    report.turning_back("alarm \x1b[2Jprod\r\nnothing to see")
    assert screen == ["prod | turning back: alarm  [2Jprod  nothing to see"]
