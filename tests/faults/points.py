# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every call of a deployment × everything that can happen to it."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: What is killed, right before the call is executed or right after, before its answer arrives.
KILLS = {f"kill {who} {when}": (who, f"hold_{when}") for when in ("before", "after") for who in ("parent", "worker")}
#: How the call is answered, once.
ANSWERS = ("throttle", "internal", "reset", "reset_after", "denied")
EFFECTS = (*KILLS, *ANSWERS)


@dataclass(frozen=True, order=True)
class Call:
    """The nth call of an operation in a deployment."""

    service: str
    operation: str
    nth: int

    def __str__(self) -> str:
        return f"{self.service}.{self.operation} #{self.nth}"


@dataclass(frozen=True, order=True)
class Point:
    """One fault of one call.

    Attributes:
        release: what is deployed meanwhile; "" for the other good one.
        call: which call; None for a run without a fault.
        effect: one of `EFFECTS`.
    """

    release: str
    call: Call | None
    effect: str = ""

    def __str__(self) -> str:
        what = f"{self.effect}: {self.call}" if self.call else "no fault"
        return f"{what} ({self.release})" if self.release else what


def calls_of(recorded: Iterable[Mapping[str, Any]]) -> list[Call]:
    """The calls of a run, in order."""
    counted: collections.Counter[tuple[str, str]] = collections.Counter()
    calls = []
    for one in recorded:
        name = one["service"], one["operation"]
        counted[name] += 1
        calls.append(Call(*name, counted[name]))
    return calls


def common(runs: Iterable[Sequence[Call]]) -> list[Call]:
    """The calls that each of the runs made, in the order of the first: how often something is looked at depends on how
    long it takes."""
    first, *others = runs
    return [call for call in first if all(call in other for other in others)]


def points_of(release: str, calls: Iterable[Call]) -> list[Point]:
    return [Point(release, call, effect) for call in calls for effect in EFFECTS]
