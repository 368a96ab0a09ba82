# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One deadline for the whole run, and jittered backoff inside it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from .errors import ConfigError, Exit, Retryable

Result = TypeVar("Result")

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0


class Deadline:
    """The time until which everything must be done.

    Args:
        seconds: from now.
        clock, pause, jitter: replaced in tests.
    """

    def __init__(
        self,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.seconds = seconds
        self._clock = clock
        self._pause = pause
        self._jitter = jitter
        self._end = clock() + seconds

    def left(self) -> float:
        """Return the seconds that are left, 0 at least."""
        return max(0.0, self._end - self._clock())

    def retry(self, what: str, call: Callable[[], Result], code: Exit = Exit.UNAVAILABLE) -> Result:
        """Return what ``call`` returns, called again after each `Retryable` until the deadline.

        The pause is drawn from the whole interval ("full jitter"), so that servers which start together spread out.

        Raises:
            ConfigError: the deadline passed; it says what was tried, how often, and the last reason.
        """
        longest = FIRST_PAUSE
        attempts = 0
        while True:
            if not self.left():
                raise ConfigError(code, f"{what}: not asked, nothing is left of {self.seconds:.0f} s")
            attempts += 1
            try:
                return call()
            except Retryable as error:
                pause = self._jitter(0.0, longest)
                if pause >= self.left():
                    tries = "once" if attempts == 1 else f"{attempts} times"
                    raise ConfigError(
                        code, f"{what}: tried {tries} in {self.seconds:.0f} s, at last: {error}"
                    ) from error
            self._pause(pause)
            longest = min(longest * 2, LONGEST_PAUSE)
