# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics of real traffic: what was asked is what CloudWatch says."""

from __future__ import annotations

import socket
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.loadbalancer.haproxy import HAProxy
from lab.loadbalancer.model import Backend, Balancing, Forward, Frontend, Member, Share
from lab.metrics.collector import Collector
from lab.metrics.model import Datapoint
from tests.lab.contract.balancer import Balancer, ask
from tests.lab.contract.support import OCTET, forward, wait_for
from tests.lab.contract.target import Target

ARN = "arn:aws:elasticloadbalancing:eu-west-1:000000000000:"
GROUP = f"{ARN}targetgroup/blue/2"
ADDRESS, PORT = f"127.{OCTET}.1.1", 8000
URL = f"http://{ADDRESS}:{PORT}"
MINUTE = 0.5


class Measured:
    """A load balancer of its own, and the values that its minutes delivered."""

    def __init__(self, folder: Path) -> None:
        self._haproxy = HAProxy(folder, 0)
        self._points: list[Datapoint] = []
        self._collector = Collector(self._haproxy.requests, MINUTE, self._points.extend)
        self._balancing = Balancing()

    def serve(self, *members: Member) -> None:
        share = Forward((Share(GROUP, 1),))
        frontend = Frontend(f"{ARN}listener/app/shop/1/3", ADDRESS, PORT, share)
        self._balancing = Balancing((frontend,), (Backend(GROUP, members),))
        self._haproxy.apply(self._balancing)

    def values(self, metric: str, of_group: bool) -> list[float]:
        """Every value of a metric, of all minutes that are over."""
        dimensions = {"LoadBalancer": "app/shop/1", **({"TargetGroup": "targetgroup/blue/2"} if of_group else {})}
        found = [point for point in self._points if (point.metric, point.dimensions) == (metric, dimensions)]
        return [value for point in found for value in point.values]

    def wait(self, metric: str, number: int) -> None:
        """Wait until the load balancer's metric has at least as many values, then for two minutes more."""

        def look() -> bool:
            self._collector.tick(self._balancing, [], time.time())
            return len(self.values(metric, False)) >= number

        wait_for(look, f"{number} values of {metric}")
        until = time.time() + 2 * MINUTE
        wait_for(lambda: look() and time.time() > until, "two minutes more")

    @property
    def metrics(self) -> set[str]:
        return {point.metric for point in self._points}

    def close(self) -> None:
        self._haproxy.close()


@pytest.fixture
def measured(tmp_path: Path) -> Iterator[Measured]:
    made = Measured(tmp_path)
    yield made
    made.close()


def member(target: Target) -> Member:
    return Member("a", target.address, target.port)


def test_counts_are_exact_errors_included(measured: Measured) -> None:
    with Target("blue") as target:
        measured.serve(member(target))
        for status, number in ((200, 150), (404, 20), (500, 30)):
            target.status = status
            for _ in range(number):
                ask(URL)
        measured.wait("RequestCount", 200)
    for of_group in (False, True):
        assert measured.values("RequestCount", of_group) == [1] * 200
        assert measured.values("HTTPCode_Target_2XX_Count", of_group) == [1] * 150
        assert measured.values("HTTPCode_Target_4XX_Count", of_group) == [1] * 20
        assert measured.values("HTTPCode_Target_5XX_Count", of_group) == [1] * 30
    assert "HTTPCode_ELB_5XX_Count" not in measured.metrics
    assert "TargetConnectionErrorCount" not in measured.metrics


def test_refused_connections_are_502_and_not_the_targets_errors(measured: Measured) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: every connection is refused
        measured.serve(Member("a", *closed.getsockname()))
        assert {ask(URL) for _ in range(25)} == {"502"}
        measured.wait("HTTPCode_ELB_5XX_Count", 25)
    assert measured.values("HTTPCode_ELB_5XX_Count", False) == [1] * 25
    assert measured.values("TargetConnectionErrorCount", True) == [1] * 25
    assert measured.values("RequestCount", True) == [1] * 25
    assert measured.metrics == {"HTTPCode_ELB_5XX_Count", "TargetConnectionErrorCount", "RequestCount"}


def test_a_target_that_closes_without_an_answer_is_502_and_no_connection_error(measured: Measured) -> None:
    with Target("blue") as target:
        target.breaks = True
        measured.serve(member(target))
        assert {ask(URL) for _ in range(10)} == {"502"}
        measured.wait("HTTPCode_ELB_5XX_Count", 10)
    assert measured.values("HTTPCode_ELB_5XX_Count", False) == [1] * 10
    assert measured.metrics == {"HTTPCode_ELB_5XX_Count", "RequestCount"}


def test_a_targets_own_503_is_its_own(measured: Measured) -> None:
    with Target("blue") as target:
        target.status = 503
        measured.serve(member(target))
        assert {ask(URL) for _ in range(10)} == {"503"}
        measured.wait("RequestCount", 10)
    assert measured.values("HTTPCode_Target_5XX_Count", True) == [1] * 10
    assert "HTTPCode_ELB_5XX_Count" not in measured.metrics


def test_no_target_is_503_of_the_balancer_alone(measured: Measured) -> None:
    measured.serve()
    assert {ask(URL) for _ in range(10)} == {"503"}
    measured.wait("HTTPCode_ELB_5XX_Count", 10)
    assert measured.values("HTTPCode_ELB_5XX_Count", False) == [1] * 10
    assert measured.metrics == {"HTTPCode_ELB_5XX_Count"}


def test_response_times_are_the_targets(measured: Measured) -> None:
    with Target("blue") as target:
        measured.serve(member(target))
        for number in range(100):
            target.delay = 0.1 if number % 10 == 0 else 0.0
            ask(URL)
        measured.wait("TargetResponseTime", 100)
    times = measured.values("TargetResponseTime", True)
    assert len(times) == 100
    assert 0.1 <= statistics.quantiles(times, n=100)[94] < 0.2
    assert statistics.median(times) < 0.05


def test_cloudwatch_has_the_counts_of_the_traffic_and_of_the_targets(balancer: Balancer) -> None:
    elb, cloudwatch = balancer.api.elb, balancer.api.client("cloudwatch")
    listener = elb.describe_listeners(ListenerArns=[balancer.listener])["Listeners"][0]
    name = listener["LoadBalancerArn"].split(":loadbalancer/")[1]
    group = balancer.green_group.rsplit(":", 1)[1]

    def total(metric: str, statistic: str) -> float | None:
        now = time.time()
        found = cloudwatch.get_metric_statistics(
            Namespace="AWS/ApplicationELB",
            MetricName=metric,
            Dimensions=[{"Name": "LoadBalancer", "Value": name}, {"Name": "TargetGroup", "Value": group}],
            StartTime=now - 3600,
            EndTime=now + 60,
            Period=60,
            Statistics=[statistic],
        )["Datapoints"]
        values = [point[statistic] for point in found]
        return (sum(values) if statistic == "Sum" else values[-1]) if values else None

    assert total("RequestCount", "Sum") is None, "no request, no metric"
    elb.modify_listener(ListenerArn=balancer.listener, DefaultActions=forward({balancer.green_group: 1}))
    wait_for(lambda: balancer.answers({"green"}), "green alone")
    balancer.ask(100)
    asked = len(balancer.green.requests)
    wait_for(lambda: total("RequestCount", "Sum") == asked, f"{asked} requests counted")
    assert total("HTTPCode_Target_2XX_Count", "Sum") == asked
    assert total("HealthyHostCount", "Average") == 1
    assert total("UnHealthyHostCount", "Average") == 0
