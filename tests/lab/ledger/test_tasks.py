# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock over several tasks: each has a ledger of its own, as processes have."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import LeaseLost
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger import tasks
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.errors import LockHeld
from tests.lab.ledger.support import R2, R3, Table, Time

LONG = timedelta(minutes=15)
UPDATES = "updates the edge"


def take(table: Table) -> str:
    """One task; returns the token."""
    ledger = table.controller("ann@desk", LONG)
    tasks.take(ledger, UPDATES, timedelta(0), lambda _line: None)
    return tasks.token(ledger.mine)


def give_back(table: Table, token: str) -> None:
    """Another task."""
    tasks.give_back(table.controller("ann@desk"), token)


def test_what_one_task_takes_another_gives_back(table: Table, time: Time) -> None:
    token = take(table)
    with pytest.raises(LockHeld, match=r"^ann@desk holds the deployment lock: updates the edge, since .* lock_wait$"):
        table.controller("bob").acquire("deploys r2", R2)
    give_back(table, token)
    assert table.controller("bob").read().lease is None


def test_a_second_update_is_refused(table: Table, time: Time) -> None:
    take(table)
    with pytest.raises(LockHeld, match="updates the edge"):
        take(table)


def test_it_holds_for_its_lease_and_no_longer(table: Table, time: Time) -> None:
    take(table)
    time.pass_by(15 * 60 + 9)
    with pytest.raises(LockHeld):
        table.controller("bob").acquire("deploys r2", R2)
    time.pass_by(3)
    assert table.controller("bob").acquire("deploys r2", R2)


def test_a_deployment_made_up_before_an_update_is_not_begun_after_it(table: Table, time: Time) -> None:
    bob = table.controller("bob")
    bob.read()
    give_back(table, take(table))
    assert bob.acquire("deploys r2", R2).deployment is None


@pytest.mark.parametrize("at_work", [True, False])
def test_nothing_is_taken_while_a_deployment_is_unfinished(table: Table, time: Time, at_work: bool) -> None:
    bob = table.controller("bob")
    bob.acquire("deploys r2", R2)
    if not at_work:
        bob.release()
    before = table.everything()
    with pytest.raises(LockHeld, match=f"deployment {R2.id} of release r2"):
        take(table)
    assert table.everything() == before


def test_a_deployment_that_is_left_unfinished_while_one_waits_frees_the_lock(table: Table, time: Time) -> None:
    bob = table.controller("bob")
    bob.acquire("deploys r2", R2)
    with pytest.raises(LockHeld, match="has not ended and nobody works on it"):
        tasks.take(table.controller("ann@desk", LONG), UPDATES, LONG, lambda _line: bob.release())
    assert table.controller("eve").read().lease is None


def test_a_look_takes_nothing(table: Table, time: Time) -> None:
    tasks.look(table.controller("ann@desk"))
    assert table.everything() == []


def test_a_look_says_what_taking_would(table: Table, time: Time) -> None:
    table.controller("bob").acquire("deploys r2", R2)
    with pytest.raises(LockHeld, match="bob holds the deployment lock: deploys r2"):
        tasks.look(table.controller("ann@desk"))


def test_a_lock_that_another_took_over_is_left_to_them(table: Table, time: Time) -> None:
    token = take(table)
    time.pass_by(16 * 60)
    held = table.controller("bob").acquire("deploys r3", R3)
    with pytest.raises(LeaseLost, match=r"bob took it at .* \(deploys r3\)"):
        give_back(table, token)
    assert table.controller("eve").read().lease == held.lease


def test_twice_is_said(table: Table, time: Time) -> None:
    token = take(table)
    give_back(table, token)
    with pytest.raises(LeaseLost, match="it was taken away"):
        give_back(table, token)


@pytest.mark.parametrize("token", ["", "5", "x.y", "1."])
def test_a_token_that_is_none_is_refused(table: Table, token: str) -> None:
    with pytest.raises(Refused, match="the token is none"):
        give_back(table, token)


def test_a_wrong_token_frees_nothing(table: Table, time: Time) -> None:
    fence = take(table).partition(".")[0]
    with pytest.raises(LeaseLost):
        give_back(table, f"{fence}.0123456789abcdef")
    assert table.controller("eve").read().lease
