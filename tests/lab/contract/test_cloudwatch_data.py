# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics: what is published can be asked for, by period, statistic and dimensions."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.lab.contract.support import CLOCK_FACTOR, Api

MINUTE = 60 * CLOCK_FACTOR
BLUE = [{"Name": "TargetGroup", "Value": "blue"}]
GREEN = [{"Name": "TargetGroup", "Value": "green"}]


def minute(number: int) -> float:
    """The begin of a minute of the lab: 0 is the one that runs, -1 the last whole one."""
    return (math.floor(time.time() / MINUTE) + number) * MINUTE


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def put(api: Api, metric: str, points: dict[float, list[float]], dimensions: list[dict[str, str]] = BLUE) -> None:
    """Publish values by time."""
    data = [
        {"MetricName": metric, "Dimensions": dimensions, "Timestamp": at(seconds), "Values": values, "Unit": "Count"}
        for seconds, values in points.items()
    ]
    api.client("cloudwatch").put_metric_data(Namespace="Shop", MetricData=data)


def query(metric: str, statistic: str, dimensions: list[dict[str, str]] = BLUE, period: int = 60) -> dict[str, Any]:
    return {
        "Id": f"{metric}_{statistic}".lower(),
        "MetricStat": {
            "Metric": {"Namespace": "Shop", "MetricName": metric, "Dimensions": dimensions},
            "Period": period,
            "Stat": statistic,
        },
    }


def ask(api: Api, start: float, end: float, *queries: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """The results of GetMetricData."""
    answer = api.client("cloudwatch").get_metric_data(
        MetricDataQueries=list(queries), StartTime=at(start), EndTime=at(end), **more
    )
    results: list[dict[str, Any]] = answer["MetricDataResults"]
    return results


def test_several_statistics_come_in_one_call(api: Api) -> None:
    begin = minute(-2)
    put(api, "Latency", {begin + 0.1: [1, 2, 3], begin + 0.9: [4]})
    statistics = ("SampleCount", "Sum", "Average", "Maximum", "p50")
    found = ask(api, begin, begin + MINUTE, *(query("Latency", each) for each in statistics))
    assert [each["Values"] for each in found] == [[4], [10], [2.5], [4], [2.5]]


def test_a_period_of_60_is_a_minute_of_the_lab(api: Api) -> None:
    begin = minute(-4)
    put(api, "Minutes", {begin: [1], begin + 0.9 * MINUTE: [2], begin + MINUTE: [4], begin + 3 * MINUTE: [8]})
    (found,) = ask(api, begin, begin + 4 * MINUTE, query("Minutes", "Sum"), ScanBy="TimestampAscending")
    assert found["Values"] == [3, 4, 8]
    seen = [time.timestamp() for time in found["Timestamps"]]
    assert seen == pytest.approx([begin, begin + MINUTE, begin + 3 * MINUTE], abs=0.001)


def test_newest_comes_first_unless_asked_otherwise(api: Api) -> None:
    begin = minute(-2)
    put(api, "Order", {begin: [1], begin + MINUTE: [2]})
    (found,) = ask(api, begin, begin + 2 * MINUTE, query("Order", "Sum"))
    assert found["Values"] == [2, 1]


def test_a_long_period_begins_with_the_query(api: Api) -> None:
    begin = minute(-7)
    put(api, "Whole", {begin + number * MINUTE: [1] for number in range(5)})
    (found,) = ask(api, begin, begin + 5 * MINUTE, query("Whole", "Sum", period=300))
    assert found["Values"] == [5]


def test_other_dimensions_are_another_metric(api: Api) -> None:
    begin = minute(-2)
    put(api, "Colours", {begin: [1]}, BLUE)
    put(api, "Colours", {begin: [2]}, GREEN)
    found = ask(api, begin, begin + MINUTE, query("Colours", "Sum", GREEN), query("Colours", "Sum", []))
    assert [each["Values"] for each in found] == [[2], []]


def test_what_was_never_seen_has_no_value(api: Api) -> None:
    (found,) = ask(api, minute(-5), minute(0), query("Nothing", "Sum"))
    assert (found["Values"], found["Timestamps"], found["StatusCode"]) == ([], [], "Complete")


def test_statistics_of_one_metric(api: Api) -> None:
    begin = minute(-2)
    put(api, "Old", {begin: [1, 3]})
    answer = api.client("cloudwatch").get_metric_statistics(
        Namespace="Shop",
        MetricName="Old",
        Dimensions=BLUE,
        StartTime=at(begin),
        EndTime=at(begin + MINUTE),
        Period=60,
        Statistics=["Sum", "Maximum"],
    )
    (point,) = answer["Datapoints"]
    assert {key: point[key] for key in ("Sum", "Maximum", "Unit")} == {"Sum": 4, "Maximum": 3, "Unit": "Count"}


def test_percentiles_of_one_metric(api: Api) -> None:
    begin = minute(-2)
    put(api, "Tail", {begin: list(range(1, 12))})
    answer = api.client("cloudwatch").get_metric_statistics(
        Namespace="Shop",
        MetricName="Tail",
        Dimensions=BLUE,
        StartTime=at(begin),
        EndTime=at(begin + MINUTE),
        Period=60,
        ExtendedStatistics=["p90"],
    )
    assert answer["Datapoints"][0]["ExtendedStatistics"] == {"p90": 10}


def test_metrics_are_listed_by_dimension(api: Api) -> None:
    put(api, "Listed", {minute(0): [1]}, BLUE)
    put(api, "Listed", {minute(0): [1]}, GREEN)
    found = api.client("cloudwatch").list_metrics(Namespace="Shop", MetricName="Listed", Dimensions=GREEN)
    assert found["Metrics"] == [{"Namespace": "Shop", "MetricName": "Listed", "Dimensions": GREEN}]


@pytest.mark.parametrize(
    "wrong",
    [query("X", "Median"), query("X", "Sum", period=90), {"Id": "math", "Expression": "a / b"}],
    ids=["statistic", "period", "expression"],
)
def test_what_the_lab_can_not_answer_is_refused(api: Api, wrong: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as refusal:
        ask(api, minute(-1), minute(0), wrong)
    assert refusal.value.response["Error"]["Code"] == "ValidationError"


def test_time_must_run_forwards(api: Api) -> None:
    with pytest.raises(ClientError, match="StartTime must be before EndTime"):
        ask(api, minute(0), minute(-1), query("X", "Sum"))


def test_published_now_is_there_at_once(api: Api) -> None:
    begin = minute(0)
    api.client("cloudwatch").put_metric_data(Namespace="Shop", MetricData=[{"MetricName": "Now", "Value": 5}])
    (found,) = ask(api, begin, begin + 60, query("Now", "Sum", []))
    assert found["Values"] == [5]
