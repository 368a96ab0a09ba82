# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the load balancer counted, minute by minute, as what a colour did: pure.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
"""

from __future__ import annotations

import statistics
import typing as t
from dataclasses import dataclass, field

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.model import Metrics

if t.TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    Points: t.TypeAlias = Mapping[datetime, float]

K = t.TypeVar("K")

AT_ONCE: t.Final = 0.05
"""The share of a minute's requests that may be answered in it, but were counted in the minute before. Where the load
balancer says of more responses than that that nobody asked for them, the count of the requests is not whole yet."""


@dataclass(frozen=True)
class Counted:
    """A colour's metrics, minute → sum; a minute in which there was nothing to count may be absent."""

    requests: Points = field(default_factory=dict)
    """Requests that the load balancer had a server for."""
    responses: tuple[Points, Points, Points, Points] = ({}, {}, {}, {})
    """Its servers' responses: 2xx, 3xx, 4xx, 5xx."""
    connection_errors: Points = field(default_factory=dict)
    p95: Points = field(default_factory=dict)
    """Seconds, of the whole time in one point, or in pieces."""

    def answered(self, minute: datetime) -> float:
        return sum(code.get(minute, 0) for code in self.responses)

    def minutes(self) -> set[datetime]:
        """The minutes whose sums can be believed: metrics come late, and each on its own.

        Each response was a request: where more came than were asked for, the rest of the requests is still to come.
        A minute of nothing but connection errors is no such minute; each of them was a request then.
        """
        refused = {minute for minute, count in self.connection_errors.items() if count and not self.answered(minute)}
        known = self.requests.keys() | refused
        return {minute for minute in known if self.answered(minute) <= self._asked(minute) * (1 + AT_ONCE) + 1}

    def metrics(self, minutes: Collection[datetime], balancer_5xx: Points) -> Metrics:
        """What the colour did in these minutes.

        A request that a server took and never answered, since it crashed or closed the connection, is one of the
        load balancer's own 5xx, which has no target group. It is found as the difference of requests and responses;
        but other requests have no response either: a WebSocket's, one whose client went away, and one whose
        response is not counted yet. So no more of them are errors than the load balancer made itself in that minute.
        """
        lost = {
            minute: min(max(0.0, self._asked(minute) - self.answered(minute)), balancer_5xx.get(minute, 0))
            for minute in minutes
        }
        return Metrics(
            requests=_sum({minute: max(self._asked(minute), self.answered(minute)) for minute in minutes}, minutes),
            target_5xx=_sum(self.responses[-1], minutes),
            connection_errors=_sum(self.connection_errors, minutes),
            p95=statistics.median(self.p95.values()) if self.p95 else None,
            unanswered=_sum(lost, minutes),
        )

    def _asked(self, minute: datetime) -> float:
        return self.requests.get(minute, 0) or (0 if self.answered(minute) else self.connection_errors.get(minute, 0))


def compare(colours: Mapping[K, Counted], balancer_5xx: Points) -> dict[K, Metrics]:
    """What each colour did in the minutes that can be believed of all of them.

    Args:
        colours: what was counted for each.
        balancer_5xx: minute → errors that the load balancer answered itself, whatever the colour.
    """
    common = set.intersection(*(counted.minutes() for counted in colours.values()))
    return {colour: counted.metrics(common, balancer_5xx) for colour, counted in colours.items()}


def _sum(points: Points, minutes: Collection[datetime]) -> int:
    return round(sum(points.get(minute, 0) for minute in minutes))
