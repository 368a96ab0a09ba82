# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One controller at a time: taking the lock, losing it, waiting for it."""

from __future__ import annotations

import time as real
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.aws import dynamodb
from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import LeaseLost
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.errors import LockHeld
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.ledger import Ledger
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import LedgerSeen
from tests.lab.ledger.support import LEASE, ORDER, R2, R3, Table, Time


def test_of_twenty_controllers_at_once_one_gets_the_lock(table: Table) -> None:
    controllers = [table.controller(f"controller {number}") for number in range(20)]
    assert all(controller.read() == LedgerSeen() for controller in controllers)

    def try_it(controller: Ledger) -> str:
        try:
            controller.acquire("deploys r2", R2)
        except LockHeld:
            return ""
        return controller.holder

    with ThreadPoolExecutor(20) as threads:
        winners = [winner for winner in threads.map(try_it, controllers) if winner]
    lease = controllers[0].read().lease
    assert lease
    assert winners == [lease.holder]
    assert lease.fence == 1


def test_who_leaves_is_told_who_deploys_what_since_when(table: Table, time: Time) -> None:
    held = table.controller("ann@ci pid 1").acquire("deploys r2", R2)
    with pytest.raises(LockHeld) as refused:
        table.controller("bob@ci pid 2").acquire("deploys r3", R3)
    assert (refused.value.lease, refused.value.deployment) == (held.lease, R2)
    since, until = held.lease.since, held.lease.until
    assert str(refused.value) == (
        f"ann@ci pid 1 holds the deployment lock: deploys r2 (deployment {R2.id} of release r2),"
        f" since {since:%Y-%m-%d %H:%M:%S} UTC; its lease holds until {until:%H:%M:%S} UTC unless renewed."
        " Wait for it with lock_wait, or end it with abort.yml"
    )


def test_what_is_taken_can_be_read(table: Table, time: Time) -> None:
    ann = table.controller("ann")
    held = ann.acquire("deploys r2", R2)
    assert ann.read() == LedgerSeen(held.lease, R2)
    assert LEASE <= held.lease.until - held.lease.since < LEASE + timedelta(seconds=1)


def test_a_dead_controllers_lock_is_taken_over_after_its_lease_and_ten_seconds(table: Table, time: Time) -> None:
    table.controller("ann").acquire("deploys r2", R2)
    bob = table.controller("bob")
    time.pass_by(69)
    with pytest.raises(LockHeld):
        bob.acquire("deploys r2", R2)
    time.pass_by(3)
    held = bob.acquire("deploys r2", R2)
    assert (held.lease.holder, held.lease.fence, held.deployment) == ("bob", 2, R2)


def test_a_renewed_lease_is_not_taken_over(table: Table, time: Time) -> None:
    ann = table.controller("ann")
    ann.acquire("deploys r2", R2)
    time.pass_by(50)
    ann.renew()
    time.pass_by(50)
    with pytest.raises(LockHeld):
        table.controller("bob").acquire("deploys r2", R2)


def test_a_lease_is_due_for_renewal_after_a_third(table: Table, time: Time) -> None:
    ann = table.controller("ann")
    assert not ann.due()
    ann.acquire("deploys r2", R2)
    time.pass_by(19)
    assert not ann.due()
    time.pass_by(1)
    assert ann.due()
    ann.renew()
    assert not ann.due()


def test_a_lock_that_was_given_back_is_free_at_once(table: Table, time: Time) -> None:
    ann = table.controller("ann")
    ann.acquire("deploys r2", R2)
    ann.release()
    assert ann.read() == LedgerSeen(deployment=R2)
    assert table.controller("bob").acquire("deploys r2", R2).lease.fence == 2


@pytest.fixture
def overtaken(table: Table, time: Time) -> Ledger:
    """A controller that stood still, while another took its lock."""
    ann = table.controller("ann")
    ann.acquire("deploys r2", R2)
    time.pass_by(72)
    bob = table.controller("bob")
    bob.acquire("deploys r2", R2)
    bob.arm(ORDER)
    return ann


@pytest.mark.parametrize("does", ["renew", "turn_back", "finish", "arm", "disarm"])
def test_who_lost_the_lock_changes_nothing_any_more(table: Table, overtaken: Ledger, does: str) -> None:
    arguments = {"turn_back": ("p95",), "finish": ("deployed", ""), "arm": (replace(ORDER, alarms=()),)}
    before = table.everything()
    with pytest.raises(LeaseLost, match=r"no longer held here: bob took it at .* \(deploys r2\); nothing more"):
        getattr(overtaken, does)(*arguments.get(does, ()))
    assert table.everything() == before


def test_who_lost_the_lock_has_nothing_to_give_back(table: Table, overtaken: Ledger) -> None:
    before = table.everything()
    overtaken.release()
    assert table.everything() == before


def test_who_lost_the_lock_writes_nothing_else_either(overtaken: Ledger) -> None:
    with pytest.raises(LeaseLost, match=r"lease ran out 12\.0 s ago"):
        overtaken.fence.check("UpdateStack")


def test_a_late_answer_to_a_renewal_gives_no_longer_lease(
    table: Table, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease counts from before the request: the others count from the time that it carried."""
    ann = table.controller("ann")
    ann.acquire("deploys r2", R2)
    update = dynamodb.update

    def slow(*arguments: object) -> object:
        answer = update(*arguments)  # type: ignore[arg-type]
        time.pass_by(61)
        return answer

    monkeypatch.setattr(dynamodb, "update", slow)
    ann.renew()
    with pytest.raises(LeaseLost):
        ann.fence.check("UpdateStack")


def test_the_same_deployment_is_resumed_with_what_was_said_of_it(table: Table, time: Time) -> None:
    ann = table.controller("ann")
    ann.acquire("deploys r2", R2)
    ann.renew(baseline=5)
    ann.approve(R2.id, "eve")
    ann.release()
    held = table.controller("bob").acquire("deploys r2", R2)
    assert held.deployment == replace(R2, baseline=5, approved_by="eve")


def test_another_deployment_is_refused_until_the_first_has_ended(table: Table, time: Time) -> None:
    ann = table.controller("ann")
    ann.acquire("deploys r2", R2)
    ann.release()
    with pytest.raises(LockHeld, match=f"deployment {R2.id} of release r2, begun by ann@ci pid 1 at") as refused:
        table.controller("bob").acquire("deploys r3", R3)
    assert refused.value.lease is None
    assert "nobody works on it" in str(refused.value)


def test_the_lock_can_be_taken_for_whatever_is_unfinished(table: Table, time: Time) -> None:
    ann = table.controller("ann")
    ann.acquire("deploys r2", R2)
    ann.release()
    assert table.controller("bob").acquire("ends the deployment", None).deployment == R2


def test_a_deployment_made_of_old_facts_is_not_begun(table: Table, time: Time) -> None:
    """Another deployed from beginning to end between a controller's look and its hand on the lock."""
    ann, bob = table.controller("ann"), table.controller("bob")
    assert bob.read() == LedgerSeen()
    ann.acquire("deploys r2", R2)
    ann.finish("deployed", "")
    held = bob.acquire("deploys r3", R3)
    assert (held.lease.holder, held.deployment) == ("bob", None)
    assert bob.acquire("deploys r3", R3).deployment == R3


def test_a_wait_ends_when_the_lock_is_given_back(table: Table, time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    ann, bob, told = table.controller("ann"), table.controller("bob"), list[str]()
    ann.acquire("deploys r2", None)
    slept = list[float]()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        ann.renew()
        if len(slept) == 5:
            ann.release()

    monkeypatch.setattr(clock, "sleep", sleep)
    assert bob.wait_for("deploys r3", R3, timedelta(minutes=5), told.append).deployment == R3
    assert len(slept) == 5
    assert len(told) == 1
    assert told[0].startswith("waiting up to 300 s for the deployment lock: ann holds the deployment lock: deploys r2")


def test_a_wait_outlives_a_dead_controllers_lease(table: Table, time: Time) -> None:
    table.controller("ann").acquire("deploys r2", R2)
    held = table.controller("bob").wait_for("deploys r2", R2, timedelta(minutes=5), lambda _line: None)
    assert held.lease.holder == "bob"


def test_a_wait_ends_with_its_patience(table: Table, time: Time) -> None:
    table.controller("ann").acquire("deploys r2", R2)
    began = clock.boottime()
    with pytest.raises(LockHeld):
        table.controller("bob").wait_for("deploys r2", R2, timedelta(seconds=12), lambda _line: None)
    assert clock.boottime() - began == 12


def test_without_patience_nobody_waits(table: Table, time: Time) -> None:
    table.controller("ann").acquire("deploys r2", R2)
    told, began = list[str](), clock.boottime()
    with pytest.raises(LockHeld):
        table.controller("bob").wait_for("deploys r2", R2, timedelta(0), told.append)
    assert (told, clock.boottime()) == ([], began)


def test_nobody_waits_for_a_deployment_that_nobody_works_on(table: Table, time: Time) -> None:
    ann = table.controller("ann")
    ann.acquire("deploys r2", R2)
    ann.release()
    began = clock.boottime()
    with pytest.raises(LockHeld):
        table.controller("bob").wait_for("deploys r3", R3, timedelta(minutes=5), lambda _line: None)
    assert clock.boottime() == began


@pytest.mark.parametrize(("seconds", "way"), [(60, "ahead of"), (-60, "behind")])
def test_a_machine_with_a_wrong_clock_gets_no_lock(
    table: Table, monkeypatch: pytest.MonkeyPatch, seconds: int, way: str
) -> None:
    ann = table.controller("ann")
    right = real.time
    monkeypatch.setattr(dynamodb, "time", SimpleNamespace(time=lambda: right() + seconds))
    assert ann.read() == LedgerSeen()
    with pytest.raises(Refused, match=rf"this machine's clock is (58|59|60) s {way} AWS's"):
        ann.acquire("deploys r2", R2)
    assert table.everything() == []
