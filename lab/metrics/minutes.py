# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests and health as AWS's metrics, minute by minute. Pure: lines and time come from outside.

Metrics and what they count:
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from lab.metrics.model import NAMESPACE, Datapoint
from lab.metrics.requests import Request

_UNITS = {"TargetResponseTime": "Seconds"}
#: Metric, and its dimensions in order.
_Series = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True)
class Hosts:
    """How the registered targets of a group are, for one load balancer that uses it.

    Attributes:
        balancer: as in the dimension, ``app/NAME/ID``.
        group: as in the dimension, ``targetgroup/NAME/ID``.
    """

    balancer: str
    group: str
    healthy: int
    unhealthy: int


class Minutes:
    """Collects values until their minute is over. A minute without any has no datapoint.

    Args:
        seconds: how long a minute lasts.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._values: dict[int, dict[_Series, list[float]]] = defaultdict(lambda: defaultdict(list))

    def request(self, request: Request, balancer: str, group: str | None) -> None:
        """Count a request.

        Args:
            request: what HAProxy told.
            balancer: its load balancer, as in the dimension.
            group: its target group, as in the dimension; None where no action named one.
        """
        own = (("LoadBalancer", balancer),)
        both = (("TargetGroup", group), *own) if group else own
        values = self._values[self._minute(request.ended)]
        for metric, value in _measured(request):
            for dimensions in {own, both}:
                values[metric, dimensions].append(value)
        if not request.answered and 500 <= request.status <= 599:
            values["HTTPCode_ELB_5XX_Count", own].append(1)

    def hosts(self, hosts: list[Hosts], now: float) -> None:
        """Take down how the targets are; the last that is seen in a minute stands for it."""
        values = self._values[self._minute(now)]
        for each in hosts:
            dimensions = (("TargetGroup", each.group), ("LoadBalancer", each.balancer))
            values["HealthyHostCount", dimensions] = [each.healthy]
            values["UnHealthyHostCount", dimensions] = [each.unhealthy]

    def take(self, now: float) -> list[Datapoint]:
        """The datapoints of the minutes that are over, each once."""
        over = sorted(minute for minute in self._values if minute < self._minute(now))
        return [
            Datapoint(
                NAMESPACE, metric, dict(dimensions), minute * self._seconds, tuple(found), _UNITS.get(metric, "Count")
            )
            for minute in over
            for (metric, dimensions), found in self._values.pop(minute).items()
        ]

    def _minute(self, time: float) -> int:
        return int(time // self._seconds)


def _measured(request: Request) -> Iterator[tuple[str, float]]:
    """The metrics that a request counts under for its load balancer and its target group."""
    if not request.target_chosen:
        return
    yield "RequestCount", 1
    if not request.connected:
        yield "TargetConnectionErrorCount", 1
    if request.answered and 200 <= request.status <= 599:
        yield f"HTTPCode_Target_{request.status // 100}XX_Count", 1
    if request.seconds is not None:
        yield "TargetResponseTime", request.seconds
