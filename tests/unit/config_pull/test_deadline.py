# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One deadline, and pauses that spread servers out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.deadline import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    Deadline,
)
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.errors import ConfigError, Exit, Retryable


class Time:
    """A clock that moves when somebody waits, and the longest pauses that the jitter could have drawn."""

    def __init__(self) -> None:
        self.now = 100.0
        self.longest: list[float] = []

    def pause(self, seconds: float) -> None:
        self.now += seconds

    def jitter(self, low: float, high: float) -> float:
        assert low == 0.0
        self.longest.append(high)
        return high

    def deadline(self, seconds: float) -> Deadline:
        return Deadline(seconds, clock=lambda: self.now, pause=self.pause, jitter=self.jitter)


def test_pauses_double_up_to_the_longest_and_end_at_the_deadline() -> None:
    time = Time()

    def refuse() -> None:
        raise Retryable("busy")

    with pytest.raises(ConfigError, match=r"^the store: tried \d+ times in 60 s, at last: busy$") as caught:
        time.deadline(60).retry("the store", refuse)
    assert caught.value.code is Exit.UNAVAILABLE
    assert time.longest[:6] == [*(FIRST_PAUSE * 2**n for n in range(5)), LONGEST_PAUSE]
    assert max(time.longest) == LONGEST_PAUSE
    assert 100.0 + 60 - LONGEST_PAUSE <= time.now <= 100.0 + 60


def test_nothing_is_asked_once_the_time_is_up() -> None:
    time = Time()
    deadline = time.deadline(10)
    time.now += 10
    with pytest.raises(ConfigError, match=r"^the store: not asked, nothing is left of 10 s$"):
        deadline.retry("the store", lambda: pytest.fail("asked"))


def test_what_comes_in_time_is_returned() -> None:
    time = Time()
    answers: Iterator[Retryable | int] = iter([Retryable("a"), Retryable("b"), 42])

    def call() -> int:
        answer = next(answers)
        if isinstance(answer, Retryable):
            raise answer
        return answer

    assert time.deadline(10).retry("x", call) == 42
    assert time.longest == [FIRST_PAUSE, FIRST_PAUSE * 2]


def test_other_errors_end_it_at_once() -> None:
    time = Time()

    def deny() -> None:
        raise ConfigError(Exit.DENIED, "denied")

    with pytest.raises(ConfigError, match="denied"):
        time.deadline(10).retry("x", deny)
    assert time.longest == []
