# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An alarm's state from its datapoints: AWS's own tables (alarm-evaluation.html), and what surrounds them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.api.cloudwatch.judge import ALARM, INSUFFICIENT_DATA, OK, Rule, judge

KEPT = "kept"
THREE_OF_THREE = Rule("GreaterThanThreshold", 1, periods=3, to_alarm=3, missing="missing")
TWO_OF_THREE = replace(THREE_OF_THREE, to_alarm=2)


def state(rule: Rule, picture: str, missing: str, current: str = KEPT) -> str:
    """The state for a picture of datapoints: 0 within the threshold, X breaching, - missing, the newest last."""
    values = [None if each == "-" else (2.0 if each == "X" else 0.0) for each in picture.split()]
    return judge(replace(rule, missing=missing), values, current).state


@pytest.mark.parametrize(
    ("rule", "picture", "missing", "ignore", "breaching", "not_breaching"),
    [
        (THREE_OF_THREE, "0 - X - X", OK, OK, OK, OK),
        (THREE_OF_THREE, "0 - - - -", OK, OK, OK, OK),
        (THREE_OF_THREE, "- - - - -", INSUFFICIENT_DATA, KEPT, ALARM, OK),
        (THREE_OF_THREE, "0 X X - X", ALARM, ALARM, ALARM, ALARM),
        (THREE_OF_THREE, "- - X - -", ALARM, KEPT, ALARM, OK),
        (TWO_OF_THREE, "0 - X - X", ALARM, ALARM, ALARM, ALARM),
        (TWO_OF_THREE, "0 0 X 0 X", ALARM, ALARM, ALARM, ALARM),
        (TWO_OF_THREE, "0 - X - -", OK, OK, ALARM, OK),
        (TWO_OF_THREE, "- - - - 0", OK, OK, ALARM, OK),
        (TWO_OF_THREE, "- - - X -", ALARM, KEPT, ALARM, OK),
    ],
)
def test_missing_data_are_treated_as_in_the_tables_of_aws(
    rule: Rule, picture: str, missing: str, ignore: str, breaching: str, not_breaching: str
) -> None:
    found = [state(rule, picture, treated) for treated in ("missing", "ignore", "breaching", "notBreaching")]
    assert found == [missing, ignore, breaching, not_breaching]


@pytest.mark.parametrize("picture", ["- - - - X", "- - - X -"])
def test_one_young_breaching_datapoint_is_no_alarm_yet(picture: str) -> None:
    assert state(THREE_OF_THREE, picture, "missing", INSUFFICIENT_DATA) == INSUFFICIENT_DATA


def test_one_breaching_period_of_two_is_no_alarm_and_two_are() -> None:
    two = replace(THREE_OF_THREE, periods=2, to_alarm=2)
    assert [state(two, "0 0 0 X", "notBreaching"), state(two, "0 0 X X", "notBreaching")] == [OK, ALARM]


@pytest.mark.parametrize(
    ("comparison", "below", "at", "above"),
    [
        ("GreaterThanThreshold", OK, OK, ALARM),
        ("GreaterThanOrEqualToThreshold", OK, ALARM, ALARM),
        ("LessThanThreshold", ALARM, OK, OK),
        ("LessThanOrEqualToThreshold", ALARM, ALARM, OK),
    ],
)
def test_values_are_compared_with_the_threshold(comparison: str, below: str, at: str, above: str) -> None:
    rule = Rule(comparison, 5, periods=1, to_alarm=1, missing="missing")
    assert [judge(rule, [None, None, value], OK).state for value in (4, 5, 6)] == [below, at, above]


def test_reason_of_an_alarm_names_values_and_threshold() -> None:
    rule = Rule("GreaterThanThreshold", 5, periods=3, to_alarm=2, missing="notBreaching")
    assert judge(rule, [1.0, 7.0, 9.0], OK).reason == (
        "Threshold Crossed: 2 of the last 3 datapoints [1.0, 7.0, 9.0] were greater than the threshold (5) "
        "(minimum 2 datapoints for OK -> ALARM transition)."
    )


def test_reason_names_how_missing_data_were_treated() -> None:
    rule = Rule("GreaterThanThreshold", 5, periods=2, to_alarm=2, missing="notBreaching")
    assert judge(rule, [None, None, None, None], ALARM).reason == (
        "Threshold Crossed: 2 missing datapoints were treated as [notBreaching] "
        "(minimum 1 datapoints for ALARM -> OK transition)."
    )
