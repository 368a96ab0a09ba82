# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Items of the ledger ↔ the model."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger import items, writes
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.history import (
    Record,
    deployed_before,
    record,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    Colour,
    Deployment,
    GuardOrder,
    Lease,
    LedgerSeen,
)

TABLE = "shop-prod-ledger"
NOON = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)
FIRST = Deployment(
    id="20260501-120000-0a1b",
    release="r1",
    image="ami-1",
    identity="abc",
    colour=Colour.BLUE,
    previous=None,
    previous_release="",
    started_at=NOON,
    by="ann@ci pid 1",
)
FULL = replace(
    FIRST,
    previous=Colour.GREEN,
    previous_release="r0",
    started_at=NOON + timedelta(microseconds=123456),
    kind="rollback",
    strategy="canary",
    baseline=3,
    turned_back="p95",
    abort_by="bob",
    approved_by="eve",
)
LOCK: dict[str, Any] = {
    "pk": "env",
    "sk": "lock",
    "fence": Decimal(7),
    "holder": "ann@ci pid 1",
    "token": "f00",
    "what": "deploys r1",
    "since": "2026-05-01T12:00:00+00:00",
    "until": Decimal(int(NOON.timestamp()) + 60),
}
GUARD: dict[str, Any] = {
    "pk": "env",
    "sk": "guard",
    "deployment": FIRST.id,
    "blue": Decimal(0),
    "green": Decimal(100),
    "alarms": ["prod-5xx"],
    "armed": False,
    "fired_at": "2026-05-01T12:05:00Z",
    "fired_by": "prod-5xx",
}


@pytest.mark.parametrize("deployment", [FIRST, FULL], ids=["first", "full"])
def test_a_deployment_comes_back_as_it_was(deployment: Deployment) -> None:
    assert items.deployment({"deployment": items.deployment_map(deployment)}, TABLE) == deployment


def test_what_is_empty_is_left_out() -> None:
    assert set(items.deployment_map(FIRST)) == {
        "id",
        "release",
        "image",
        "identity",
        "colour",
        "started_at",
        "by",
        "kind",
        "strategy",
        "baseline",
    }


def test_a_record_comes_back_as_it_was() -> None:
    ended = record(FULL, "rolled_back", "p95 was 0.6 s", NOON + timedelta(minutes=9))
    assert items.record(items.record_item(ended), TABLE) == ended


def test_a_guards_order_comes_back_as_it_was() -> None:
    order = GuardOrder(FIRST.id, {Colour.BLUE: 0, Colour.GREEN: 100}, ("prod-5xx", "prod-latency"), armed=True)
    assert items.guard_order(items.guard_item(order, NOON), TABLE) == order


def test_lease_deployment_and_guard_are_seen() -> None:
    found = [{**LOCK, "deployment": items.deployment_map(FULL)}, GUARD]
    assert items.ledger_seen(found, TABLE) == LedgerSeen(
        Lease("ann@ci pid 1", "deploys r1", NOON, NOON + timedelta(seconds=60), 7),
        FULL,
        GuardOrder(
            FIRST.id,
            {Colour.BLUE: 0, Colour.GREEN: 100},
            ("prod-5xx",),
            armed=False,
            fired_at=NOON + timedelta(minutes=5),
            fired_by="prod-5xx",
        ),
    )


@pytest.mark.parametrize("found", [[], [{"pk": "env", "sk": "lock", "fence": Decimal(7)}]], ids=["new", "given back"])
def test_a_free_lock_is_no_lease(found: list[dict[str, Any]]) -> None:
    assert items.ledger_seen(found, TABLE) == LedgerSeen()


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"until": "soon"}, "`until` is 'soon'"),
        ({"until": Decimal("1.5")}, "`until` is Decimal('1.5')"),
        ({"until": Decimal("1e30")}, "`until` is"),
        ({"until": None}, "`until` is missing"),
        ({"fence": True}, "`fence` is True"),
        ({"what": 5}, "`what` is 5"),
        ({"since": "yesterday"}, "`since` is 'yesterday'"),
        ({"since": "2026-05-01T12:00:00"}, "`since` is '2026-05-01T12:00:00'"),
        ({"deployment": "r1"}, "`deployment` of pk=env sk=lock of the ledger shop-prod-ledger is no map"),
        ({"deployment": {}}, "`id` is missing"),
        ({"deployment": {**items.deployment_map(FIRST), "colour": "purple"}}, "`colour` is 'purple'"),
    ],
)
def test_a_lock_that_was_written_wrongly_by_hand_is_refused_in_one_line(changed: dict[str, Any], says: str) -> None:
    lock = {name: value for name, value in {**LOCK, **changed}.items() if value is not None}
    with pytest.raises(Refused) as refused:
        items.ledger_seen([lock], TABLE)
    said = str(refused.value)
    assert says in said and "correct or delete it" in said and TABLE in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"blue": "all"}, "`blue` is 'all'"),
        ({"alarms": "prod-5xx"}, "`alarms` is 'prod-5xx'"),
        ({"alarms": [5]}, "`alarms` is [5]"),
        ({"armed": "yes"}, "`armed` is 'yes'"),
        ({"deployment": None}, "`deployment` is missing"),
    ],
)
def test_a_guards_order_that_was_written_wrongly_is_refused(changed: dict[str, Any], says: str) -> None:
    guard = {name: value for name, value in {**GUARD, **changed}.items() if value is not None}
    with pytest.raises(Refused, match="pk=env sk=guard") as refused:
        items.ledger_seen([guard], TABLE)
    assert says in str(refused.value)


def test_a_lease_never_ends_earlier_in_the_ledger_than_at_its_holder() -> None:
    assert items.epoch(NOON + timedelta(milliseconds=1)) == int(NOON.timestamp()) + 1


@pytest.mark.parametrize(("seconds_after", "takeable"), [(-1, False), (0, False), (10, False), (11, True)])
def test_anothers_lease_is_let_be_for_ten_seconds_after_its_end(seconds_after: int, takeable: bool) -> None:
    lease = Lease("ann", "deploys r1", NOON, NOON + timedelta(seconds=60), 1)
    assert writes.takeable(lease, lease.until + timedelta(seconds=seconds_after)) is takeable


def ended(release: str, result: str = "deployed", kind: str = "deploy", after: str = "") -> Record:
    return record(replace(FIRST, release=release, kind=kind, previous_release=after), result, "", NOON)


R1, BAD_R2 = ended("r1"), ended("r2", after="r1")
BACK_TO_R1, R3 = ended("r1", "rolled_back", "rollback", after="r2"), ended("r3", after="r1")


@pytest.mark.parametrize(
    ("newest_first", "serves", "before"),
    [
        ([], "r2", None),
        ([ended("r2")], "r2", None),
        ([ended("r2"), ended("r1")], "r2", "r1"),
        ([ended("r3", "rolled_back"), ended("r2"), ended("r1")], "r2", "r1"),
        ([ended("r3", "aborted"), ended("r2"), ended("r1")], "r2", "r1"),
        ([ended("r2"), ended("r2"), ended("r1")], "r2", "r1"),
        ([ended("r2", "rolled_back", "rollback"), ended("r3"), ended("r2"), ended("r1")], "r2", "r1"),
        ([ended("r2", "deployed", "rollback"), ended("r3"), ended("r2"), ended("r1")], "r2", "r1"),
        ([ended("r2"), ended("r1")], "unknown", "r2"),
        ([R3, BACK_TO_R1, BAD_R2, R1], "r3", "r1"),
        ([ended("r3", after="r3"), R3, BACK_TO_R1, BAD_R2, R1], "r3", "r1"),
        ([R3, BACK_TO_R1, BAD_R2], "r3", None),
    ],
)
def test_what_served_before(newest_first: list[Record], serves: str, before: str | None) -> None:
    found = deployed_before(newest_first, serves)
    assert (found.release if found else None) == before
