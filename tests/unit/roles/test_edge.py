# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the edge's template promises of guard, preview and stickiness, and its role of updates."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.edge import GUARD, edge_template

ROLE = Path(__file__).parents[3] / "roles" / "environment"
#: The longest template that CloudFormation takes in a call.
#: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
MAX_BYTES = 51_200


@pytest.fixture(scope="module")
def edge() -> dict[str, Any]:
    return edge_template()


def holds(edge: dict[str, Any], condition: Any, parameters: dict[str, str]) -> bool:
    """A condition's value for parameters, by CloudFormation's rules for the functions that the template uses."""
    if isinstance(condition, str):
        return holds(edge, edge["Conditions"][condition], parameters)
    ((function, operands),) = condition.items()
    if function == "Fn::And":
        return all(holds(edge, each, parameters) for each in operands)
    if function == "Fn::Not":
        return not holds(edge, operands[0], parameters)
    assert function == "Fn::Equals"
    first, second = (parameters[each["Ref"]] if isinstance(each, dict) else each for each in operands)
    assert isinstance(second, str), "CloudFormation compares text"
    return first == second


@pytest.mark.parametrize(
    ("seconds", "blue", "green", "sticky"),
    [
        ("0", "50", "50", False),
        ("60", "95", "5", True),
        ("60", "100", "0", False),
        ("60", "0", "100", False),
        ("60", "0", "0", False),
    ],
)
def test_clients_stick_only_while_both_colours_have_traffic(
    edge: dict[str, Any], seconds: str, blue: str, green: str, sticky: bool
) -> None:
    given = {"StickinessSeconds": seconds, "BlueWeight": blue, "GreenWeight": green}
    assert holds(edge, "IsSticky", given) is sticky


def test_every_listener_asks_for_stickiness_on_that_condition_alone(edge: dict[str, Any]) -> None:
    on = {"Enabled": True, "DurationSeconds": {"Ref": "StickinessSeconds"}}
    (http,) = edge["Resources"]["HttpListener"]["Properties"]["DefaultActions"]
    (https,) = edge["Resources"]["HttpsListener"]["Properties"]["DefaultActions"]
    for action in (http["Fn::If"][2], https):
        assert action["ForwardConfig"]["TargetGroupStickinessConfig"] == {
            "Fn::If": ["IsSticky", on, {"Enabled": False}]
        }
    assert edge["Parameters"]["StickinessSeconds"]["Default"] == 0


@pytest.mark.parametrize(
    ("colour", "secret", "opened"),
    [("none", "none", False), ("green", "00ff00ff00ff00ff", True), ("green", "none", False), ("none", "00ff", False)],
)
def test_a_preview_is_open_only_with_a_colour_and_a_secret(
    edge: dict[str, Any], colour: str, secret: str, opened: bool
) -> None:
    rule = edge["Resources"]["PreviewRule"]
    assert holds(edge, rule["Condition"], {"PreviewColour": colour, "PreviewSecret": secret}) is opened


def test_a_preview_needs_the_header_and_reaches_its_colour_alone(edge: dict[str, Any]) -> None:
    rule = edge["Resources"]["PreviewRule"]["Properties"]
    header = {"HttpHeaderName": "X-Preview", "Values": [{"Ref": "PreviewSecret"}]}
    assert rule["Conditions"] == [{"Field": "http-header", "HttpHeaderConfig": header}]
    groups = {"Fn::If": ["PreviewsBlue", {"Ref": "BlueTargetGroup"}, {"Ref": "GreenTargetGroup"}]}
    assert rule["Actions"] == [{"Type": "forward", "TargetGroupArn": groups}]
    assert rule["ListenerArn"] == edge["Outputs"]["ListenerArn"]["Value"]


@pytest.mark.parametrize(
    ("secret", "taken"),
    [
        ("none", True),
        ("0123456789abcdef", True),
        ("0123456789ABCDEF", False),
        ("0123456789abcde*", False),
        ("0123456789abcde?", False),
        ("", False),
        ("ab", False),
    ],
)
def test_a_secret_that_the_load_balancer_would_match_loosely_is_refused(
    edge: dict[str, Any], secret: str, taken: bool
) -> None:
    parameter = edge["Parameters"]["PreviewSecret"]
    assert (re.fullmatch(parameter["AllowedPattern"], secret) is not None) is taken
    assert parameter["NoEcho"] is True


def statements(edge: dict[str, Any]) -> dict[str, dict[str, Any]]:
    (policy,) = edge["Resources"]["GuardRole"]["Properties"]["Policies"]
    return {each["Sid"]: each for each in policy["PolicyDocument"]["Statement"]}


def test_the_guard_may_call_what_its_code_calls_and_nothing_else(edge: dict[str, Any]) -> None:
    given = {action for each in statements(edge).values() for action in actions(each)}
    code = GUARD.read_text(encoding="utf-8")
    names = {
        "elasticloadbalancing": ("_elb", "modify_listener", "describe_listeners"),
        "cloudformation": ("_stacks", "describe_stacks"),
        "dynamodb": ("_table", "query", "update_item"),
    }
    called = {"sns:Publish", "logs:CreateLogStream", "logs:PutLogEvents"}
    for service, (client, *methods) in names.items():
        assert set(re.findall(rf"self\.{client}\.(\w+)\(", code)) == set(methods)
        called |= {f"{service}:{method.title().replace('_', '')}" for method in methods}
    assert given == called


def actions(statement: dict[str, Any]) -> list[str]:
    action = statement["Action"]
    return [action] if isinstance(action, str) else list(action)


def test_the_guards_rights_end_at_this_edge(edge: dict[str, Any]) -> None:
    found = statements(edge)
    assert [name for name, each in found.items() if each["Resource"] == "*"] == ["SeeWhereTrafficGoes"]
    assert found["TurnTrafficBack"]["Resource"] == edge["Outputs"]["ListenerArn"]["Value"]
    assert found["ReadTheOrderAndRecord"]["Condition"] == {
        "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["env"]}
    }
    assert found["SeeWhetherTheEdgeIsAtRest"]["Resource"] == {"Ref": "AWS::StackId"}


def test_a_guard_that_fails_is_run_again_and_heard_of(edge: dict[str, Any]) -> None:
    resources = edge["Resources"]
    retries = resources["GuardRetries"]["Properties"]
    assert retries["MaximumRetryAttempts"] == 2
    assert retries["DestinationConfig"]["OnFailure"] == {"Destination": {"Ref": "Topic"}}
    assert resources["GuardErrorsAlarm"]["Properties"]["AlarmActions"] == [{"Ref": "Topic"}]
    # Three runs and the waits between them fit into an event's age.
    assert 3 * resources["Guard"]["Properties"]["Timeout"] < retries["MaximumEventAgeInSeconds"]


def test_every_alarm_that_tells_of_a_release_is_watched_by_deployments(edge: dict[str, Any]) -> None:
    alarms = {name for name, each in edge["Resources"].items() if each["Type"] == "AWS::CloudWatch::Alarm"}
    _, names = edge["Outputs"]["AlarmNames"]["Value"]["Fn::Join"]
    assert {each["Ref"] for each in names} == alarms - {"GuardErrorsAlarm"}


def test_errors_are_an_alarm_after_one_bad_minute(edge: dict[str, Any]) -> None:
    for name in ("TargetErrorsAlarm", "LoadBalancerErrorsAlarm", "ConnectionErrorsAlarm"):
        alarm = edge["Resources"][name]["Properties"]
        assert (alarm["Period"], alarm["EvaluationPeriods"], "DatapointsToAlarm" in alarm) == (60, 1, False), name
        assert alarm["Statistic"] == "Sum"


def test_the_template_with_the_guards_code_fits_into_one_call(edge: dict[str, Any]) -> None:
    assert len(json.dumps(edge).encode()) < MAX_BYTES


def test_the_template_alone_makes_no_guard_that_only_looks_like_one() -> None:
    placeholder = yaml.safe_load((ROLE / "files" / "edge.yml").read_text(encoding="utf-8"))
    code = placeholder["Resources"]["Guard"]["Properties"]["Code"]["ZipFile"]
    with pytest.raises(RuntimeError, match="has no code"):
        exec(code)


def test_the_dashboard_is_one_and_shows_both_colours(edge: dict[str, Any]) -> None:
    text, names = edge["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    for name in names:
        assert f"${{{name}}}" in text
        text = text.replace(f"${{{name}}}", name)
    shown = [widget["properties"] for widget in json.loads(text.replace("${AWS::Region}", "eu-west-1"))["widgets"]]
    assert [each["title"] for each in shown] == [
        "Requests a minute",
        "Errors a minute",
        "p95 in seconds",
        "Healthy servers",
    ]
    for each in shown:
        assert {metric[3] for metric in each["metrics"]} >= {"Blue", "Green"}


def role_file(path: str) -> Any:
    return yaml.safe_load((ROLE / path).read_text(encoding="utf-8"))


def test_an_update_leaves_what_deployments_wrote(edge: dict[str, Any]) -> None:
    groups = edge["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    (state,) = (group["Parameters"] for group in groups if group["Label"]["default"].startswith("State"))
    kept = role_file("vars/main.yml")["environment_state_names"]
    assert set(kept) == {*state, "VpcId"}
    given = role_file("tasks/update.yml")[-1]["block"][-1]["vars"]
    assert given["environment_previous"] == {"use_previous_value": True}
    assert "dict(environment_kept | product([environment_previous]))" in given["environment_state_parameters"]
