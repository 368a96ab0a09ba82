# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard as the edge makes it: an alarm, EventBridge, the function. No controller does anything for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.edge import guard_code
from tests.lab.contract import faulty
from tests.lab.guard.world import ID, SAFE, SPLIT, World


def test_an_alarm_turns_all_traffic_back(world: World) -> None:
    assert world.weights == SPLIT
    world.ring()
    world.turned_back()
    world.ended()
    assert world.weights == SAFE


def test_what_it_did_is_in_the_ledger_and_told(world: World) -> None:
    world.ring()
    event = world.event()
    order = world.order
    assert (order.armed, order.fired_by) == (False, world.alarm)
    assert order.fired_at and abs((datetime.now(UTC) - order.fired_at).total_seconds()) < 60
    assert event.pop("at")
    assert event == {
        "event": "guard_fired",
        "app": "shop",
        "env": world.env,
        "deployment": ID,
        "alarm": world.alarm,
        "weights": {"blue": 100, "green": 0},
    }


def test_an_alarm_that_the_order_does_not_name_moves_nothing(world: World) -> None:
    other = world.edge["AlarmNames"].split(",")[1]
    world.ring(other)
    world.says(f"{other} is in ALARM: nothing is done")
    world.ended()
    assert (world.weights, world.order.armed) == (SPLIT, True)


def test_a_guard_that_is_not_armed_moves_nothing(begun: Callable[..., World]) -> None:
    world = begun()
    world.ledger.disarm()
    world.ring()
    world.says("nothing is done (no deployment has armed the guard)")
    world.ended()
    assert (world.weights, world.order.fired_at) == (SPLIT, None)


def test_an_update_of_the_edge_that_is_under_way_is_waited_out(world: World) -> None:
    slow = faulty.arm(world.api, "slow_resource", {"stack": world.name, "resource": "HttpListener", "action": "update"})
    world.update(BlueWeight=5, GreenWeight=95)
    assert slow.seen(20)["hit"]
    world.ring()
    world.turned_back()
    world.says("watches: the edge is UPDATE_IN_PROGRESS")
    slow.release()
    stack = world.api.settled(world.name)
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    world.ended()
    assert world.weights == SAFE
    world.says("the listener was set", times=2)


def test_a_controller_that_shifts_once_more_is_corrected(begun: Callable[..., World]) -> None:
    world = begun()
    world.ring()
    world.turned_back()
    for weights in ([5, 95], [0, 100]):
        world.shift(weights)
        world.turned_back()
    world.ledger.turn_back("the guard fired")
    world.ended()


def test_it_leaves_a_deployment_alone_that_begins_after_the_one_it_turned_back(begun: Callable[..., World]) -> None:
    world = begun()
    world.ring()
    world.turned_back()
    world.ledger.turn_back("the guard fired")
    world.ledger.finish("rolled_back", "the guard fired")
    world.ended()
    world.shift([95, 5])
    world.ring()
    world.ended(runs=2)
    assert world.weights == [95, 5]


def test_the_same_alarm_twice_is_told_and_recorded_once(world: World) -> None:
    world.ring()
    world.event()
    world.ended()
    first = world.order
    world.ring()
    world.says("it fired before and goes on watching")
    world.ended(runs=2)
    assert (world.weights, world.order) == (SAFE, first)
    assert sum("traffic goes back" in line for line in world.log) == 1


def test_a_deployment_that_ends_at_the_same_moment_stays_where_it_ended(begun: Callable[..., World]) -> None:
    world = begun()
    world.shift([0, 100])
    disarming = faulty.arm(world.api, "hold_before", {"service": "dynamodb", "operation": "UpdateItem"})
    world.ring()
    assert disarming.seen(20)["hit"]
    world.ledger.finish("deployed", "all gates passed")
    disarming.release()
    world.ended()
    assert world.weights == [0, 100]


def test_clients_no_longer_stick_once_traffic_is_turned_back(begun: Callable[..., World]) -> None:
    world = begun(StickinessSeconds=600)
    world.ledger.release()
    (listener,) = world.api.elb.describe_listeners(ListenerArns=[world.edge["ListenerArn"]])["Listeners"]
    assert listener["DefaultActions"][0]["ForwardConfig"]["TargetGroupStickinessConfig"]["Enabled"]
    world.ring()
    world.turned_back()
    (listener,) = world.api.elb.describe_listeners(ListenerArns=[world.edge["ListenerArn"]])["Listeners"]
    assert not listener["DefaultActions"][0]["ForwardConfig"]["TargetGroupStickinessConfig"]["Enabled"]


def test_an_order_that_cannot_be_read_moves_nothing_and_is_read_again(world: World) -> None:
    reading: dict[str, object] = {"service": "dynamodb", "operation": "Query"}
    fault = faulty.arm(world.api, "denied", reading)
    again = faulty.arm(world.api, "hold_before", {**reading, "nth": 2})
    world.ring()
    assert fault.seen(20)["hit"]
    world.says("FAILED")
    assert again.seen(20)["hit"]
    assert world.weights == SPLIT
    again.release()
    world.turned_back()


def test_a_ledger_that_cannot_be_written_does_not_hold_traffic(world: World) -> None:
    fault = faulty.arm(world.api, "denied", {"service": "dynamodb", "operation": "UpdateItem"})
    world.ring()
    world.turned_back()
    assert fault.seen()["hit"]
    world.ended()
    assert world.order.fired_by == world.alarm


def test_a_throttled_call_is_made_again(world: World) -> None:
    fault = faulty.arm(world.api, "throttle", {"service": "elbv2", "operation": "ModifyListener"}, times=2)
    world.ring()
    world.turned_back()
    assert fault.seen()["hits"] == 2
    world.says("the listener was set")


def test_an_order_that_makes_no_sense_is_heard_of(world: World) -> None:
    table = world.api.client("dynamodb")
    key = {"pk": {"S": "env"}, "sk": {"S": "guard"}}
    zero = {":zero": {"N": "0"}}
    table.update_item(
        TableName=world.edge["LedgerTableName"],
        Key=key,
        UpdateExpression="SET blue = :zero",
        ExpressionAttributeValues=zero,
    )
    world.ring()
    failure = world.told(lambda message: "requestContext" in message)
    assert failure["requestContext"]["condition"] == "RetriesExhausted"
    assert sum(line.startswith("FAILED") for line in world.log) == 3
    assert "nobody would serve" in json.dumps(failure)
    assert world.weights == SPLIT


def test_it_says_so_when_its_time_is_up_before_all_is_settled(
    begun: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then Lambda runs it again."""
    world = begun()
    for name, value in {
        "AWS_ENDPOINT_URL": world.api.url,
        "AWS_ACCESS_KEY_ID": "lab",
        "AWS_SECRET_ACCESS_KEY": "lab",
        "AWS_DEFAULT_REGION": "eu-west-1",
        **world.settings,
    }.items():
        monkeypatch.setenv(name, value)
    left = iter((60_000, 30_000, 20_000))
    context = type("Context", (), {"get_remaining_time_in_millis": lambda self: next(left)})()
    with pytest.raises(TimeoutError, match="a controller that has not turned back has the lock"):
        guard_code().handler({"detail": {"alarmName": world.alarm}}, context)
    assert world.weights == SAFE
