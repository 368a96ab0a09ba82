# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns traffic back when an alarm fires, without any controller: the edge's Lambda function.

A deployment leaves an order in the ledger: safe weights and alarms. An order that can't be read moves nothing, and
the function fails, so that Lambda runs it again and the edge's topic tells of it.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

AWS_ERRORS = (BotoCoreError, ClientError)
PATIENT = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 5})
ONCE = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 1})
LOOK_AGAIN_SECONDS = 1
STOP_BEFORE_MS = 20_000
# A controller's request may still be on the wire when its lease ends, and its clock may differ.
LEASE_GRACE_SECONDS = 10


@dataclass(frozen=True)
class Ledger:
    """The deployment under way, how long its controller may write, and the order; weights are blue's and green's."""

    deployment: str = ""
    turned_back: bool = False
    lease_until: float = 0
    order_of: str = ""
    weights: tuple[int, int] = (0, 0)
    alarms: tuple[str, ...] = ()
    armed: bool = False


class Decision(Enum):
    STAY_OUT = "nothing is done"
    FIRE = "traffic goes back"
    HOLD = "it fired before and goes on watching"


def read_ledger(items: list[dict[str, Any]]) -> Ledger:
    """The items below ``pk=env``. Raises KeyError, TypeError or ValueError for an order that can't be followed."""
    found = {item["sk"]: item for item in items}
    lock, order = found.get("lock", {}), found.get("guard", {})
    deployment = lock.get("deployment", {})
    ledger = Ledger(deployment.get("id", ""), bool(deployment.get("turned_back")), float(lock.get("until", 0)))
    if not order.get("armed") and not order.get("fired_at"):
        return ledger
    weights = int(order["blue"]), int(order["green"])
    if not any(weights):
        raise ValueError(f"by the order of deployment {order['deployment']} nobody would serve")
    alarms, armed = tuple(order["alarms"]), bool(order.get("armed"))
    return replace(ledger, order_of=order["deployment"], weights=weights, alarms=alarms, armed=armed)


def decide(ledger: Ledger, alarm: str) -> tuple[Decision, str]:
    """What an alarm leads to, and why. An order that outlived its deployment is none: its safe colour may be gone."""
    if not ledger.order_of:
        return Decision.STAY_OUT, "no deployment has armed the guard"
    if ledger.order_of != ledger.deployment:
        return Decision.STAY_OUT, f"deployment {ledger.order_of}, which armed the guard, has ended"
    if alarm not in ledger.alarms:
        return Decision.STAY_OUT, f"deployment {ledger.order_of} doesn't watch it"
    return Decision.FIRE if ledger.armed else Decision.HOLD, f"deployment {ledger.order_of} watches it"


def who_can_move(ledger: Ledger, edge_status: str, now: float) -> str:
    """What could still move traffic off the safe weights; empty when nothing can. A status may be unknown (empty)."""
    if not edge_status or edge_status.endswith("_IN_PROGRESS"):
        return f"the edge is {edge_status or 'in a state that could not be read'}"
    if not ledger.turned_back and now < ledger.lease_until + LEASE_GRACE_SECONDS:
        return "a controller that has not turned back has the lock"
    return ""


def forward(weights: Mapping[str, int]) -> list[Any]:
    """A listener's action for weights by target group; without stickiness, which overrules weights."""
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
    config = {"TargetGroups": groups, "TargetGroupStickinessConfig": {"Enabled": False}}
    return [{"Type": "forward", "ForwardConfig": config}]


def is_forward(actions: list[Any], weights: Mapping[str, int]) -> bool:
    """Whether a listener's actions, as AWS describes them, do what forward(weights) does."""
    config = actions[0].get("ForwardConfig", {}) if [action["Type"] for action in actions] == ["forward"] else {}
    found = {group["TargetGroupArn"]: group.get("Weight", 1) for group in config.get("TargetGroups", [])}
    return found == weights and not config.get("TargetGroupStickinessConfig", {}).get("Enabled", False)


class Guard:
    """The calls. `settings` are the function's environment variables."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings
        self._groups = settings["BLUE_TARGET_GROUP_ARN"], settings["GREEN_TARGET_GROUP_ARN"]
        self._table = boto3.resource("dynamodb", config=PATIENT).Table(settings["LEDGER_TABLE"])
        self._elb = boto3.client("elbv2", config=PATIENT)
        # Throttled soonest; the watch asks again anyway, and the listener must not wait for it.
        self._stacks = boto3.client("cloudformation", config=ONCE)

    def on_alarm(self, alarm: str, milliseconds_left: Callable[[], int]) -> None:
        """Turns traffic back where the order says so, and watches until it stays there."""
        ledger = self._ledger()
        decision, why = decide(ledger, alarm)
        if decision is Decision.FIRE and not self._record(ledger, alarm):
            ledger = self._ledger()  # since it was read another run has fired, or the controller has disarmed
            decision, why = decide(ledger, alarm)
        print(f"{alarm} is in ALARM: {decision.value} ({why})")
        if decision is Decision.STAY_OUT:
            return
        try:
            self._set_listener(ledger)
            if decision is Decision.FIRE:
                self._publish(ledger, alarm)
        except AWS_ERRORS as error:
            print(f"goes on: {error}")
        left, said = "no time was left to watch", ""
        while milliseconds_left() > STOP_BEFORE_MS:
            try:
                left = self._hold(ledger, alarm)
            except AWS_ERRORS as error:
                left = f"the last look failed: {error}"
            if left != said:
                print(f"watches: {left or 'settled'}")
            if not left:
                return
            said = left
            time.sleep(LOOK_AGAIN_SECONDS)
        raise TimeoutError(f"deployment {ledger.order_of}: {left}; the guard has to go on watching")

    def _hold(self, fired: Ledger, alarm: str) -> str:
        """Sets the listener again where it differs. Returns what the guard still waits for."""
        ledger = self._ledger()
        if not fired.order_of == ledger.order_of == ledger.deployment:
            print(f"deployment {fired.order_of} has ended")
            return ""
        # Before the listener is read: whatever moved it until now is seen then.
        left = who_can_move(ledger, self._edge_status(), time.time())
        if ledger.armed:  # it could not be recorded at once
            self._record(ledger, alarm)
            left = "the ledger has no record of it yet"
        (listener,) = self._elb.describe_listeners(ListenerArns=[self._settings["LISTENER_ARN"]])["Listeners"]
        if not is_forward(listener["DefaultActions"], dict(zip(self._groups, ledger.weights, strict=True))):
            self._set_listener(ledger)
        return left

    def _ledger(self) -> Ledger:
        query: Any = {"KeyConditionExpression": "pk = :env", "ExpressionAttributeValues": {":env": "env"}}
        return read_ledger(self._table.query(**query, ConsistentRead=True)["Items"])

    def _record(self, ledger: Ledger, alarm: str) -> bool:
        """Disarm and leave a record; False where the order isn't armed any more.

        Before the listener is set, so that no controller ends its deployment, or finds the listener moved, without
        seeing why. A ledger that can't be written is no reason to wait: that is tried again later.
        """
        values: dict[str, Any] = {
            ":yes": True,
            ":no": False,
            ":now": _now(),
            ":alarm": alarm,
            ":deployment": ledger.order_of,
        }
        try:
            self._table.update_item(
                Key={"pk": "env", "sk": "guard"},
                UpdateExpression="SET armed = :no, fired_at = :now, fired_by = :alarm",
                ConditionExpression="armed = :yes AND deployment = :deployment",
                ExpressionAttributeValues=values,
            )
        except AWS_ERRORS as error:
            if isinstance(error, ClientError) and error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            print(f"could not record that it fired: {error}")
        return True

    def _set_listener(self, ledger: Ledger) -> None:
        actions = forward(dict(zip(self._groups, ledger.weights, strict=True)))
        self._elb.modify_listener(ListenerArn=self._settings["LISTENER_ARN"], DefaultActions=actions)
        print("the listener was set to blue {}, green {}".format(*ledger.weights))

    def _edge_status(self) -> str:
        try:
            found = self._stacks.describe_stacks(StackName=self._settings["EDGE_STACK"])["Stacks"]
        except AWS_ERRORS as error:
            print(f"could not read the edge's stack: {error}")
            return ""
        return str(found[0]["StackStatus"])

    def _publish(self, ledger: Ledger, alarm: str) -> None:
        app, env = self._settings["APP"], self._settings["ENV"]
        weights = dict(zip(("blue", "green"), ledger.weights, strict=True))
        event = {"event": "guard_fired", "app": app, "env": env, "deployment": ledger.order_of}
        message = json.dumps({**event, "alarm": alarm, "weights": weights, "at": _now()})
        topic, subject = self._settings["TOPIC_ARN"], f"{app}-{env}: an alarm turned traffic back"
        boto3.client("sns", config=PATIENT).publish(TopicArn=topic, Subject=subject, Message=message)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def handler(event: Mapping[str, Any], context: Any) -> None:
    """Lambda's entry: an alarm's change to ALARM, from EventBridge.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
    """
    Guard(os.environ).on_alarm(event["detail"]["alarmName"], context.get_remaining_time_in_millis)
