# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard's order: who may give it, and what its firing stops."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.errors import GuardFired
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.ledger import Ledger
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import LedgerSeen
from tests.lab.ledger.support import ORDER, R2, R3, Table, Time


@pytest.fixture
def ann(table: Table, time: Time) -> Ledger:
    """A controller that has begun to deploy r2, and armed the guard."""
    ledger = table.controller("ann")
    ledger.acquire("deploys r2", R2)
    ledger.arm(ORDER)
    return ledger


def test_an_order_can_be_read(ann: Ledger) -> None:
    assert ann.read().guard == ORDER


def test_it_can_be_armed_again_before_each_shift(ann: Ledger) -> None:
    ann.arm(replace(ORDER, alarms=("prod-latency",)))
    assert ann.read().guard == replace(ORDER, alarms=("prod-latency",))


def test_an_order_is_taken_back(ann: Ledger) -> None:
    ann.disarm()
    assert ann.read().guard == replace(ORDER, armed=False)


def test_there_need_be_no_order_to_take_back(table: Table, time: Time) -> None:
    ledger = table.controller("ann")
    ledger.acquire("deploys r2", R2)
    ledger.disarm()
    assert ledger.read().guard is None


def test_it_is_not_armed_again_once_it_has_fired(table: Table, ann: Ledger) -> None:
    table.guard_fires("prod-5xx")
    fired = ann.read().guard
    with pytest.raises(GuardFired, match="because of the alarm prod-5xx") as stopped:
        ann.arm(ORDER)
    assert stopped.value.order == fired == ann.read().guard
    assert fired
    assert (fired.armed, fired.fired_by) == (False, "prod-5xx")


def test_a_deployment_does_not_end_well_once_it_has_fired(table: Table, ann: Ledger) -> None:
    table.guard_fires("prod-5xx")
    before = table.everything()
    with pytest.raises(GuardFired):
        ann.finish("deployed", "")
    assert table.everything() == before
    ann.turn_back("the guard fired")
    ann.finish("rolled_back", "the guard fired")
    assert ann.read() == LedgerSeen()
    assert [each.result for each in ann.history(1)] == ["rolled_back"]


def test_what_fired_for_one_deployment_does_not_stop_the_next(table: Table, ann: Ledger) -> None:
    """Such as an order that was left over when the ledger's lock was deleted by hand."""
    table.guard_fires("prod-5xx")
    key = {"pk": {"S": "env"}, "sk": {"S": "lock"}}
    table.dynamodb.delete_item(TableName=table.name, Key=key)
    bob = table.controller("bob")
    bob.acquire("deploys r3", R3)
    bob.arm(replace(ORDER, deployment=R3.id))
    assert bob.read().guard == replace(ORDER, deployment=R3.id)
