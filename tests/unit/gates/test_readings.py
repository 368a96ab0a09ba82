# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can't be read holds a deployment and fails it after a deadline; it never lets it go on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.readings import Readings, after_deadline
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.settings import GateSettings
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import GateState, Verdict

START = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
SETTINGS = GateSettings(deadline=timedelta(minutes=10), approval_deadline=timedelta(hours=24))


class Time:
    """A clock that stands until it is told otherwise."""

    def __init__(self) -> None:
        self.now = START

    def passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr(clock, "now", lambda: time.now)
    return time


def says(state: GateState) -> Callable[[], Verdict]:
    return lambda: Verdict("alarms", state, "words", clock.now())


def refuses() -> Verdict:
    raise AwsError("read the alarms", "Throttling: Rate exceeded", "Throttling")


def test_an_answer_is_passed_on(time: Time) -> None:
    assert Readings().read("alarms", says(GateState.PASSED)) == Verdict("alarms", GateState.PASSED, "words", START)


def test_a_refused_call_is_unreadable_and_says_why(time: Time) -> None:
    assert Readings().read("alarms", refuses) == Verdict(
        "alarms", GateState.UNREADABLE, "Could not read the alarms: Throttling: Rate exceeded", START
    )


def test_repeated_failures_are_one_failure_since_the_first(time: Time) -> None:
    readings = Readings()
    readings.read("alarms", refuses)
    time.passes(3)
    assert readings.read("alarms", refuses).since == START


def test_an_answer_in_between_begins_anew(time: Time) -> None:
    readings = Readings()
    readings.read("alarms", refuses)
    time.passes(3)
    readings.read("alarms", says(GateState.PASSED))
    time.passes(3)
    assert readings.read("alarms", refuses).since == time.now


def test_one_gate_does_not_count_for_another(time: Time) -> None:
    readings = Readings()
    readings.read("alarms", refuses)
    time.passes(3)
    assert readings.read("analysis", refuses).since == time.now


def test_a_shift_begins_anew(time: Time) -> None:
    readings = Readings()
    readings.read("alarms", says(GateState.UNDECIDED))
    time.passes(3)
    readings.forget()
    assert readings.read("alarms", says(GateState.UNDECIDED)).since == time.now


@pytest.mark.parametrize(
    ("gate", "state", "patience"),
    [
        ("alarms", GateState.UNREADABLE, SETTINGS.deadline),
        ("analysis", GateState.UNREADABLE, SETTINGS.deadline),
        ("alarms", GateState.UNDECIDED, SETTINGS.deadline),
        ("analysis", GateState.UNDECIDED, SETTINGS.approval_deadline),
        ("approval", GateState.UNDECIDED, SETTINGS.approval_deadline),
    ],
)
def test_no_gate_holds_a_deployment_for_ever(gate: str, state: GateState, patience: timedelta) -> None:
    verdict = Verdict(gate, state, "why", START)
    assert after_deadline(verdict, SETTINGS, START + patience - timedelta(seconds=1)) == verdict
    failed = after_deadline(verdict, SETTINGS, START + patience)
    assert failed.state is GateState.FAILED and failed.words.startswith(f"{state} for ")


@pytest.mark.parametrize("state", [GateState.PASSED, GateState.FAILED])
def test_what_is_decided_has_no_deadline(state: GateState) -> None:
    verdict = Verdict("alarms", state, "words", START)
    assert after_deadline(verdict, SETTINGS, START + timedelta(days=9)) == verdict
