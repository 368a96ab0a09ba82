# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guard decides, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger import items
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import Colour, Deployment, GuardOrder
from tests.edge import guard_code

guard = guard_code()
NOW = 1_800_000_000
ID = "20260102-030405-00ff"
BEGUN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SAFE = {"blue-group": 100, "green-group": 0}


def order(**changed: Any) -> dict[str, Any]:
    whole = {"deployment": ID, "blue": 100, "green": 0, "alarms": ["errors", "latency"], "armed": True}
    return {"pk": "env", "sk": "guard", **whole, **changed}


def lock(deployment: str = ID, **more: Any) -> dict[str, Any]:
    return {"pk": "env", "sk": "lock", "fence": 7, "deployment": {"id": deployment}, **more}


FIRED = order(armed=False, fired_at="2026-01-02T03:10:00+00:00", fired_by="latency")


@pytest.mark.parametrize(
    ("found", "decision"),
    [
        pytest.param([lock(), order()], "FIRE", id="an alarm of the order"),
        pytest.param([lock(), order(alarms=["latency"])], "STAY_OUT", id="another alarm"),
        pytest.param([lock(), order(alarms=[])], "STAY_OUT", id="an order without alarms"),
        pytest.param([lock(), order(armed=False)], "STAY_OUT", id="disarmed"),
        pytest.param([lock()], "STAY_OUT", id="no order"),
        pytest.param([], "STAY_OUT", id="nothing in the ledger"),
        pytest.param([lock(), FIRED], "HOLD", id="it has fired, and the deployment goes on"),
        pytest.param([{"pk": "env", "sk": "lock", "fence": 7}, order()], "STAY_OUT", id="the deployment has ended"),
        pytest.param([lock("20260203-000000-0001"), order()], "STAY_OUT", id="another deployment has begun"),
        pytest.param([lock("20260203-000000-0001"), FIRED], "STAY_OUT", id="it fired in an earlier deployment"),
    ],
)
def test_traffic_goes_back_for_an_alarm_of_the_deployment_that_is_under_way(
    found: list[dict[str, Any]], decision: str
) -> None:
    assert guard.decide(guard.read_ledger(found), "errors")[0] is guard.Decision[decision]


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"green": None}, id="a weight that isn't one"),
        pytest.param({"blue": 0}, id="nobody would serve"),
        pytest.param({"alarms": None}, id="no list of alarms"),
    ],
)
def test_an_order_that_cannot_be_followed_is_an_error(wrong: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        guard.read_ledger([lock(), order(**wrong)])


def test_it_reads_what_a_controller_writes() -> None:
    deployment = Deployment(
        id=ID,
        release="r2",
        image="ami-2",
        identity="i2",
        colour=Colour.GREEN,
        previous=Colour.BLUE,
        previous_release="r1",
        started_at=BEGUN,
        by="ann",
        turned_back="errors",
    )
    written = GuardOrder(ID, {Colour.BLUE: 100, Colour.GREEN: 0}, ("errors",), armed=True)
    found = [
        {**items.LOCK_KEY, "fence": 3, "until": NOW, "deployment": items.deployment_map(deployment)},
        items.guard_item(written, BEGUN),
    ]
    assert guard.read_ledger(found) == guard.Ledger(
        deployment=ID,
        turned_back=True,
        lease_until=NOW,
        order_of=ID,
        weights=(100, 0),
        alarms=("errors",),
        armed=True,
    )


@pytest.mark.parametrize(
    ("ledger", "status", "settled"),
    [
        pytest.param({}, "UPDATE_COMPLETE", True, id="nobody has the lock"),
        pytest.param({}, "UPDATE_IN_PROGRESS", False, id="an update of the edge"),
        pytest.param({}, "UPDATE_ROLLBACK_IN_PROGRESS", False, id="an update that is undone"),
        pytest.param({}, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", False, id="an update that cleans up"),
        pytest.param({}, "UPDATE_ROLLBACK_FAILED", True, id="a stuck edge doesn't move by itself"),
        pytest.param({}, "", False, id="the edge can't be read"),
        pytest.param({"lease_until": NOW + 1}, "UPDATE_COMPLETE", False, id="a controller works"),
        pytest.param({"lease_until": NOW - 9}, "UPDATE_COMPLETE", False, id="its last request may be on the wire"),
        pytest.param({"lease_until": NOW - 10}, "UPDATE_COMPLETE", True, id="a dead controller"),
        pytest.param(
            {"lease_until": NOW + 60, "turned_back": True}, "UPDATE_COMPLETE", True, id="a controller that turned back"
        ),
        pytest.param({"turned_back": True}, "UPDATE_IN_PROGRESS", False, id="its shift is still on the way"),
    ],
)
def test_it_watches_until_nothing_can_move_traffic_any_more(ledger: dict[str, Any], status: str, settled: bool) -> None:
    assert (guard.who_can_move(guard.Ledger(**ledger), status, NOW) == "") is settled


def forward(groups: Mapping[str, int | None], **more: Any) -> dict[str, Any]:
    tuples = [
        {"TargetGroupArn": arn} if weight is None else {"TargetGroupArn": arn, "Weight": weight}
        for arn, weight in groups.items()
    ]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": tuples, **more}}


STICKY = {"TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 60}}


@pytest.mark.parametrize(
    ("actions", "safe"),
    [
        pytest.param(guard.forward(SAFE), True, id="what it sets"),
        pytest.param([forward({"green-group": 0, "blue-group": 100})], True, id="in another order"),
        pytest.param([{**guard.forward(SAFE)[0], "Order": 1}], True, id="numbered, as AWS does"),
        pytest.param([forward({"blue-group": 95, "green-group": 5})], False, id="other weights"),
        pytest.param([forward(SAFE, **STICKY)], False, id="sticky clients"),
        pytest.param([forward({"blue-group": 100})], False, id="a group is missing"),
        pytest.param([forward({"blue-group": 100, "green-group": None})], False, id="no weight counts as one"),
        pytest.param([{"Type": "forward", "TargetGroupArn": "blue-group"}], False, id="without weights"),
        pytest.param([{"Type": "fixed-response"}], False, id="no forward"),
        pytest.param([{"Type": "authenticate-oidc"}, *guard.forward(SAFE)], False, id="something before it"),
    ],
)
def test_a_listener_is_safe_only_if_it_sends_everything_as_ordered(actions: list[Any], safe: bool) -> None:
    assert guard.is_forward(actions, SAFE) is safe
