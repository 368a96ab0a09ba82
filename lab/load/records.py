# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a load run leaves behind: one record a request, and a summary of all of them."""

from __future__ import annotations

import json
import math
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

NO_RELEASE = "none"
"""Counted under this name: replies without an X-Release header, and requests without a reply."""

BEHIND_MS = 500.0
"""A client whose 99th percentile of lateness is above this did not hold its rate from one second to the next.

Less than that is the scheduling of a busy machine: the rate holds, and the replies' times, which count from the due
time, bear it.
"""


@dataclass(frozen=True, slots=True)
class Record:
    """One request.

    Attributes:
        t: when it was due, in seconds since the epoch.
        path: what was asked for.
        status: the reply's HTTP status; None without a reply.
        release: the reply's X-Release header; None without one.
        ms: from the due time to the last byte of the reply (or the error). Measured from the due
            time, a server that stalls is charged for every request that it kept waiting.
        error: why there was no complete reply (refused, reset, timeout, ...), or None.
    """

    t: float
    path: str
    status: int | None
    release: str | None
    ms: float
    error: str | None

    @property
    def failed(self) -> bool:
        """True without a complete reply, and for every 4xx and 5xx: all the paths asked for exist."""
        return self.error is not None or self.status is None or self.status >= 400

    def to_json(self) -> str:
        """The record as one line of JSON, without the line's end."""
        return json.dumps(
            {
                "t": round(self.t, 4),
                "path": self.path,
                "status": self.status,
                "release": self.release,
                "ms": round(self.ms, 2),
                "error": self.error,
            },
            separators=(",", ":"),
        )


@dataclass(frozen=True, slots=True)
class Summary:
    """A load run in figures. Times in milliseconds; percentiles over the requests with a reply (else 0.0).

    `rate` is that of the requests as they really left; `late_p99_ms` how long after they were due;
    `behind` that the client itself could not keep up, so that the run shows less than it was told to.
    """

    requests: int
    failed: int
    seconds: float
    rate: float
    by_release: dict[str, int]
    by_status: dict[str, int]
    by_error: dict[str, int]
    p50_ms: float
    p99_ms: float
    max_ms: float
    late_p99_ms: float
    behind: bool

    def to_json(self) -> str:
        """The summary as one line of JSON, without the line's end."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> Summary:
        """The summary that to_json wrote; raises ValueError or TypeError for anything else."""
        return cls(**json.loads(line))


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that at least `share` (0..1) of the values do not exceed; 0.0 without values."""
    ordered = sorted(values)
    if not ordered:
        return 0.0
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


class Tally:
    """Counts records as they come, in little memory, and sums them up at the end."""

    def __init__(self) -> None:
        self._releases: Counter[str] = Counter()
        self._statuses: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()
        self._answered_ms = array("d")
        self._late_ms = array("d")
        self._failed = 0
        self._requests = 0
        self._first = float("inf")
        self._last = float("-inf")

    def add(self, record: Record, late_ms: float = 0.0) -> None:
        """Count one request that the client sent `late_ms` after it was due."""
        self._requests += 1
        self._failed += record.failed
        self._releases[record.release or NO_RELEASE] += 1
        if record.status is not None:
            self._statuses[str(record.status)] += 1
            self._answered_ms.append(record.ms)
        if record.error is not None:
            self._errors[record.error] += 1
        self._late_ms.append(late_ms)
        sent = record.t + late_ms / 1000
        self._first = min(self._first, sent)
        self._last = max(self._last, sent)

    def summary(self) -> Summary:
        """What was counted so far."""
        seconds = max(0.0, self._last - self._first)
        late = percentile(self._late_ms, 0.99)
        return Summary(
            requests=self._requests,
            failed=self._failed,
            seconds=round(seconds, 3),
            # n requests span n - 1 intervals
            rate=round((self._requests - 1) / seconds, 2) if seconds else 0.0,
            by_release=dict(sorted(self._releases.items())),
            by_status=dict(sorted(self._statuses.items())),
            by_error=dict(sorted(self._errors.items())),
            p50_ms=round(percentile(self._answered_ms, 0.50), 2),
            p99_ms=round(percentile(self._answered_ms, 0.99), 2),
            max_ms=round(max(self._answered_ms, default=0.0), 2),
            late_p99_ms=round(late, 2),
            behind=late > BEHIND_MS,
        )


def summarise(records: Iterable[Record]) -> Summary:
    """Sum up records from a file; how late they left is not in it, so `behind` is False."""
    tally = Tally()
    for record in records:
        tally.add(record)
    return tally.summary()


def read_records(path: Path) -> Iterator[Record]:
    """The records of a load run's file, in the order of their replies; raises OSError or ValueError."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield Record(**json.loads(line))
