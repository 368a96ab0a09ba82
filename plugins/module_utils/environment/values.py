# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a value in an environment file may be: one function a kind of value.

Each takes what YAML made of the value and returns it in the form that roles and modules use
(durations in whole seconds), or raises NotAllowed with what is allowed, for a person.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

Value: TypeAlias = str | int | list[str] | None
Parser: TypeAlias = Callable[[object], Value]

_SECONDS = {"s": 1, "m": 60, "h": 3600}


class NotAllowed(Exception):
    """A value is not what it may be; the text says what is allowed, as in "a whole number from 1 to 9"."""


def text(pattern: str, allowed: str) -> Parser:
    """Returns a parser of strings that match the whole of pattern."""
    compiled = re.compile(pattern)

    def parse(value: object) -> str:
        if isinstance(value, str) and compiled.fullmatch(value):
            return str(value)
        hint = ", in quotes" if isinstance(value, (int, float)) else ""
        raise NotAllowed(allowed + hint)

    return parse


def choice(*choices: str) -> Parser:
    """Returns a parser of one of the choices."""

    def parse(value: object) -> str:
        if isinstance(value, str) and value in choices:
            return str(value)
        raise NotAllowed(" or ".join(choices))

    return parse


def whole_number(lowest: int, highest: int) -> Parser:
    """Returns a parser of whole numbers from lowest to highest."""

    def parse(value: object) -> int:
        # To Python true is 1; to a person it is not a number.
        if isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest:
            return int(value)
        raise NotAllowed(f"a whole number from {lowest} to {highest}")

    return parse


def duration(lowest: str, highest: str) -> Parser:
    """Returns a parser of durations such as 30s, 5m or 1h into seconds."""
    least, most = _seconds(lowest), _seconds(highest)

    def parse(value: object) -> int:
        seconds = _seconds(value) if isinstance(value, str) else None
        if least is None or most is None or seconds is None or not least <= seconds <= most:
            raise NotAllowed(f"a duration such as 30s, 5m or 1h, from {lowest} to {highest}")
        return seconds

    return parse


def list_of(pattern: str, least: int, allowed: str) -> Parser:
    """Returns a parser of lists of at least so many different strings that match pattern."""
    compiled = re.compile(pattern)

    def parse(value: object) -> list[str]:
        if isinstance(value, list) and all(isinstance(item, str) and compiled.fullmatch(item) for item in value):
            items = [str(item) for item in value]
            if len(items) >= least and len(set(items)) == len(items):
                return items
        raise NotAllowed(allowed)

    return parse


def _seconds(value: str) -> int | None:
    match = re.fullmatch(r"([0-9]{1,9})([smh])", value)
    return int(match[1]) * _SECONDS[match[2]] if match else None
