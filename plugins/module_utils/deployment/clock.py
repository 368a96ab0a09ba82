# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place where a deployment reads a clock or waits, so that tests can let time run faster."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now() -> datetime:
    """The time of day, UTC."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds that never go back; they stand still while the machine is suspended."""
    return time.monotonic()


def boottime() -> float:
    """Seconds that never go back and count suspended time too, where the system has such a clock.

    https://man7.org/linux/man-pages/man2/clock_gettime.2.html
    """
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def sleep(seconds: float) -> None:
    time.sleep(seconds)
