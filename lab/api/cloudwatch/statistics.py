# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one period's samples come to. Pure.

Statistics: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)")


@dataclass(frozen=True)
class Sample:
    """Values that were published together.

    Attributes:
        time: seconds since the epoch.
        unit: as CloudWatch names it.
        values: each value and how often it was seen; empty for a set of statistics, whose values nobody knows.
        count: how many values.
        total: their sum.
        low: the least.
        high: the greatest.
    """

    time: float
    unit: str
    values: tuple[tuple[float, float], ...]
    count: float
    total: float
    low: float
    high: float


def of_values(time: float, unit: str, values: Sequence[float], counts: Sequence[float] | None = None) -> Sample:
    """A sample of values (at least one), each seen once or as often as ``counts`` says."""
    pairs = tuple(zip(values, counts or [1.0] * len(values), strict=True))
    return Sample(
        time,
        unit,
        pairs,
        sum(count for _, count in pairs),
        sum(value * count for value, count in pairs),
        min(values),
        max(values),
    )


def of_set(time: float, unit: str, given: Mapping[str, float]) -> Sample:
    """A sample of a published set of statistics; one that stands for a single value has percentiles too."""
    count, total, low, high = (float(given[key]) for key in ("SampleCount", "Sum", "Minimum", "Maximum"))
    values = ((low, count),) if low == high and total == low * count else ()
    return Sample(time, unit, values, count, total, low, high)


def is_statistic(name: str) -> bool:
    """Whether the lab knows the statistic."""
    return name in _BASIC or _PERCENTILE.fullmatch(name) is not None


def value(samples: Sequence[Sample], statistic: str) -> float | None:
    """The statistic over samples; None where there are none, and for percentiles of unknown values."""
    if not samples:
        return None
    if statistic in _BASIC:
        return _BASIC[statistic](samples)
    if not all(sample.values for sample in samples):
        return None
    return _percentile([pair for sample in samples for pair in sample.values], float(statistic[1:]))


_BASIC: Mapping[str, Callable[[Sequence[Sample]], float]] = {
    "SampleCount": lambda samples: sum(sample.count for sample in samples),
    "Sum": lambda samples: sum(sample.total for sample in samples),
    "Average": lambda samples: sum(sample.total for sample in samples) / sum(sample.count for sample in samples),
    "Minimum": lambda samples: min(sample.low for sample in samples),
    "Maximum": lambda samples: max(sample.high for sample in samples),
}


def _percentile(pairs: list[tuple[float, float]], percent: float) -> float:
    """Between the two values whose ranks are nearest, in proportion; a value seen n times has n ranks."""
    pairs.sort()
    rank = percent / 100 * (sum(count for _, count in pairs) - 1)
    below = _at(pairs, int(rank))
    return below + (rank - int(rank)) * (_at(pairs, int(rank) + 1) - below)


def _at(pairs: list[tuple[float, float]], rank: int) -> float:
    seen = 0.0
    for each, count in pairs:
        seen += count
        if rank < seen:
            return each
    return pairs[-1][0]
