# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a value in an environment file may be: one function a kind of value.

Each takes what YAML made of the value and returns it in the form that roles and modules use
(durations in whole seconds), or raises NotAllowed with what is allowed, for a person.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping
from typing import TypeAlias, TypeGuard

Value: TypeAlias = "str | int | float | list[str] | list[int] | dict[str, str] | None"
Parser: TypeAlias = Callable[[object], Value]

_SECONDS = {"s": 1, "m": 60, "h": 3600}


class NotAllowed(Exception):
    """A value is not what it may be; the text says what is allowed, as in "a whole number from 1 to 9"."""


class Seconds(int):
    """A duration as modules are given it, where a file would say 30s, 5m or 1h."""


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


def yes_or_no(value: object) -> bool:
    """A parser of true and false."""
    if isinstance(value, bool):
        return value
    raise NotAllowed("true or false")


def whole_number(lowest: int, highest: int) -> Parser:
    """Returns a parser of whole numbers from lowest to highest."""

    def parse(value: object) -> int:
        if _is_whole(value) and lowest <= value <= highest:
            return int(value)
        raise NotAllowed(f"a whole number from {lowest} to {highest}")

    return parse


def ratio(lowest: float, highest: float) -> Parser:
    """Returns a parser of numbers, decimals among them, from lowest to highest."""

    def parse(value: object) -> float:
        if isinstance(value, (int, float)) and not isinstance(value, bool) and lowest <= value <= highest:
            return float(value)
        raise NotAllowed(f"a number from {lowest:g} to {highest:g}, such as 1.5")

    return parse


def rising_percentages(value: object) -> list[int]:
    """A parser of lists of whole percentages from 1 to 99, each greater than the one before."""
    if isinstance(value, list) and value and all(_is_whole(item) and 1 <= item <= 99 for item in value):
        percentages = [int(item) for item in value]
        if all(low < high for low, high in itertools.pairwise(percentages)):
            return percentages
    raise NotAllowed("a list of whole percentages from 1 to 99, rising, such as [5, 25, 50] (100 is implied)")


def duration(lowest: str, highest: str) -> Parser:
    """Returns a parser of durations such as 30s, 5m or 1h into seconds; Seconds are taken as they are."""
    least, most = _seconds(lowest), _seconds(highest)

    def parse(value: object) -> int:
        given = isinstance(value, Seconds)
        seconds = int(value) if isinstance(value, Seconds) else _seconds(value)
        if least is None or most is None or seconds is None or not least <= seconds <= most:
            raise NotAllowed(
                f"a number of seconds from {least} to {most}"
                if given
                else f"a duration such as 30s, 5m or 1h, from {lowest} to {highest}"
            )
        return seconds

    return parse


def list_of(pattern: str, least: int, allowed: str, most: int = 100) -> Parser:
    """Returns a parser of lists of so many different strings that match the whole of pattern."""
    compiled = re.compile(pattern)

    def parse(value: object) -> list[str]:
        if isinstance(value, list) and all(isinstance(item, str) and compiled.fullmatch(item) for item in value):
            items = [str(item) for item in value]
            if least <= len(items) <= most and len(set(items)) == len(items):
                return items
        raise NotAllowed(allowed)

    return parse


def mapping_of(key_pattern: str, value_pattern: str, most: int, allowed: str) -> Parser:
    """Returns a parser of mappings of at most so many strings to strings, each matching its whole pattern."""
    key, inner = re.compile(key_pattern), re.compile(value_pattern)

    def parse(value: object) -> dict[str, str]:
        if isinstance(value, Mapping) and len(value) <= most:
            pairs = {str(k): str(v) for k, v in value.items() if isinstance(k, str) and isinstance(v, str)}
            if len(pairs) == len(value) and all(key.fullmatch(k) and inner.fullmatch(v) for k, v in pairs.items()):
                return pairs
        raise NotAllowed(allowed)

    return parse


def _is_whole(value: object) -> TypeGuard[int]:
    # To Python true is 1; to a person it is not a number.
    return isinstance(value, int) and not isinstance(value, bool)


def _seconds(value: object) -> int | None:
    match = re.fullmatch(r"([0-9]{1,9})([smh])", value) if isinstance(value, str) else None
    return int(match[1]) * _SECONDS[match[2]] if match else None
