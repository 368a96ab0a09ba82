# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what HAProxy says about its requests, and delivers a minute's metrics once it is over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lab.loadbalancer import routing
from lab.loadbalancer.model import Balancing
from lab.metrics.minutes import Hosts, Minutes
from lab.metrics.model import Datapoint
from lab.metrics.names import balancer_of, group_of
from lab.metrics.requests import parse

#: HAProxy's line may come this much later than the time that it names.
_LATE_SECONDS = 0.3


class Collector:
    """Not for use from several threads.

    Args:
        log: the file that gets HAProxy's lines; it may be missing as yet.
        minute: how long a minute lasts, in seconds.
        publish: takes the datapoints of minutes that are over.
    """

    def __init__(self, log: Path, minute: float, publish: Callable[[list[Datapoint]], None]) -> None:
        self._log = log
        self._minutes = Minutes(minute)
        self._publish = publish
        self._read = 0
        self._rest = b""
        self._balancers: dict[str, str] = {}
        self._groups: dict[str, str] = {}

    def tick(self, balancing: Balancing, hosts: list[Hosts], now: float) -> None:
        """Read what is new.

        Args:
            balancing: what HAProxy does; what it did before is remembered, since its requests may end later.
            hosts: how the targets are.
            now: seconds since the epoch.
        """
        self._balancers |= {routing.name(each.listener): balancer_of(each.listener) for each in balancing.frontends}
        self._groups |= {routing.name(each.group): group_of(each.group) for each in balancing.backends}
        for line in self._lines():
            request = parse(line)
            if request and request.listener in self._balancers:
                self._minutes.request(request, self._balancers[request.listener], self._groups.get(request.group))
        self._minutes.hosts(hosts, now)
        if points := self._minutes.take(now - _LATE_SECONDS):
            self._publish(points)

    def _lines(self) -> list[str]:
        """The whole lines that came since the last time."""
        try:
            with self._log.open("rb") as file:
                file.seek(self._read)
                new = file.read()
        except FileNotFoundError:
            return []
        self._read += len(new)
        *lines, self._rest = (self._rest + new).split(b"\n")
        return [line.decode(errors="replace") for line in lines]
