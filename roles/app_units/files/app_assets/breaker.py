# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks nothing of a bucket that can't be reached, so that nobody waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable

FAILURES = 3
REST_SECONDS = 5.0


class Breaker:
    """Open for some seconds once so many requests in a row have failed; then the next one is a try.

    Args:
        clock: replaced in tests.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._until = 0.0

    def open(self) -> bool:
        """Whether nothing should be asked now."""
        return self._clock() < self._until

    def worked(self) -> None:
        """There was an answer."""
        self._failures = 0

    def failed(self) -> bool:
        """There was none; return whether the breaker opens."""
        self._failures += 1
        opens = self._failures >= FAILURES
        if opens:
            self._until = self._clock() + REST_SECONDS
        return opens
