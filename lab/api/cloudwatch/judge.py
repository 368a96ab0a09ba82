# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state that an alarm's datapoints give it. Pure.

Rules: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

OK, ALARM, INSUFFICIENT_DATA = "OK", "ALARM", "INSUFFICIENT_DATA"
#: Periods that are looked at beyond the evaluation periods, in case some of these have no data.
SPARE_PERIODS = 2

_COMPARES: Mapping[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}
COMPARISONS = tuple(_COMPARES)
MISSING_DATA = ("missing", "ignore", "breaching", "notBreaching")


@dataclass(frozen=True)
class Rule:
    """What an alarm was told.

    Attributes:
        comparison: one of ``COMPARISONS``.
        threshold: what values are compared with.
        periods: how many datapoints are evaluated.
        to_alarm: how many of them must be breaching.
        missing: what missing data count as, one of ``MISSING_DATA``.
    """

    comparison: str
    threshold: float
    periods: int
    to_alarm: int
    missing: str

    def breaches(self, value: float) -> bool:
        return _COMPARES[self.comparison][0](value, self.threshold)


@dataclass(frozen=True)
class Judgement:
    """A state and why."""

    state: str
    reason: str


def judge(rule: Rule, values: Sequence[float | None], current: str) -> Judgement:
    """The state that follows from the values.

    Args:
        rule: the alarm's.
        values: one a period, the newest last, None where there is no data; ``periods`` and the spare ones.
        current: the alarm's state until now.
    """
    real = [value for value in values if value is not None][-rule.periods :]
    filled = rule.periods - len(real)
    breaching = [value for value in real if rule.breaches(value)]
    if not filled or rule.missing in ("breaching", "notBreaching"):
        bad = len(breaching) + (filled if rule.missing == "breaching" else 0)
        state = ALARM if bad >= rule.to_alarm else OK
    elif not real:
        state = current if rule.missing == "ignore" else INSUFFICIENT_DATA
    elif len(breaching) >= rule.to_alarm:
        state = ALARM
    elif len(breaching) < len(real):
        state = OK
    else:
        state = _early(rule, values, current)
    return Judgement(state, _reason(rule, real, filled, state, current))


def _early(rule: Rule, values: Sequence[float | None], current: str) -> str:
    """All that is known is breaching, but it is too little: an alarm only where the first of it is old enough."""
    age = len(values) - next(number for number, value in enumerate(values) if value is not None)
    return ALARM if rule.missing == "missing" and age >= rule.to_alarm else current


def _reason(rule: Rule, real: Sequence[float], filled: int, state: str, current: str) -> str:
    if state == INSUFFICIENT_DATA:
        return f"Insufficient Data: {rule.periods} datapoints were unknown."
    words = f"{_COMPARES[rule.comparison][1]} the threshold ({rule.threshold})"
    parts = []
    if real:
        fitting = sum(rule.breaches(value) == (state == ALARM) for value in real)
        negated = "" if state == ALARM else "not "
        parts.append(f"{fitting} of the last {len(real)} datapoints {list(real)} were {negated}{words}")
    if filled:
        parts.append(f"{filled} missing datapoints were treated as [{rule.missing}]")
    needed = rule.to_alarm if state == ALARM else rule.periods - rule.to_alarm + 1
    return f"Threshold Crossed: {'; '.join(parts)} (minimum {needed} datapoints for {current} -> {state} transition)."
