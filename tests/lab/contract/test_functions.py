# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Functions: made by a stack, called by an alarm's event, run for real, ended in time and with the lab."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests import octets
from tests.lab.contract import support
from tests.lab.contract.events import topic_with_queue
from tests.lab.contract.support import Api, wait_for

#: Writes what it sees into a parameter, as the guard writes to the API.
NOTE = """
import json, os, boto3

def handler(event, context):
    print("called for", event["detail"]["alarmName"])
    seen = {
        "event": event,
        "greeting": os.environ["GREETING"],
        "name": os.environ["AWS_LAMBDA_FUNCTION_NAME"],
        "region": os.environ["AWS_REGION"],
        "account": boto3.client("sts").get_caller_identity()["Account"],
        "left": context.get_remaining_time_in_millis(),
        "arn": context.invoked_function_arn,
        "pid": os.getpid(),
    }
    boto3.client("ssm").put_parameter(
        Name="/notes/" + event["detail"]["alarmName"], Value=json.dumps(seen), Type="String", Overwrite=True
    )
    return {"noted": event["detail"]["alarmName"]}
"""
SLEEP = """
import os, time

def handler(event, context):
    print("sleeping in", os.getpid())
    time.sleep(60)
"""
FAIL = """
def handler(event, context):
    raise ValueError("no such colour")
"""


def template(name: str, code: str, timeout: int = 30, permission: bool = True) -> dict[str, Any]:
    """A function that is called when the alarm of the stack's name goes to ALARM."""
    pattern = {
        "source": ["aws.cloudwatch"],
        "detail-type": ["CloudWatch Alarm State Change"],
        "detail": {"alarmName": [name], "state": {"value": ["ALARM"]}},
    }
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    made: dict[str, Any] = {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}},
        },
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": name,
                "Runtime": "python3.13",
                "Handler": "index.handler",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Timeout": timeout,
                "Environment": {"Variables": {"GREETING": "hello"}},
                "Code": {"ZipFile": code},
            },
        },
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "EventPattern": pattern,
                "Targets": [{"Id": "function", "Arn": {"Fn::GetAtt": ["Function", "Arn"]}}],
            },
        },
    }
    if permission:
        made["Permission"] = {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "FunctionName": {"Ref": "Function"},
                "Action": "lambda:InvokeFunction",
                "Principal": "events.amazonaws.com",
                "SourceArn": {"Fn::GetAtt": ["Rule", "Arn"]},
            },
        }
    return made


def function(api: Api, name: str, code: str, **more: Any) -> None:
    """A function with its rule and alarm."""
    stack = api.create_stack(name, template(name, code, **more))
    assert stack["StackStatus"] == "CREATE_COMPLETE", api.reasons(name)
    api.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="Shop",
        MetricName=name,
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
    )


def raise_alarm(api: Api, name: str) -> None:
    for state in ("OK", "ALARM"):
        api.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue=state, StateReason="by hand")


def log(api: Api, name: str) -> list[str]:
    """What the functions' log says of one of them, without the times."""
    lines = (api.run_dir / "log" / "functions.log").read_text().splitlines()
    return [line.split(": ", 1)[1] for line in lines if f" {name}: " in line]


def note(api: Api, name: str) -> dict[str, Any]:
    """What the function noted, once it has."""
    ssm = api.client("ssm")
    found = wait_for(lambda: ssm.get_parameters(Names=[f"/notes/{name}"])["Parameters"], f"the note of {name}")
    ssm.delete_parameter(Name=f"/notes/{name}")
    seen: dict[str, Any] = json.loads(found[0]["Value"])
    return seen


def pid_in_log(api: Api, name: str) -> int:
    """The process that says that it sleeps."""

    def found() -> int | None:
        return next((int(line.rsplit(" ", 1)[1]) for line in log(api, name) if line.startswith("sleeping in")), None)

    return wait_for(found, f"{name} at work")


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_an_alarm_calls_the_function_of_a_stack(api: Api) -> None:
    function(api, "guard", NOTE)
    raise_alarm(api, "guard")
    seen = note(api, "guard")
    assert (seen["greeting"], seen["name"], seen["region"]) == ("hello", "guard", "eu-west-1")
    assert seen["account"] == seen["arn"].split(":")[4]
    assert seen["event"]["source"] == "aws.cloudwatch"
    assert seen["event"]["detail-type"] == "CloudWatch Alarm State Change"
    assert seen["event"]["detail"]["state"]["value"] == "ALARM"
    assert 0 < seen["left"] <= 30_000


def test_the_next_call_finds_the_process_warm(api: Api) -> None:
    function(api, "warm", NOTE)
    pids = []
    for _ in range(2):
        raise_alarm(api, "warm")
        pids.append(note(api, "warm")["pid"])
        wait_for(lambda: sum("END" in line for line in log(api, "warm")) == len(pids), "the call's end")
    assert pids[0] == pids[1]


def test_what_a_function_prints_is_in_the_log(api: Api) -> None:
    function(api, "prints", NOTE)
    raise_alarm(api, "prints")
    wait_for(lambda: any(line.startswith("END") for line in log(api, "prints")), "the call's end")
    assert "called for prints" in log(api, "prints")


def test_why_a_function_failed_is_in_the_log(api: Api) -> None:
    function(api, "fails", FAIL)
    raise_alarm(api, "fails")
    wait_for(lambda: "ValueError: no such colour" in log(api, "fails"), "the reason")


def test_a_function_without_permission_is_not_called(api: Api) -> None:
    function(api, "not-allowed", NOTE, permission=False)
    function(api, "allowed", NOTE)
    for name in ("not-allowed", "allowed"):
        raise_alarm(api, name)
    note(api, "allowed")
    assert log(api, "not-allowed") == []


def test_a_failed_call_is_tried_again_and_counted(api: Api) -> None:
    function(api, "again", FAIL)
    raise_alarm(api, "again")
    wait_for(lambda: sum(line.startswith("FAILED") for line in log(api, "again")) == 3, "three calls")
    seen = api.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="Errors",
        Dimensions=[{"Name": "FunctionName", "Value": "again"}],
        StartTime=datetime.now(UTC) - timedelta(minutes=5),
        EndTime=datetime.now(UTC) + timedelta(minutes=1),
        Period=60 * 60 * 24,
        Statistics=["Sum"],
    )
    assert [point["Sum"] for point in seen["Datapoints"]] == [3]


def test_a_topic_hears_of_the_last_failure(api: Api) -> None:
    topic, queue = topic_with_queue(api, "failures")
    function(api, "last", FAIL)
    api.client("lambda").put_function_event_invoke_config(
        FunctionName="last", MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": topic}}
    )
    raise_alarm(api, "last")
    told = json.loads(queue.next()["Message"])
    assert told["requestPayload"]["detail"]["alarmName"] == "last"
    assert "no such colour" in told["responsePayload"]["errorMessage"]


def test_a_function_ends_when_its_time_is_over(api: Api) -> None:
    function(api, "too-long", SLEEP, timeout=1)
    raise_alarm(api, "too-long")
    pid = pid_in_log(api, "too-long")
    wait_for(lambda: any("timed out after 1" in line for line in log(api, "too-long")), "the time-out")
    assert gone(pid)


def test_the_api_answers_while_a_function_runs(api: Api) -> None:
    function(api, "busy", SLEEP, timeout=60)
    raise_alarm(api, "busy")
    pid = pid_in_log(api, "busy")
    raise_alarm(api, "busy")  # a second call runs beside the first
    wait_for(lambda: sum(line.startswith("sleeping in") for line in log(api, "busy")) == 2, "the second call")
    assert not gone(pid)


def test_a_removed_stack_leaves_nothing_to_call(api: Api) -> None:
    function(api, "removed", NOTE)
    api.delete_stack("removed")
    assert api.client("events").list_rules(NamePrefix="removed")["Rules"] == []
    with pytest.raises(api.client("lambda").exceptions.ResourceNotFoundException):
        api.client("lambda").get_function(FunctionName="removed")


def test_functions_end_with_the_lab(tmp_path: Path) -> None:
    """In a lab of its own: one function sleeps in the middle of a call, one waits for its next."""
    with support.running(tmp_path, octets.CONTRACT_FUNCTIONS) as own:
        for name, code in (("asleep", SLEEP), ("idle", NOTE)):
            function(own, name, code, timeout=60)
            raise_alarm(own, name)
        pids = [pid_in_log(own, "asleep"), int(note(own, "idle")["pid"])]
        assert not any(map(gone, pids))
    assert all(map(gone, pids))
