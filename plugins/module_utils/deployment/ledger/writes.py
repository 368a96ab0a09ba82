# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger's writes with the condition under which each is safe, whoever sends it and however late. Pure."""

from __future__ import annotations

import typing as t
from datetime import timedelta

from ansible_collections.immutable.ec2.plugins.module_utils.aws.dynamodb import Write
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger import items

if t.TYPE_CHECKING:
    from datetime import datetime

    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.history import Record
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import Deployment, GuardOrder, Lease

GRACE: t.Final = timedelta(seconds=10)
"""How long after its end another's lease is let be. Its holder stops at the end by a clock of its own; this covers what
the two machines' clocks may differ (`table.MOST_SKEW` each, as far as it can be seen: 3 s) and a request that was
about to be sent."""

OURS: t.Final = "#token = :token AND #fence = :fence"
NOT_FIRED: t.Final = "(attribute_not_exists(#fired_at) OR #deployment <> :deployment)"


class Mine(t.NamedTuple):
    """What shows that a lock is ours: the taker's own secret, and the number it got."""

    token: str
    fence: int

    @property
    def values(self) -> dict[str, t.Any]:
        return {"token": self.token, "fence": self.fence}


def takeable(lease: Lease, now: datetime) -> bool:
    """Whether someone else's lease is over for us too."""
    return items.epoch(lease.until) < int((now - GRACE).timestamp())


class Claim(t.NamedTuple):
    """Who wants the lock, what for, and from when until when."""

    token: str
    holder: str
    what: str
    now: datetime
    until: datetime


def acquire(claim: Claim, deployment: Deployment | None, known_fence: int | None) -> Write:
    """Takes the lock, and begins the deployment unless the same one is unfinished.

    Args:
        known_fence: the last holder's number when the deployment was made up; None if nobody looked.
    """
    values: dict[str, t.Any] = {
        "holder": claim.holder,
        "token": claim.token,
        "what": claim.what,
        "since": items.moment(claim.now),
        "until": items.epoch(claim.until),
        "over": int((claim.now - GRACE).timestamp()),
        "one": 1,
    }
    change = "SET #holder = :holder, #token = :token, #what = :what, #since = :since, #until = :until"
    condition = "(attribute_not_exists(#holder) OR #until < :over OR #token = :token)"
    if deployment:
        change += ", #deployment = if_not_exists(#deployment, :deployment)"
        condition += " AND (attribute_not_exists(#deployment) OR #deployment.#id = :id)"
        values |= {"deployment": items.deployment_map(deployment), "id": deployment.id}
    if deployment and known_fence is not None:
        condition += " AND (attribute_not_exists(#fence) OR #fence = :known)"
        values["known"] = known_fence
    return Write("Update", items.LOCK_KEY, condition, values, f"{change} ADD #fence :one")


def renew(mine: Mine, until: datetime, deployment_id: str = "", baseline: int = 0, turned_back: str = "") -> Write:
    """Makes the lease longer; sets the deployment's baseline, and why it is turned back (the first reason stays)."""
    values = {**mine.values, "until": items.epoch(until)}
    change, condition = "SET #until = :until", OURS
    if baseline:
        change += ", #deployment.#baseline = :baseline"
        values["baseline"] = baseline
    if turned_back:
        change += ", #deployment.#turned_back = if_not_exists(#deployment.#turned_back, :turned_back)"
        values["turned_back"] = turned_back
    if baseline or turned_back:
        condition += " AND #deployment.#id = :id"
        values["id"] = deployment_id
    return Write("Update", items.LOCK_KEY, condition, values, change)


def release(mine: Mine) -> Write:
    """Gives the lock back; an unfinished deployment stays."""
    return Write("Update", items.LOCK_KEY, OURS, mine.values, _remove(*items.LEASE))


def holding(mine: Mine) -> Write:
    """Changes nothing; fails the transaction that it is in unless the lock is ours."""
    return Write("ConditionCheck", items.LOCK_KEY, OURS, mine.values)


def arm(order: GuardOrder, now: datetime) -> Write:
    return Write("Put", items.guard_item(order, now), NOT_FIRED, {"deployment": order.deployment})


def disarm(deployment_id: str) -> Write:
    values = {"deployment": deployment_id, "off": False}
    return Write("Update", items.GUARD_KEY, "#deployment = :deployment", values, "SET #armed = :off")


def finish(mine: Mine, record: Record, forward: bool) -> tuple[Write, Write, Write]:
    """Ends the deployment: the lock is free, the guard has no order, the history has a record.

    Args:
        forward: the deployment was not turned back; then it can't end so once the guard has.
    """
    guard = (
        Write("Delete", items.GUARD_KEY, NOT_FIRED, {"deployment": record.id})
        if forward
        else Write("Delete", items.GUARD_KEY)
    )
    lock = Write(
        "Update",
        items.LOCK_KEY,
        f"{OURS} AND #deployment.#id = :id",
        {**mine.values, "id": record.id},
        _remove(*items.LEASE, "deployment"),
    )
    return lock, guard, Write("Put", items.record_item(record))


def approve(deployment_id: str, by: str) -> Write:
    """Says go, unless the deployment is on its way back."""
    condition = (
        "#deployment.#id = :id AND attribute_not_exists(#deployment.#turned_back)"
        " AND attribute_not_exists(#deployment.#abort_by)"
    )
    return _sign("approved_by", deployment_id, by, condition)


def request_abort(deployment_id: str, by: str) -> Write:
    return _sign("abort_by", deployment_id, by, "#deployment.#id = :id")


def _sign(attribute: str, deployment_id: str, by: str, condition: str) -> Write:
    path = f"#deployment.#{attribute}"
    change = f"SET {path} = if_not_exists({path}, :by)"
    return Write("Update", items.LOCK_KEY, condition, {"id": deployment_id, "by": by}, change)


def _remove(*attributes: str) -> str:
    return "REMOVE " + ", ".join(f"#{attribute}" for attribute in attributes)
