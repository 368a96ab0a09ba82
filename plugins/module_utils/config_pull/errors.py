# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can go wrong, each kind with an exit code of its own. No text here ever holds a value."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum


class Exit(IntEnum):
    """Exit codes. They stay as they are: people and alarms go by them."""

    OK = 0
    USAGE = 2
    DIFFERENT = 3
    DECLARATION = 10
    INSTANCE = 11
    DENIED = 12
    NOT_FOUND = 13
    UNAVAILABLE = 14
    INCOMPLETE = 15
    DELIVERY = 16
    INTERNAL = 70

    @property
    def word(self) -> str:
        """The code's name as people and the instance's tag say it."""
        return self.name.lower().replace("_", "-")


class ConfigError(Exception):
    """The configuration can't be had.

    Attributes:
        code: what ``config-pull`` exits with.
        problems: one line for each mistake: what failed, where, why, what to do.
    """

    def __init__(self, code: Exit, problems: Sequence[str] | str) -> None:
        self.code = code
        self.problems: tuple[str, ...] = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("; ".join(self.problems))


class Retryable(Exception):
    """A call failed in a way that may pass: asked again until the deadline."""


def together(errors: Sequence[ConfigError]) -> ConfigError:
    """One error with the problems of all; its code is the first one's. There must be at least one."""
    return ConfigError(errors[0].code, [problem for error in errors for problem in error.problems])
