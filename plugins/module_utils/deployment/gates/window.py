# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which minutes of metrics are looked at: pure.

The load balancer counts by the minute of the clock, and a minute's metrics come after it has ended.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import timedelta

if t.TYPE_CHECKING:
    from datetime import datetime

MINUTE: t.Final = timedelta(minutes=1)
LATE_BY: t.Final = MINUTE
"""How long after its end a minute's metrics are first looked for. Some come later still: such a minute is left out
until both colours have it."""
LONGEST: t.Final = timedelta(hours=24)
"""The longest time that one percentile of CloudWatch may be taken over."""
REFERENCE: t.Final = timedelta(hours=1)


@dataclass(frozen=True)
class Window:
    """Whole minutes, from `start` up to `end`."""

    start: datetime
    end: datetime


def minutes_since(shift: datetime, now: datetime) -> Window | None:
    """The complete minutes since a shift (of the last 24 hours), or None while there is none.

    The minute of the shift itself is left out, since part of it belongs to the weights before. So the first minute is
    complete at most three minutes after the shift.
    """
    start = shift if shift == _whole(shift) else _whole(shift) + MINUTE
    end = _whole(now - LATE_BY)
    return Window(max(start, end - LONGEST), end) if start < end else None


def minutes_before(shift: datetime) -> Window:
    """The hour before a shift: what the live colour is judged by once a shift has taken its last traffic."""
    return Window(_whole(shift) - REFERENCE, _whole(shift))


def _whole(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)
