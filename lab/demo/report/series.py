# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load records as series over time, in seconds since the run of the load began."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from lab.demo.run import Phase, Run
from lab.load import Record, Summary, summarise
from lab.load.records import percentile


@dataclass(frozen=True, slots=True)
class Traffic:
    """The load, second by second.

    Attributes:
        begin: when the first request was due, in seconds since the epoch.
        seconds: how many seconds the series have; a last one that was cut short is left out if nothing failed in it.
        releases: requests answered in each second, by release, in the order of their first reply.
        failed: requests that failed in each second.
        p50, p99: response times in milliseconds of the requests due in each second; None without a reply.
    """

    begin: float
    seconds: int
    releases: dict[str, list[int]]
    failed: list[int]
    p50: list[float | None]
    p99: list[float | None]

    @property
    def peak(self) -> int:
        """The most requests in one second."""
        columns = zip(self.failed, *self.releases.values(), strict=True)
        return max((sum(column) for column in columns), default=0)

    def share(self, release: str) -> list[tuple[int, int]]:
        """The stretches of seconds [from, to) in which most replies came from the release."""
        stretches: list[tuple[int, int]] = []
        others = [sum(series) for series in zip(*self.releases.values(), strict=True)]
        for second, count in enumerate(self.releases[release]):
            if count * 2 <= others[second]:
                continue
            if stretches and stretches[-1][1] == second:
                stretches[-1] = (stretches[-1][0], second + 1)
            else:
                stretches.append((second, second + 1))
        return stretches


def traffic(records: Iterable[Record]) -> Traffic | None:
    """The records by second; None when there are none."""
    ordered = sorted(records, key=lambda record: record.t)
    if not ordered:
        return None
    begin = ordered[0].t
    whole = max(1, math.floor(ordered[-1].t - begin + 0.02))
    # A last second that was cut short would look like a dip. But a failure is never left out.
    seconds = max([whole, *(int(record.t - begin) + 1 for record in ordered if record.failed)])
    releases: dict[str, list[int]] = {}
    failed = [0] * seconds
    times: list[list[float]] = [[] for _ in range(seconds)]
    for record in ordered:
        second = int(record.t - begin)
        if second >= seconds:
            continue
        if record.failed:
            failed[second] += 1
        else:
            releases.setdefault(record.release or "no release named", [0] * seconds)[second] += 1
        if record.status is not None:
            times[second].append(record.ms)
    return Traffic(
        begin,
        seconds,
        releases,
        failed,
        [percentile(values, 0.50) if values else None for values in times],
        [percentile(values, 0.99) if values else None for values in times],
    )


def by_phase(run: Run, records: Iterable[Record]) -> list[tuple[Phase, Summary]]:
    """The load in figures for each phase that ran under it, by the time at which a request was due."""
    phases = [phase for phase in run.phases if phase.loaded]
    groups: dict[int, list[Record]] = defaultdict(list)
    for record in records:
        for number, phase in enumerate(phases):
            if phase.start <= record.t < phase.start + phase.seconds:
                groups[number].append(record)
                break
    return [(phase, summarise(groups[number])) for number, phase in enumerate(phases)]
