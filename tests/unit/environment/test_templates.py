# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the templates promise, where cfn-lint can't know it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.immutable.ec2.plugins.module_utils.deployment import launch
from ansible_collections.immutable.ec2.plugins.module_utils.environment.rules import MOST_INSTANCE_TYPES, NAME

ROLES = Path(__file__).parents[3] / "roles"


def template(path: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROLES / path).read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def edge() -> dict[str, Any]:
    return template("environment/files/edge.yml")


@pytest.fixture(scope="module")
def colour() -> dict[str, Any]:
    return template("deployment/files/colour.yml")


def of_type(stack: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {name: item for name, item in stack["Resources"].items() if item["Type"] == kind}


def forwards(value: Any) -> Iterator[Any]:
    """Every forward action anywhere below value."""
    if isinstance(value, dict):
        if value.get("Type") == "forward":
            yield value["ForwardConfig"]
        for inner in value.values():
            yield from forwards(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from forwards(inner)


def test_with_and_without_a_certificate_the_traffic_is_divided_alike(edge: dict[str, Any]) -> None:
    listeners = of_type(edge, "AWS::ElasticLoadBalancingV2::Listener")
    actions = list(forwards(listeners))
    assert len(actions) == 2
    assert actions[0] == actions[1]
    assert actions[0]["TargetGroups"] == [
        {"TargetGroupArn": {"Ref": f"{colour}TargetGroup"}, "Weight": {"Ref": f"{colour}Weight"}}
        for colour in ("Blue", "Green")
    ]


def test_nothing_serves_before_the_first_swap(edge: dict[str, Any]) -> None:
    parameters = edge["Parameters"]
    assert [parameters[name]["Default"] for name in ("BlueWeight", "GreenWeight", "SwappedAt")] == [0, 0, "never"]
    assert [parameters[name]["Default"] for name in ("PreviewColour", "PreviewSecret")] == ["none", "none"]


def test_the_target_groups_differ_only_in_colour(edge: dict[str, Any]) -> None:
    blue, green = (dict(edge["Resources"][f"{colour}TargetGroup"]["Properties"]) for colour in ("Blue", "Green"))
    assert (blue.pop("Tags")[0]["Value"], green.pop("Tags")[0]["Value"]) == ("blue", "green")
    assert blue == green


def test_the_ledger_outlives_its_stack(edge: dict[str, Any]) -> None:
    ledger = edge["Resources"]["Ledger"]
    assert ledger["DeletionPolicy"] in ("Retain", "RetainExceptOnCreate")
    assert ledger["UpdateReplacePolicy"] == "Retain"
    assert ledger["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert "TableName" not in ledger["Properties"]


def test_servers_take_http_from_the_load_balancer_and_nothing_else(edge: dict[str, Any]) -> None:
    (rule,) = edge["Resources"]["ServerSecurityGroup"]["Properties"]["SecurityGroupIngress"]
    assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("tcp", 80, 80)
    assert rule["SourceSecurityGroupId"] == {"Fn::GetAtt": ["LoadBalancerSecurityGroup", "GroupId"]}
    assert "CidrIp" not in rule


def test_every_alarm_tells_the_topic_and_takes_no_data_for_no_breach(edge: dict[str, Any]) -> None:
    alarms = of_type(edge, "AWS::CloudWatch::Alarm")
    assert {alarm["Properties"]["MetricName"] for alarm in alarms.values()} == {
        "HTTPCode_Target_5XX_Count",
        "HTTPCode_ELB_5XX_Count",
        "TargetConnectionErrorCount",
        "TargetResponseTime",
        "Errors",
    }
    for alarm in alarms.values():
        assert alarm["Properties"]["AlarmActions"] == [{"Ref": "Topic"}]
        assert alarm["Properties"]["TreatMissingData"] == "notBreaching"


def test_the_edge_says_what_a_deployment_reads(edge: dict[str, Any]) -> None:
    assert set(edge["Outputs"]) == {
        "ListenerArn",
        "LoadBalancerArn",
        "LoadBalancerDnsName",
        "BlueTargetGroupArn",
        "GreenTargetGroupArn",
        "ServerSecurityGroupId",
        "VpcId",
        "Subnets",
        "LedgerTableName",
        "TopicArn",
        "AlarmNames",
        "GuardFunctionName",
        "DeregistrationDelaySeconds",
        "SwappedAt",
    }


def test_names_that_a_file_may_give_are_names_that_the_templates_take(
    edge: dict[str, Any], colour: dict[str, Any]
) -> None:
    for stack in (edge, colour):
        assert {stack["Parameters"][name]["AllowedPattern"] for name in ("App", "Env")} == {NAME}


def test_servers_ask_for_metadata_with_a_token_and_read_their_tags_there(colour: dict[str, Any]) -> None:
    launch = colour["Resources"]["LaunchTemplate"]["Properties"]["LaunchTemplateData"]
    assert launch["MetadataOptions"] == {
        "HttpEndpoint": "enabled",
        "HttpTokens": "required",
        "HttpPutResponseHopLimit": 1,
        "InstanceMetadataTags": "enabled",
    }
    # A key with a space or a slash would make the launch fail.
    tags = group_tags(colour)
    assert {tag["Key"] for tag in tags if tag["PropagateAtLaunch"]} == {
        *("Name", "app", "env", "colour", "release", "config-manifest", "assets-bucket")
    }


def test_servers_read_the_configuration_of_their_environment_and_what_all_share_only(colour: dict[str, Any]) -> None:
    policy, _assets = colour["Resources"]["InstanceRole"]["Properties"]["Policies"]
    statements = {statement["Sid"]: statement for statement in policy["PolicyDocument"]["Statement"]}
    # These two are for more than one environment's own, so what else they say is looked at.
    assert statements.pop("ManySecrets")["Action"] == "secretsmanager:BatchGetSecretValue"
    tagging = statements.pop("TellFailure")
    assert tagging["Action"] == "ec2:CreateTags"
    assert tagging["Condition"] == {
        "StringEquals": {"ec2:ResourceTag/app": {"Ref": "App"}, "ec2:ResourceTag/env": {"Ref": "Env"}},
        "ForAllValues:StringEquals": {"aws:TagKeys": "config-pull"},
    }
    assert {name: statement["Action"] for name, statement in statements.items()} == {
        "Parameters": ["ssm:GetParametersByPath", "ssm:GetParameters"],
        "Manifest": "ssm:GetParameter",
        "Secrets": "secretsmanager:GetSecretValue",
        "ParameterKeys": "kms:Decrypt",
        "SecretKeys": "kms:Decrypt",
    }
    for name, statement in statements.items():
        scope = statement.get("Condition", {}).get("StringLike", statement["Resource"])
        for arn in re.findall(r"arn:[^'\"]+", str(scope)):
            assert re.search(r"\$\{App\}/(\$\{Env\}|common)(/|$)", arn), name


def test_servers_read_the_assets_of_their_app_only_and_never_from_somebody_elses_bucket(colour: dict[str, Any]) -> None:
    _configuration, assets = colour["Resources"]["InstanceRole"]["Properties"]["Policies"]
    condition, policy, otherwise = assets["Fn::If"]
    assert (condition, otherwise) == ("HasAssets", {"Ref": "AWS::NoValue"})
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "s3:GetObject"
    arn = "arn:${AWS::Partition}:s3:::${App}-artifacts-${AWS::AccountId}-${AWS::Region}/assets/public/*"
    assert statement["Resource"]["Fn::If"][:2] == ["HasConventionalBucket", {"Fn::Sub": arn}]
    own = {"StringEquals": {"s3:ResourceAccount": {"Ref": "AWS::AccountId"}}}
    assert statement["Condition"]["Fn::If"][:2] == ["HasConventionalBucket", own]


def group_tags(colour: dict[str, Any]) -> list[dict[str, Any]]:
    """The group's tags, those that a condition adds among them."""
    tags = colour["Resources"]["AutoScalingGroup"]["Properties"]["Tags"]
    return [tag["Fn::If"][1] if "Fn::If" in tag else tag for tag in tags]


def test_the_minimum_to_be_restored_is_a_tag_of_the_group_alone(colour: dict[str, Any]) -> None:
    tags = {tag["Key"]: tag for tag in group_tags(colour)}
    assert tags["original-minimum"] == {
        "Key": "original-minimum",
        "Value": {"Ref": "OriginalMinimum"},
        "PropagateAtLaunch": False,
    }


def test_a_group_that_holds_no_more_than_its_minimum_has_nothing_to_restore(colour: dict[str, Any]) -> None:
    conditional = [
        tag["Fn::If"] for tag in colour["Resources"]["AutoScalingGroup"]["Properties"]["Tags"] if "Fn::If" in tag
    ]
    (condition,) = (name for name, tag, _otherwise in conditional if tag["Key"] == "original-minimum")
    assert colour["Conditions"][condition] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "OriginalMinimum"}, {"Ref": "MinSize"}]}]
    }


def test_every_parameter_of_a_colour_is_either_given_by_the_engine_or_has_a_default(colour: dict[str, Any]) -> None:
    required = {name for name, parameter in colour["Parameters"].items() if "Default" not in parameter}
    assert required <= set(launch.TAKEN)
    assert set(launch.TAKEN) <= set(colour["Parameters"])


def test_a_colour_takes_as_many_instance_types_as_a_file_may_name(colour: dict[str, Any]) -> None:
    slots = [name for name in colour["Parameters"] if re.fullmatch(r"InstanceType\d*", name)]
    assert len(slots) == MOST_INSTANCE_TYPES
