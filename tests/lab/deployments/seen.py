# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the records of a load run say of a deployment."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from lab.demo.run import Weights
from lab.load import Record

SETTLED_SECONDS = 1.0
"""A change of the weights is read half a second late at most."""


def failed(records: Iterable[Record]) -> list[Record]:
    return [record for record in records if record.failed]


def shares(records: list[Record], seen: list[Weights], release: str, colour: str) -> dict[int, tuple[float, int]]:
    """For each weight that a colour had for a while: the percentage of the requests that its release answered, and of
    how many requests.

    Args:
        records: of the load.
        seen: the listener's weights over time, in percent.
    """
    found = {}
    for now, then in pairwise(seen):
        begin, end = now.t + SETTLED_SECONDS, then.t - SETTLED_SECONDS
        during = [record for record in records if begin <= record.t <= end]
        if during:
            own = sum(record.release == release for record in during)
            found[now.weights[colour]] = (100 * own / len(during), len(during))
    return found


def last_from(records: Iterable[Record], release: str, after: float = 0.0) -> float:
    """When the last request that a release answered was sent, or ``after`` where none was after that."""
    return max((record.t for record in records if record.release == release), default=after)
