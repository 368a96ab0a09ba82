# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The faults that tests have asked for, and which call or resource meets which.

Calls are matched on the API's event loop, resources on the threads of CloudFormation: everything here holds a lock.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from lab.api.faults import errors
from lab.api.faults.identity import Identity

CALL_EFFECTS = (*errors.KINDS, "reset", "reset_after", "hold_before", "hold_after")
RESOURCE_EFFECTS = ("slow_resource", "fail_resource")
ACTIONS = ("create", "update", "delete", "rollback")
_CALL_MATCH = {"client": str, "service": str, "operation": str, "writes": bool, "nth": int}
_RESOURCE_MATCH = {"stack": str, "resource": str, "action": str, "nth": int}
_OPTIONS = {"match": dict, "effect": str, "times": int, "seconds": (int, float), "error": str, "after": bool}
_COUNTING = threading.Lock()


class WrongFault(Exception):
    """A fault that can't be. The message says what is allowed."""


@dataclass
class Fault:
    """What shall happen to whom.

    Attributes:
        id: its name in the API.
        effect: one of ``CALL_EFFECTS`` or ``RESOURCE_EFFECTS``.
        match: what the call or resource must be; ``nth`` of those that are is the first that meets the effect.
        times: how many meet it.
        seconds: how long a slow resource takes; None: until it is released.
        error: why a resource fails.
        after: the resource is slow or fails once its change is made, not before.
        holding: how many wait now.
        hit: done when the first one has met it; its result is the call's number, or None for a resource.
        released: done when a hold is over; its result says whether the call is executed.
    """

    id: str
    effect: str
    match: dict[str, Any]
    times: int = 1
    seconds: float | None = None
    error: str = "Resource handler returned message: the lab was told to fail"
    after: bool = False
    seen: int = 0
    hits: int = 0
    holding: int = 0
    hit: Future[int | None] = field(default_factory=Future)
    released: Future[bool] = field(default_factory=Future)

    @contextmanager
    def held(self) -> Iterator[None]:
        """While something waits because of it."""
        with _COUNTING:
            self.holding += 1
        try:
            yield
        finally:
            with _COUNTING:
                self.holding -= 1

    def release(self, execute: bool) -> None:
        """End its holds, those to come included."""
        if not self.released.done():
            self.released.set_result(execute)

    def shown(self) -> dict[str, Any]:
        """As data for JSON."""
        call = self.hit.result() if self.hit.done() else None
        return {
            "id": self.id,
            "effect": self.effect,
            "match": self.match,
            "hit": self.hits > 0,
            "hits": self.hits,
            "call": call,
            "holding": self.holding,
            "left": self.times - self.hits,
        }


class Faults:
    """All faults of the lab."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._faults: dict[str, Fault] = {}

    def add(self, asked: Mapping[str, Any]) -> Fault:
        """A new fault, as the API was asked for it.

        Raises:
            WrongFault: it can't be; nothing has changed.
        """
        fault = Fault(id=str(next(self._numbers)), **_checked(asked))
        with self._lock:
            self._faults[fault.id] = fault
        return fault

    def get(self, fault_id: str) -> Fault | None:
        """The fault with this id, as long as it is not removed."""
        return self._faults.get(fault_id)

    def shown(self) -> list[dict[str, Any]]:
        """All faults as data for JSON."""
        return [fault.shown() for fault in list(self._faults.values())]

    def clear(self) -> None:
        """Remove all faults; what they hold goes on, and is executed."""
        with self._lock:
            removed, self._faults = list(self._faults.values()), {}
        for fault in removed:
            fault.release(True)

    def remove(self, fault: Fault) -> None:
        """Remove one fault; what it holds goes on, and is executed."""
        with self._lock:
            self._faults.pop(fault.id, None)
        fault.release(True)

    def of_call(self, number: int, call: Identity) -> Fault | None:
        """The fault that a call meets, now used up by one; the oldest where several fit."""
        facts = {
            "client": call.client,
            "service": call.service,
            "operation": call.operation,
            "writes": call.writes,
        }
        return self._meet(CALL_EFFECTS, facts, number)

    def of_resource(self, stack: str, resource: str, action: str) -> Fault | None:
        """The fault that a stack's resource meets, now used up by one."""
        return self._meet(RESOURCE_EFFECTS, {"stack": stack, "resource": resource, "action": action}, None)

    @property
    def any_of_resources(self) -> bool:
        """Whether any resource may meet a fault."""
        return any(fault.effect in RESOURCE_EFFECTS for fault in list(self._faults.values()))

    def _meet(self, effects: tuple[str, ...], facts: Mapping[str, Any], number: int | None) -> Fault | None:
        met = None
        with self._lock:
            for fault in self._faults.values():
                if fault.effect not in effects or not _fits(fault.match, facts):
                    continue
                fault.seen += 1
                if met is None and fault.seen >= fault.match.get("nth", 1) and fault.hits < fault.times:
                    met = fault
                    fault.hits += 1
        if met is not None and not met.hit.done():
            met.hit.set_result(number)
        return met


def _fits(match: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    return all(facts[key] == value for key, value in match.items() if key != "nth")


def _checked(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The fault's fields. Raises WrongFault."""
    _check("", asked, _OPTIONS)
    effect = asked.get("effect")
    if effect not in CALL_EFFECTS + RESOURCE_EFFECTS:
        raise WrongFault(f"effect is {effect!r}: it must be one of {', '.join(CALL_EFFECTS + RESOURCE_EFFECTS)}")
    match = asked.get("match", {})
    _check("match.", match, _RESOURCE_MATCH if effect in RESOURCE_EFFECTS else _CALL_MATCH)
    if "action" in match and match["action"] not in ACTIONS:
        raise WrongFault(f"match.action is {match['action']!r}: it must be one of {', '.join(ACTIONS)}")
    for name, number in (("times", asked.get("times", 1)), ("match.nth", match.get("nth", 1))):
        if number < 1:
            raise WrongFault(f"{name} is {number}: it must be at least 1")
    return dict(asked)


def _check(where: str, asked: Mapping[str, Any], allowed: Mapping[str, Any]) -> None:
    for key, value in asked.items():
        if key not in allowed:
            raise WrongFault(f"{where}{key} is unknown: allowed are {', '.join(sorted(allowed))}")
        if not isinstance(value, allowed[key]) or isinstance(value, bool) != (allowed[key] is bool):
            raise WrongFault(f"{where}{key} is {value!r}: it has another type")
