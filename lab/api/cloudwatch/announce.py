# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the world is told when an alarm changes its state: SNS topics of its actions, and an event on the default bus.

Shapes: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
Private to ministack 1.5.33: ``sns._fanout``, ``eventbridge._put_events`` with ``allow_aws_source``,
``cloudwatch._is_sns_action_arn``, and the alarms' records.
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from ministack.services import cloudwatch, eventbridge, sns

from lab.api.settings import ACCOUNT
from lab.settings import REGION

Alarm = dict[str, Any]
State = dict[str, str]

_ACTIONS = {"ALARM": "AlarmActions", "OK": "OKActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}
_DETAIL_TYPE = "CloudWatch Alarm State Change"


def state_of(alarm: Alarm) -> State:
    """An alarm's state as events show it."""
    state = {
        "value": alarm["StateValue"],
        "reason": alarm["StateReason"],
        "timestamp": _milliseconds(alarm["StateUpdatedTimestamp"]) + "+0000",
    }
    return {**state, "reasonData": alarm["StateReasonData"]} if alarm.get("StateReasonData") else state


def notify(alarm: Alarm, old: str) -> None:
    """Send the message to the topics that the alarm names for its new state."""
    new = alarm["StateValue"]
    if not alarm.get("ActionsEnabled", True):
        return
    message = json.dumps(_message(alarm, old))
    subject = f'{new}: "{alarm["AlarmName"]}" in {REGION}'[:100]
    for action in alarm.get(_ACTIONS[new]) or []:
        if cloudwatch._is_sns_action_arn(action):
            sns._fanout(action, str(uuid.uuid4()), message, subject)


def put_event(alarm: Alarm, previous: State) -> None:
    """Put the change on the default event bus."""
    detail = {
        "alarmName": alarm["AlarmName"],
        "configuration": _configuration(alarm),
        "previousState": previous,
        "state": state_of(alarm),
    }
    entry = {
        "Source": "aws.cloudwatch",
        "DetailType": _DETAIL_TYPE,
        "Detail": json.dumps(detail),
        "Resources": [alarm["AlarmArn"]],
    }
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


def _message(alarm: Alarm, old: str) -> dict[str, Any]:
    common = {
        "AlarmName": alarm["AlarmName"],
        "AlarmDescription": alarm.get("AlarmDescription") or None,
        "AWSAccountId": ACCOUNT,
        "AlarmArn": alarm["AlarmArn"],
        "Region": REGION,
        "OldStateValue": old,
        "NewStateValue": alarm["StateValue"],
        "NewStateReason": alarm["StateReason"],
        "StateChangeTime": _milliseconds(alarm["StateUpdatedTimestamp"]) + "+0000",
    }
    if "AlarmRule" in alarm:
        return {**common, "AlarmRule": alarm["AlarmRule"]}
    trigger = {
        "MetricName": alarm["MetricName"],
        "Namespace": alarm["Namespace"],
        "StatisticType": "ExtendedStatistic" if alarm.get("ExtendedStatistic") else "Statistic",
        "Statistic": _statistic(alarm),
        "Unit": alarm.get("Unit"),
        "Dimensions": [{"name": each["Name"], "value": each["Value"]} for each in alarm["Dimensions"]],
        "Period": alarm["Period"],
        "EvaluationPeriods": alarm["EvaluationPeriods"],
        "ComparisonOperator": alarm["ComparisonOperator"],
        "Threshold": alarm["Threshold"],
        "TreatMissingData": alarm["TreatMissingData"],
    }
    return {**common, "Trigger": trigger}


def _configuration(alarm: Alarm) -> dict[str, Any]:
    described = {"description": alarm["AlarmDescription"]} if alarm.get("AlarmDescription") else {}
    if "AlarmRule" in alarm:
        return {**described, "alarmRule": alarm["AlarmRule"]}
    metric = {
        "namespace": alarm["Namespace"],
        "name": alarm["MetricName"],
        "dimensions": {each["Name"]: each["Value"] for each in alarm["Dimensions"]},
    }
    read = {"metric": metric, "period": alarm["Period"], "stat": _statistic(alarm)}
    return {**described, "metrics": [{"id": "m1", "metricStat": read, "returnData": True}]}


def _statistic(alarm: Alarm) -> str:
    return str(alarm.get("ExtendedStatistic") or alarm["Statistic"])


def _milliseconds(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")
