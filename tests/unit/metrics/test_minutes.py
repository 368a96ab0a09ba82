# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics of requests and targets, as AWS's load balancer counts them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from lab.metrics.minutes import Hosts, Minutes
from lab.metrics.requests import Request

BALANCER, GROUP = "app/shop/1", "targetgroup/blue/2"
ANSWERED = {"target_chosen": True, "connected": True, "answered": True, "seconds": 0.25}
REFUSED = {"target_chosen": True, "connected": False, "answered": False, "seconds": None, "status": 502}
CLOSED = {**REFUSED, "connected": True}
NO_TARGET = {**REFUSED, "target_chosen": False, "status": 503}


def counted(*requests: Mapping[str, object], group: str | None = GROUP) -> dict[tuple[str, bool], list[float]]:
    """The values by metric and whether they are the target group's."""
    minutes = Minutes(60)
    for each in requests:
        minutes.request(Request(ended=61, listener="l", group="g", **each), BALANCER, group)  # type: ignore[arg-type]
    return {(point.metric, "TargetGroup" in point.dimensions): list(point.values) for point in minutes.take(120)}


@pytest.mark.parametrize("status", [200, 302, 404, 503])
def test_a_targets_answer_counts_for_both_by_its_class(status: int) -> None:
    metric = f"HTTPCode_Target_{status // 100}XX_Count"
    assert counted({**ANSWERED, "status": status}) == {
        (name, of_group): value
        for name, value in {"RequestCount": [1], metric: [1], "TargetResponseTime": [0.25]}.items()
        for of_group in (False, True)
    }


def test_a_refused_connection_is_the_balancers_error_and_the_groups_connection_error() -> None:
    found = counted(REFUSED)
    assert found["HTTPCode_ELB_5XX_Count", False] == [1]
    assert found["TargetConnectionErrorCount", True] == found["TargetConnectionErrorCount", False] == [1]
    assert ("HTTPCode_ELB_5XX_Count", True) not in found
    assert not [metric for metric, _of_group in found if metric.startswith("HTTPCode_Target")]


def test_a_connection_that_was_made_and_closed_is_no_connection_error() -> None:
    found = counted(CLOSED)
    assert found["HTTPCode_ELB_5XX_Count", False] == [1]
    assert "TargetConnectionErrorCount" not in {metric for metric, _of_group in found}


@pytest.mark.parametrize("group", [GROUP, None], ids=["a group without targets", "no group"])
def test_without_a_target_only_the_balancers_error_counts(group: str | None) -> None:
    assert counted(NO_TARGET, group=group) == {("HTTPCode_ELB_5XX_Count", False): [1]}


def test_nothing_happened_is_no_datapoint() -> None:
    minutes = Minutes(60)
    minutes.hosts([], 61)
    assert minutes.take(1000) == []


def test_a_minute_is_delivered_once_when_it_is_over() -> None:
    minutes = Minutes(6)
    for time in (12.0, 17.9, 18.1):
        minutes.request(Request(time, "l", "g", True, True, True, 200, 0.1), BALANCER, GROUP)
    assert minutes.take(17.99) == []
    times = {(point.metric, point.time, point.values) for point in minutes.take(18) if point.metric == "RequestCount"}
    assert times == {("RequestCount", 12, (1, 1))}
    assert minutes.take(18) == []
    assert {point.time for point in minutes.take(24)} == {18}


def test_the_last_health_that_was_seen_stands_for_its_minute() -> None:
    minutes = Minutes(60)
    minutes.hosts([Hosts(BALANCER, GROUP, healthy=2, unhealthy=0)], 61)
    minutes.hosts([Hosts(BALANCER, GROUP, healthy=1, unhealthy=1)], 119)
    assert {(point.metric, point.values) for point in minutes.take(120)} == {
        ("HealthyHostCount", (1,)),
        ("UnHealthyHostCount", (1,)),
    }
