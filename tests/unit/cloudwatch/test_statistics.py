# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Statistics over samples, and the lab's minutes by the real clock."""

from __future__ import annotations

import pytest

from lab.api.cloudwatch.clock import Clock, index
from lab.api.cloudwatch.statistics import is_statistic, of_set, of_values, value

SAMPLES = [of_values(0, "Count", [3, 1]), of_values(1, "Count", [2, 10], [1, 2])]


@pytest.mark.parametrize(
    ("statistic", "wanted"),
    [("SampleCount", 5), ("Sum", 26), ("Average", 5.2), ("Minimum", 1), ("Maximum", 10), ("p50", 3), ("p100", 10)],
)
def test_statistic_counts_each_value_as_often_as_it_was_seen(statistic: str, wanted: float) -> None:
    assert value(SAMPLES, statistic) == wanted


def test_percentile_lies_between_the_two_nearest_values() -> None:
    assert value([of_values(0, "Seconds", [float(number) for number in range(1, 11)])], "p95") == pytest.approx(9.55)


def test_nothing_seen_is_no_value() -> None:
    assert value([], "Sum") is None


def test_a_set_of_statistics_has_a_sum_and_no_percentile() -> None:
    given = of_set(0, "Count", {"SampleCount": 2, "Sum": 5, "Minimum": 1, "Maximum": 4})
    assert (value([given], "Sum"), value([given], "p95")) == (5, None)


@pytest.mark.parametrize("name", ["p101", "p", "P95", "Median", ""])
def test_unknown_statistics_are_none(name: str) -> None:
    assert not is_statistic(name)


def test_a_minute_lasts_its_share_of_real_seconds() -> None:
    clock = Clock(0.1)
    assert (clock.length(60), clock.length(300), clock.resolution(300), clock.resolution(10)) == (6, 30, 6, 1)


def test_every_begin_of_a_minute_lies_in_that_minute() -> None:
    minutes = range(1_500_000_000, 1_500_001_000)
    assert [index(minute * 1.2, 0, 1.2) for minute in minutes] == list(minutes)


def test_a_query_begins_with_its_minute() -> None:
    assert Clock(0.1).begin(61.5) == 60
    assert Clock(0.1).begin(61.5, 10) == 61
