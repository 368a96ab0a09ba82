# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's minutes by the real clock; see the package for the rule."""

from __future__ import annotations

import math
from dataclasses import dataclass

#: Share of a period by which a time may seem to lie before its period's begin: what floating point loses.
_ROUNDING = 1e-5
_MINUTE = 60


@dataclass(frozen=True)
class Clock:
    """How long AWS's seconds last.

    Attributes:
        factor: real seconds in one of AWS's.
    """

    factor: float

    def length(self, period: float) -> float:
        """Real seconds that a period of so many AWS seconds lasts."""
        return period * self.factor

    def resolution(self, period: int) -> float:
        """Real seconds between two evaluations of an alarm, and what the begin of a query is rounded to."""
        return self.length(min(period, _MINUTE))

    def begin(self, time: float, period: int = _MINUTE) -> float:
        """When the minute (or shorter period) began that a time lies in."""
        step = self.resolution(period)
        return index(time, 0, step) * step


def index(time: float, start: float, length: float) -> int:
    """Which of the stretches of ``length`` seconds since ``start`` a time lies in; below 0 before the start."""
    return math.floor((time - start) / length + _ROUNDING)
