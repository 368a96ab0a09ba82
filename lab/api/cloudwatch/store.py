# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data behind the metrics: what was published in the last hours, by metric."""

from __future__ import annotations

import threading
from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter

from lab.api.cloudwatch.clock import index
from lab.api.cloudwatch.statistics import Sample, of_values, value
from lab.metrics.model import Datapoint

#: Longest that a sample is kept, in real seconds before its metric's newest.
_KEPT_SECONDS = 3 * 3600
_time = attrgetter("time")


@dataclass(frozen=True)
class Metric:
    """Namespace, name and dimensions: another set of dimensions is another metric."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def of(cls, namespace: str, name: str, dimensions: Mapping[str, str]) -> Metric:
        return cls(namespace, name, frozenset(dimensions.items()))


_samples: dict[Metric, list[Sample]] = {}
_lock = threading.Lock()


def publish(points: Iterable[Datapoint]) -> None:
    """Keep what was seen; it can be asked for at once, by any thread."""
    for point in points:
        metric = Metric.of(point.namespace, point.metric, point.dimensions)
        add(metric, of_values(point.time, point.unit, point.values))


def add(metric: Metric, sample: Sample) -> None:
    """Keep one sample, and forget what is too old."""
    with _lock:
        kept = _samples.setdefault(metric, [])
        insort(kept, sample, key=_time)
        del kept[: bisect_left(kept, kept[-1].time - _KEPT_SECONDS, key=_time)]


def metrics() -> list[Metric]:
    """Every metric that has data, oldest first."""
    with _lock:
        return list(_samples)


def unit(metric: Metric) -> str:
    """The unit of a metric's newest sample; ``None``, as a word, where there is none."""
    with _lock:
        return _samples[metric][-1].unit if metric in _samples else "None"


def series(
    metric: Metric, statistics: Iterable[str], start: float, length: float, count: int, only_unit: str | None = None
) -> dict[str, list[float | None]]:
    """A metric's values over periods.

    Args:
        metric: the metric.
        statistics: names such as ``Sum`` and ``p95``.
        start: begin of the first period, in seconds since the epoch.
        length: of a period, in real seconds.
        count: number of periods.
        only_unit: leave out samples of other units.

    Returns:
        For each statistic a value for each period, None where nothing was seen.
    """
    periods: list[list[Sample]] = [[] for _ in range(count)]
    with _lock:
        for sample in _samples.get(metric, ()):
            number = index(sample.time, start, length)
            if 0 <= number < count and only_unit in (None, sample.unit):
                periods[number].append(sample)
    return {statistic: [value(period, statistic) for period in periods] for statistic in statistics}
