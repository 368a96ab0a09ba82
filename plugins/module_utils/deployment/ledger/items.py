# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Items of the ledger's table ↔ the model. Pure.

``pk=env``: ``sk=lock`` (the lease and the unfinished deployment) and ``sk=guard`` (the guard's order);
``pk=history``: one item for each deployment that has ended. What is empty is left out.
"""

from __future__ import annotations

import dataclasses
import math
import typing as t
from datetime import UTC, datetime
from decimal import Decimal

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.history import Record
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    Colour,
    Deployment,
    GuardOrder,
    Lease,
    LedgerSeen,
)

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Item: t.TypeAlias = Mapping[str, t.Any]

ENV: t.Final = "env"
HISTORY: t.Final = "history"
LOCK_KEY: t.Final = {"pk": ENV, "sk": "lock"}
GUARD_KEY: t.Final = {"pk": ENV, "sk": "guard"}
LEASE: t.Final = ("holder", "token", "what", "since", "until")
"""The lock's attributes that go when it is given back."""

T = t.TypeVar("T", Deployment, Record)


class Wrong(ValueError):
    """A value that the model has no place for."""


# ---------------------------------------------------------------- the model → items


def deployment_map(deployment: Deployment) -> dict[str, t.Any]:
    """A deployment as the lock's attribute ``deployment``."""
    return _encode(deployment)


def record_item(record: Record) -> dict[str, t.Any]:
    """A record of the history as its item."""
    return {"pk": HISTORY, "sk": record.id, **_encode(record)}


def guard_item(order: GuardOrder, now: datetime) -> dict[str, t.Any]:
    """An order as the item that the guard reads: armed from now on."""
    return {
        **GUARD_KEY,
        "deployment": order.deployment,
        **{colour.value: order.safe[colour] for colour in Colour},
        "alarms": list(order.alarms),
        "armed": True,
        "armed_at": moment(now),
    }


def moment(time: datetime) -> str:
    """A time as text that sorts, UTC."""
    return time.astimezone(UTC).isoformat()


def epoch(time: datetime) -> int:
    """Seconds since 1970, rounded up: a lease never ends earlier than its holder thinks."""
    return math.ceil(time.timestamp())


def _encode(thing: Deployment | Record) -> dict[str, t.Any]:
    values = {field.name: getattr(thing, field.name) for field in dataclasses.fields(thing)}
    return {name: _plain(value) for name, value in values.items() if value not in (None, "")}


def _plain(value: t.Any) -> str | int:
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, Colour):
        return value.value
    return value if isinstance(value, int) else str(value)


# ---------------------------------------------------------------- items → the model


def ledger_seen(items: Iterable[Item], table: str) -> LedgerSeen:
    """The env's items as the model has them.

    Raises:
        Refused: someone wrote an item by hand, and wrongly.
    """
    found = {item.get("sk"): item for item in items}
    lock, guard = found.get("lock", {}), found.get("guard")
    return LedgerSeen(lease(lock, table), deployment(lock, table), guard_order(guard, table) if guard else None)


def lease(lock: Item, table: str) -> Lease | None:
    """The lock's lease, None if no one holds it.

    Raises:
        Refused: as above.
    """
    if "holder" not in lock:
        return None
    read = _Reader(lock, f"pk=env sk=lock of the ledger {table}")
    until = read("until", _number)
    try:
        end = datetime.fromtimestamp(until, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise read.wrong("until") from error
    return Lease(read("holder", _text), read("what", _text), read("since", _time), end, read("fence", _number))


def fence(found: Iterable[Item], table: str) -> int:
    """The number of the lock's last holder, 0 before the first.

    Raises:
        Refused: as above.
    """
    lock = next((item for item in found if item.get("sk") == "lock"), {"fence": 0})
    return _Reader(lock, f"pk=env sk=lock of the ledger {table}")("fence", _number)


def deployment(lock: Item, table: str) -> Deployment | None:
    """The unfinished deployment, if there is one.

    Raises:
        Refused: as above.
    """
    if "deployment" not in lock:
        return None
    where = f"`deployment` of pk=env sk=lock of the ledger {table}"
    found = lock["deployment"]
    if not hasattr(found, "get"):
        raise Refused(f"the item {where} is no map; {_REMEDY}")
    return _decode(Deployment, found, where)


def guard_order(guard: Item, table: str) -> GuardOrder:
    """The guard's order.

    Raises:
        Refused: as above.
    """
    read = _Reader(guard, f"pk=env sk=guard of the ledger {table}")
    return GuardOrder(
        deployment=read("deployment", _text),
        safe={colour: read(colour.value, _number) for colour in Colour},
        alarms=read("alarms", _texts),
        armed=read("armed", _flag),
        fired_at=read("fired_at", _time) if guard.get("fired_at") else None,
        fired_by=read("fired_by", _text) if guard.get("fired_by") else "",
    )


def record(item: Item, table: str) -> Record:
    """A record of the history.

    Raises:
        Refused: as above.
    """
    return _decode(Record, item, f"pk=history sk={item.get('sk')} of the ledger {table}")


_REMEDY: t.Final = (
    "correct or delete it in the DynamoDB console (what serves is read from the load balancer, not from here)"
)


class _Reader:
    """Reads one item; what is missing or wrong is named."""

    def __init__(self, item: Item, where: str) -> None:
        self._item = item
        self._where = where

    def __call__(self, name: str, decode: Callable[[t.Any], V]) -> V:
        try:
            return decode(self._item[name])
        except (KeyError, ValueError) as error:
            raise self.wrong(name) from error

    def wrong(self, name: str) -> Refused:
        is_what = f"is {self._item[name]!r}" if name in self._item else "is missing"
        return Refused(f"the item {self._where} was changed by hand: `{name}` {is_what}; {_REMEDY}")


V = t.TypeVar("V")


def _decode(kind: type[T], item: Item, where: str) -> T:
    read = _Reader(item, where)
    values = {}
    for field in dataclasses.fields(kind):
        may_miss = field.default is not dataclasses.MISSING or (str(field.type) in _EMPTY and field.name not in _NEEDED)
        if field.name in item or not may_miss:
            values[field.name] = read(field.name, _DECODERS[str(field.type)])
        elif field.default is dataclasses.MISSING:
            values[field.name] = _EMPTY[str(field.type)]
    return kind(**values)


def _text(value: t.Any) -> str:
    if not isinstance(value, str):
        raise Wrong
    return str(value)


def _texts(value: t.Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise Wrong
    return tuple(_text(each) for each in value)


def _number(value: t.Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)) or value != int(value):
        raise Wrong
    return int(value)


def _flag(value: t.Any) -> bool:
    if not isinstance(value, bool):
        raise Wrong
    return value


def _time(value: t.Any) -> datetime:
    time = datetime.fromisoformat(_text(value))
    if time.tzinfo is None:
        raise Wrong
    return time


_DECODERS: t.Final[Mapping[str, Callable[[t.Any], t.Any]]] = {
    "str": _text,
    "int": _number,
    "datetime": _time,
    "Colour": Colour,
    "Colour | None": Colour,
}
"""A field's type → how its value is read."""

_NEEDED: t.Final = frozenset({"id", "release"})
"""Texts that are never empty."""

_EMPTY: t.Final[Mapping[str, str | None]] = {"str": "", "Colour | None": None}
"""A field's type → its value where the item has none, since what is empty is left out."""
