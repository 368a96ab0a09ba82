# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alarms: judged by what was published, minute by minute of the lab, and announced when they change."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.lab.contract.events import events_of, topic_with_queue
from tests.lab.contract.support import Api, body, tags, wait_for
from tests.lab.contract.test_cloudwatch_data import MINUTE, minute, put

#: Minutes of the lab around now that cases give data to: enough for every alarm here to be judged in.
AROUND = range(-6, 30)


def alarm(api: Api, name: str, **more: Any) -> None:
    """An alarm on the metric of its own name: above 5 in two periods of a minute."""
    settings: dict[str, Any] = {
        "Namespace": "Shop",
        "MetricName": name,
        "Dimensions": [{"Name": "TargetGroup", "Value": "blue"}],
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 2,
        "Threshold": 5,
        "ComparisonOperator": "GreaterThanThreshold",
    } | more
    if "ExtendedStatistic" in settings:
        del settings["Statistic"]
    api.client("cloudwatch").put_metric_alarm(AlarmName=name, **settings)


def described(api: Api, name: str) -> dict[str, Any]:
    """A metric or composite alarm."""
    found = api.client("cloudwatch").describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    (only,) = found["MetricAlarms"] + found["CompositeAlarms"]
    return dict(only)


def reach(api: Api, name: str, state: str) -> dict[str, Any]:
    """The alarm once it has the state."""
    return wait_for(
        lambda: seen if (seen := described(api, name))["StateValue"] == state else None, f"{name} in {state}"
    )


def feed(api: Api, name: str, *values: list[float]) -> None:
    """Give the minutes around now the values in turn; an empty list is a minute without data."""
    begin = minute(0)
    every = {begin + number * MINUTE: values[number % len(values)] for number in AROUND}
    put(api, name, {seconds: found for seconds, found in every.items() if found})


def test_two_bad_periods_are_an_alarm(api: Api) -> None:
    feed(api, "two-bad", [4, 4])
    alarm(api, "two-bad")
    seen = reach(api, "two-bad", "ALARM")
    assert seen["StateReason"].startswith("Threshold Crossed: 2 of the last 2 datapoints [8.0, 8.0] were greater than")


def test_good_periods_are_ok(api: Api) -> None:
    feed(api, "good", [4])
    alarm(api, "good")
    reach(api, "good", "OK")


def test_an_alarm_begins_without_knowing(api: Api) -> None:
    alarm(api, "unknown")
    assert described(api, "unknown")["StateValue"] == "INSUFFICIENT_DATA"


def test_state_changes_only_when_a_period_is_over(api: Api) -> None:
    name = "whole-periods"
    begin = minute(1)
    alarm(api, name, EvaluationPeriods=1, TreatMissingData="notBreaching")
    put(api, name, {begin: [9]})
    changed = reach(api, name, "ALARM")["StateUpdatedTimestamp"]
    assert changed.timestamp() >= begin + MINUTE


def test_a_period_of_300_takes_five_minutes_together(api: Api) -> None:
    feed(api, "five", [2])
    alarm(api, "five", Period=300, EvaluationPeriods=1, Threshold=9.5)
    assert "[10.0]" in reach(api, "five", "ALARM")["StateReason"]


def test_m_of_n_periods_are_enough(api: Api) -> None:
    feed(api, "m-of-n", [9], [9], [1])
    alarm(api, "m-of-n", EvaluationPeriods=3, DatapointsToAlarm=2)
    reach(api, "m-of-n", "ALARM")


def test_percentile_is_judged(api: Api) -> None:
    feed(api, "slow", [1.0] * 9 + [30.0])
    alarm(api, "slow", ExtendedStatistic="p95", Threshold=2)
    seen = reach(api, "slow", "ALARM")
    assert (seen["ExtendedStatistic"], "Statistic" in seen) == ("p95", False)


@pytest.mark.parametrize(
    ("missing", "state"), [("breaching", "ALARM"), ("notBreaching", "OK"), ("ignore", "INSUFFICIENT_DATA")]
)
def test_missing_data_count_as_the_alarm_says(api: Api, missing: str, state: str) -> None:
    name = f"missing-{missing}"
    alarm(api, name, TreatMissingData=missing)
    alarm(api, f"{name}-judged", TreatMissingData="notBreaching")
    reach(api, f"{name}-judged", "OK")  # and so the one before it has been judged too
    assert described(api, name)["StateValue"] == state


def test_data_of_another_colour_are_not_looked_at(api: Api) -> None:
    feed(api, "own-colour", [9])
    alarm(api, "own-colour", Dimensions=[{"Name": "TargetGroup", "Value": "green"}], TreatMissingData="notBreaching")
    reach(api, "own-colour", "OK")


def test_an_alarm_whose_data_stop_is_unknown_again(api: Api) -> None:
    begin = minute(-1)
    alarm(api, "stops", EvaluationPeriods=1)
    put(api, "stops", {begin: [9], begin + MINUTE: [9]})
    reach(api, "stops", "ALARM")
    assert reach(api, "stops", "INSUFFICIENT_DATA")["StateReason"].startswith("Insufficient Data")


def test_a_set_state_lasts_until_the_alarm_is_judged_again(api: Api) -> None:
    alarm(api, "set", TreatMissingData="notBreaching")
    reach(api, "set", "OK")
    api.client("cloudwatch").set_alarm_state(AlarmName="set", StateValue="ALARM", StateReason="by hand")
    reach(api, "set", "OK")
    items = api.client("cloudwatch").describe_alarm_history(AlarmName="set", HistoryItemType="StateUpdate")
    assert [item["HistorySummary"] for item in items["AlarmHistoryItems"]][:2] == [
        "Alarm updated from ALARM to OK",
        "Alarm updated from OK to ALARM",
    ]


def test_time_of_a_change_is_exact_to_the_millisecond(api: Api) -> None:
    alarm(api, "when", TreatMissingData="ignore")
    before = time.time()
    api.client("cloudwatch").set_alarm_state(AlarmName="when", StateValue="ALARM", StateReason="by hand")
    assert before - 0.001 <= described(api, "when")["StateUpdatedTimestamp"].timestamp() <= time.time()


def test_a_change_is_on_the_event_bus(api: Api) -> None:
    alarm(api, "event", TreatMissingData="ignore", AlarmDescription="too many")
    queue = events_of(api, "event")
    api.client("cloudwatch").set_alarm_state(AlarmName="event", StateValue="ALARM", StateReason="by hand")
    event = queue.next()
    assert event["resources"] == [described(api, "event")["AlarmArn"]]
    detail = event["detail"]
    assert detail["state"]["value"] == "ALARM"
    assert detail["state"]["reason"] == "by hand"
    assert detail["previousState"]["value"] == "INSUFFICIENT_DATA"
    read = detail["configuration"]["metrics"][0]["metricStat"]
    assert read["metric"]["dimensions"] == {"TargetGroup": "blue"}


def test_the_next_event_tells_the_state_before_it(api: Api) -> None:
    alarm(api, "previous", TreatMissingData="ignore")
    queue = events_of(api, "previous")
    for state in ("ALARM", "OK"):
        api.client("cloudwatch").set_alarm_state(AlarmName="previous", StateValue=state, StateReason=f"now {state}")
    both = sorted([queue.next()["detail"], queue.next()["detail"]], key=lambda each: str(each["state"]["timestamp"]))
    assert both[1]["previousState"] == both[0]["state"]


def test_topics_hear_of_their_state_alone(api: Api) -> None:
    bad, bad_queue = topic_with_queue(api, "told-bad")
    good, good_queue = topic_with_queue(api, "told-good")
    alarm(api, "told", TreatMissingData="ignore", AlarmActions=[bad], OKActions=[good])
    for state in ("ALARM", "OK"):
        api.client("cloudwatch").set_alarm_state(AlarmName="told", StateValue=state, StateReason="by hand")
    subjects = [queue.next()["Subject"] for queue in (bad_queue, good_queue)]
    assert subjects == ['ALARM: "told" in eu-west-1', 'OK: "told" in eu-west-1']


def test_a_topic_gets_aws_message(api: Api) -> None:
    topic, queue = topic_with_queue(api, "message")
    alarm(api, "message", TreatMissingData="ignore", AlarmActions=[topic])
    api.client("cloudwatch").set_alarm_state(AlarmName="message", StateValue="ALARM", StateReason="by hand")
    message = json.loads(queue.next()["Message"])
    assert {key: message[key] for key in ("AlarmName", "OldStateValue", "NewStateValue", "NewStateReason")} == {
        "AlarmName": "message",
        "OldStateValue": "INSUFFICIENT_DATA",
        "NewStateValue": "ALARM",
        "NewStateReason": "by hand",
    }
    assert message["Trigger"]["Dimensions"] == [{"name": "TargetGroup", "value": "blue"}]


def test_composite_alarm_follows_its_rule(api: Api) -> None:
    for name in ("part-a", "part-b"):
        alarm(api, name, TreatMissingData="ignore")
    cloudwatch = api.client("cloudwatch")
    cloudwatch.put_composite_alarm(
        AlarmName="both", AlarmRule='ALARM("part-a") AND NOT OK("part-b") AND (TRUE OR FALSE)'
    )
    states = [described(api, "both")["StateValue"]]
    for name, state in (("part-a", "ALARM"), ("part-b", "OK")):
        cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="by hand")
        states.append(described(api, "both")["StateValue"])
    assert states == ["OK", "ALARM", "OK"]


def test_composite_alarm_is_announced(api: Api) -> None:
    topic, queue = topic_with_queue(api, "parent")
    alarm(api, "child", TreatMissingData="ignore")
    events = events_of(api, "parent")
    api.client("cloudwatch").put_composite_alarm(AlarmName="parent", AlarmRule="ALARM(child)", AlarmActions=[topic])
    assert events.next()["detail"]["state"]["value"] == "OK"
    api.client("cloudwatch").set_alarm_state(AlarmName="child", StateValue="ALARM", StateReason="by hand")
    assert events.next()["detail"]["state"]["value"] == "ALARM"
    assert queue.next()["Subject"] == 'ALARM: "parent" in eu-west-1'


def test_alarms_come_in_pages(api: Api) -> None:
    for number in range(3):
        alarm(api, f"page-{number}")
    api.client("cloudwatch").put_composite_alarm(AlarmName="page-x", AlarmRule="ALARM(page-0)")
    pages = (
        api.client("cloudwatch")
        .get_paginator("describe_alarms")
        .paginate(
            AlarmNamePrefix="page-", AlarmTypes=["MetricAlarm", "CompositeAlarm"], PaginationConfig={"PageSize": 2}
        )
    )
    names = [[each["AlarmName"] for each in page["MetricAlarms"] + page["CompositeAlarms"]] for page in pages]
    assert names == [["page-0", "page-1"], ["page-2", "page-x"]]


@pytest.mark.parametrize(
    "wrong",
    [
        {"ComparisonOperator": "GreaterThanUpperThreshold"},
        {"Statistic": "Sum", "EvaluationPeriods": 1, "DatapointsToAlarm": 2},
    ],
    ids=["comparison", "more datapoints than periods"],
)
def test_an_alarm_that_can_not_be_judged_is_refused(api: Api, wrong: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as refusal:
        alarm(api, "refused", **wrong)
    assert refusal.value.response["Error"]["Code"] == "ValidationError"


# --- in stacks


def in_stack(name: str, threshold: int, **more: Any) -> dict[str, Any]:
    """A template with a metric alarm (p95) and a composite alarm over it."""
    metric = {
        "AlarmName": name,
        "Namespace": "Shop",
        "MetricName": name,
        "Dimensions": [{"Name": "TargetGroup", "Value": "blue"}],
        "ExtendedStatistic": "p95",
        "Period": 60,
        "EvaluationPeriods": 3,
        "DatapointsToAlarm": 2,
        "Threshold": threshold,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
    } | more
    rule = {"Fn::Sub": 'ALARM("${Slow}")'}
    composite = {"AlarmName": f"{name}-any", "AlarmRule": rule, "Tags": [{"Key": "part", "Value": "edge"}]}
    return {
        "Slow": {"Type": "AWS::CloudWatch::Alarm", "Properties": metric},
        "Any": {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": composite},
    }


def test_alarms_of_a_stack_are_judged_changed_and_removed(api: Api) -> None:
    name = "stacked"
    feed(api, name, [5])
    assert api.create_stack(name, in_stack(name, 5))["StackStatus"] == "CREATE_COMPLETE", api.reasons(name)
    reach(api, f"{name}-any", "ALARM")
    arn = described(api, f"{name}-any")["AlarmArn"]
    found = tags(api.client("cloudwatch").list_tags_for_resource(ResourceARN=arn)["Tags"])
    assert (found["part"], found["aws:cloudformation:stack-name"]) == ("edge", name)
    api.stacks.update_stack(StackName=name, TemplateBody=body(in_stack(name, 6)))
    assert api.settled(name)["StackStatus"] == "UPDATE_COMPLETE"
    reach(api, f"{name}-any", "OK")
    api.delete_stack(name)
    left = api.client("cloudwatch").describe_alarms(AlarmNamePrefix=name, AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    assert left["MetricAlarms"] + left["CompositeAlarms"] == []


def test_a_stack_with_a_composite_alarm_over_nothing_fails(api: Api) -> None:
    template = {"Any": {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": {"AlarmRule": "ALARM(no-such)"}}}
    assert api.create_stack("over-nothing", template)["StackStatus"] == "ROLLBACK_COMPLETE"
    assert any("do not exist" in reason for reason in api.reasons("over-nothing"))
