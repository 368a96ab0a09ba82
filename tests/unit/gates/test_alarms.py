# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What alarms say of a deployment, by their state, its age, and how they treat missing data."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.alarms import (
    check_alarms,
    left_out,
    missing_alarms,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.model import AlarmState
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import GateState, Verdict

STARTED = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
BEFORE = STARTED - timedelta(hours=1)
DURING = STARTED + timedelta(minutes=4)
NOW = STARTED + timedelta(minutes=5)
NO_DATA = "INSUFFICIENT_DATA"


def alarm(name: str, value: str, since: datetime = DURING, missing_data: str = "missing") -> AlarmState:
    return AlarmState(name, value, f"why {name}", missing_data, since)


def check(*alarms: AlarmState, names: tuple[str, ...] = (), expected: tuple[str, ...] = ()) -> Verdict:
    states = {state.name: state for state in alarms}
    return check_alarms(names or tuple(states), states, expected, STARTED, NOW)


def test_alarms_that_are_ok_pass() -> None:
    verdict = check(alarm("a", "OK"), alarm("b", "OK", BEFORE))
    assert verdict == Verdict("alarms", GateState.PASSED, "none of 2 in ALARM", NOW)


def test_an_alarm_fails_with_its_reason() -> None:
    verdict = check(alarm("a", "OK"), alarm("b", "ALARM"))
    assert verdict.state is GateState.FAILED and verdict.words == "b is in ALARM: why b"


def test_an_alarm_from_before_the_start_fails_too() -> None:
    assert check(alarm("a", "ALARM", BEFORE)).state is GateState.FAILED


def test_an_alarm_outweighs_missing_data() -> None:
    assert check(alarm("a", NO_DATA), alarm("b", "ALARM")).state is GateState.FAILED


def test_an_expected_alarm_from_before_the_start_is_left_out() -> None:
    verdict = check(alarm("a", "ALARM", BEFORE), alarm("b", "OK"), expected=("a",))
    assert verdict.state is GateState.PASSED
    assert verdict.words == "none of 1 in ALARM; left out because expected: a"


def test_an_expected_alarm_that_fires_only_now_fails() -> None:
    assert check(alarm("a", "ALARM", DURING), expected=("a",)).state is GateState.FAILED


def test_the_guard_can_be_told_what_is_left_out() -> None:
    alarms = [alarm("a", "ALARM", BEFORE), alarm("b", "ALARM", DURING), alarm("c", "OK", BEFORE)]
    assert left_out({state.name: state for state in alarms}, ("a", "b", "c"), STARTED) == ("a",)


@pytest.mark.parametrize("missing_data", ["missing", "ignore", "breaching", ""])
def test_an_alarm_that_lost_its_data_holds_the_deployment(missing_data: str) -> None:
    verdict = check(alarm("a", NO_DATA, DURING, missing_data))
    assert verdict.state is GateState.UNDECIDED
    assert verdict.words == "a has had no data since 20:04:00: why a"


@pytest.mark.parametrize("missing_data", ["missing", "ignore", "breaching", ""])
def test_a_quiet_env_is_not_held_by_alarms_that_had_no_data_before_either(missing_data: str) -> None:
    assert check(alarm("a", NO_DATA, BEFORE, missing_data)).state is GateState.PASSED


def test_an_alarm_that_takes_missing_data_for_good_passes_without_data() -> None:
    assert check(alarm("a", NO_DATA, DURING, "notBreaching")).state is GateState.PASSED


def test_an_alarm_that_was_deleted_meanwhile_holds_the_deployment() -> None:
    verdict = check(alarm("a", "OK"), names=("a", "gone"))
    assert verdict.state is GateState.UNDECIDED and verdict.words == "gone is no longer there"


def test_alarms_that_do_not_exist_are_named_once_each_in_their_order() -> None:
    assert missing_alarms(["c", "a", "b", "c"], {"a": alarm("a", "OK")}) == ("c", "b")
