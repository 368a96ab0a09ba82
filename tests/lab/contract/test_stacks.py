# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudFormation as a deployment needs it: asynchronous stacks, events, rollback, previous values."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.lab.contract.support import COLOUR, EDGE, Api, body, given, outputs, tags

PREVIOUS = dict.fromkeys(("App", "Env", "VpcId", "Subnets", "BlueWeight", "GreenWeight"))


@pytest.fixture(scope="module")
def edge(api: Api) -> dict[str, str]:
    return api.edge("stacks", BlueWeight=100, GreenWeight=0)


def colour_parameters(api: Api, edge: dict[str, str], **changed: object) -> dict[str, object]:
    return {
        "App": "shop",
        "Env": "stacks",
        "Colour": "blue",
        "Release": "r1",
        "Identity": "abc",
        "ImageId": api.image,
        "InstanceType": "t3.small",
        "MinSize": 2,
        "MaxSize": 4,
        "DesiredCapacity": 2,
        "OriginalMinimum": 2,
        "Subnets": edge["Subnets"],
        "SecurityGroupId": edge["ServerSecurityGroupId"],
        "TargetGroupArn": edge["BlueTargetGroupArn"],
        **changed,
    }


def update(api: Api, name: str, **parameters: object) -> str:
    """Update a stack with its previous template; returns the status it comes to."""
    api.stacks.update_stack(
        StackName=name,
        UsePreviousTemplate=True,
        Parameters=given(parameters),
        Capabilities=["CAPABILITY_IAM"],
    )
    return str(api.settled(name)["StackStatus"])


def test_edge_has_every_output_and_its_weights(api: Api, edge: dict[str, str]) -> None:
    assert set(edge) >= {"ListenerArn", "LoadBalancerDnsName", "LedgerTableName", "TopicArn", "ServerSecurityGroupId"}
    assert edge["SwappedAt"] == "never"
    assert api.weights(edge["ListenerArn"]) == [100, 0]


def test_update_with_previous_values_changes_the_weights_only(api: Api, edge: dict[str, str]) -> None:
    assert update(api, "stacks", **{**PREVIOUS, "BlueWeight": 30, "GreenWeight": 70}) == "UPDATE_COMPLETE"
    assert api.weights(edge["ListenerArn"]) == [30, 70]
    assert update(api, "stacks", **PREVIOUS, SwappedAt="2026-01-01T00:00:00Z") == "UPDATE_COMPLETE"
    assert api.weights(edge["ListenerArn"]) == [30, 70]


def test_update_without_a_change_is_refused(api: Api, edge: dict[str, str]) -> None:
    everything = {**PREVIOUS, "SwappedAt": None}
    with pytest.raises(ClientError, match="No updates are to be performed") as refusal:
        update(api, "stacks", **everything)
    assert refusal.value.response["Error"]["Code"] == "ValidationError"


def test_failed_update_rolls_back_to_the_weights_before(api: Api, edge: dict[str, str]) -> None:
    before = api.weights(edge["ListenerArn"])
    template = body_with_wrong_weight()
    api.stacks.update_stack(
        StackName="stacks",
        TemplateBody=template,
        Parameters=given({**PREVIOUS, "SwappedAt": None}),
        Capabilities=["CAPABILITY_IAM"],
    )
    assert api.settled("stacks")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert api.weights(edge["ListenerArn"]) == before
    assert any("Weight" in reason for reason in api.reasons("stacks"))


def body_with_wrong_weight() -> str:
    """The edge's template with a weight that load balancing refuses."""
    return (
        EDGE.read_text()
        .replace("Ref: GreenWeight", "Ref: HealthCheckIntervalSeconds")
        .replace("Default: 10\n", "Default: 1000\n", 1)
        .replace("MaxValue: 300", "MaxValue: 3000", 1)
    )


def test_colour_with_a_manifest_of_its_configuration_names_it_to_its_servers(api: Api, edge: dict[str, str]) -> None:
    manifest = '{"format":1,"sources":{"parameter_store /shop/stacks/":{"parameters":{"A":3}}}}'
    stack = api.create_stack("stacks-pinned", COLOUR, **colour_parameters(api, edge, ConfigManifest=manifest))
    assert stack["StackStatus"] == "CREATE_COMPLETE", api.reasons("stacks-pinned")
    (first, *_rest) = api.in_service(outputs(stack)["AutoScalingGroupName"])
    name = tags(api.instance(first)["Tags"])["config-manifest"]
    assert name == "/immutable/shop/stacks/blue"
    assert api.client("ssm").get_parameter(Name=name)["Parameter"]["Value"] == manifest
    api.delete_stack("stacks-pinned")
    with pytest.raises(ClientError, match="ParameterNotFound"):
        api.client("ssm").get_parameter(Name=name)


def test_colour_is_made_and_removed(api: Api, edge: dict[str, str]) -> None:
    stack = api.create_stack("stacks-blue", COLOUR, **colour_parameters(api, edge))
    assert stack["StackStatus"] == "CREATE_COMPLETE", api.reasons("stacks-blue")
    group = api.group(outputs(stack)["AutoScalingGroupName"])
    assert [member["LifecycleState"] for member in group["Instances"]] == ["InService"] * 2
    ids = [member["InstanceId"] for member in group["Instances"]]
    assert {member["AvailabilityZone"] for member in group["Instances"]} == {"eu-west-1a", "eu-west-1b"}
    seen = tags(api.instance(ids[0])["Tags"])
    assert seen.items() >= {"app": "shop", "colour": "blue", "release": "r1", "team": "web"}.items()
    assert api.instance(ids[0])["MetadataOptions"]["HttpTokens"] == "required"

    api.delete_stack("stacks-blue")
    assert [api.instance(each)["State"]["Name"] for each in ids] == ["terminated"] * 2
    assert not api.scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[group["AutoScalingGroupName"]])[
        "AutoScalingGroups"
    ]


def test_create_answers_before_anything_is_made(api: Api, edge: dict[str, str]) -> None:
    parameters = given(colour_parameters(api, edge))
    made = api.stacks.create_stack(
        StackName="stacks-async", TemplateBody=body(COLOUR), Parameters=parameters, Capabilities=["CAPABILITY_IAM"]
    )
    stack = api.stacks.describe_stacks(StackName=made["StackId"])["Stacks"][0]
    assert stack["StackStatus"] == "CREATE_IN_PROGRESS"
    with pytest.raises(ClientError, match="already exists"):
        api.stacks.create_stack(StackName="stacks-async", TemplateBody=body(COLOUR), Parameters=parameters)
    api.settled("stacks-async")
    events = api.stacks.describe_stack_events(StackName="stacks-async")["StackEvents"]
    assert events[-1]["ResourceStatus"] == "CREATE_IN_PROGRESS", "the newest event comes first"
    assert events[0]["ResourceStatus"] == "CREATE_COMPLETE"
    api.delete_stack("stacks-async")


def test_failed_create_rolls_back_and_can_only_be_deleted(api: Api, edge: dict[str, str]) -> None:
    stack = api.create_stack(
        "stacks-bad", COLOUR, **colour_parameters(api, edge, ImageId="ami-0123456789abcdef0", Colour="green")
    )
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert any("ami-0123456789abcdef0" in reason for reason in api.reasons("stacks-bad"))
    left = api.scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    assert not [group for group in left if "stacks-bad" in group["AutoScalingGroupName"]]
    with pytest.raises(ClientError, match="ROLLBACK_COMPLETE"):
        update(api, "stacks-bad", **colour_parameters(api, edge))
    api.delete_stack("stacks-bad")


def test_unknown_stack_does_not_exist(api: Api) -> None:
    with pytest.raises(ClientError, match="does not exist") as refusal:
        api.stacks.describe_stacks(StackName="nobody")
    assert refusal.value.response["Error"]["Code"] == "ValidationError"
    api.stacks.delete_stack(StackName="nobody")


def test_stack_tags_reach_the_resources(api: Api, edge: dict[str, str]) -> None:
    arns = [edge["LoadBalancerArn"], edge["BlueTargetGroupArn"], edge["ListenerArn"]]
    for found in api.elb.describe_tags(ResourceArns=arns)["TagDescriptions"]:
        assert tags(found["Tags"])["team"] == "web"
    security_group = api.ec2.describe_security_groups(GroupIds=[edge["ServerSecurityGroupId"]])["SecurityGroups"][0]
    assert tags(security_group["Tags"])["team"] == "web"


def test_ledger_outlives_its_stack(api: Api) -> None:
    made = api.edge("ledger")
    api.delete_stack("ledger")
    table: Any = api.client("dynamodb").describe_table(TableName=made["LedgerTableName"])["Table"]
    assert table["TableStatus"] == "ACTIVE"
    with pytest.raises(ClientError, match="LoadBalancerNotFound"):
        api.elb.describe_load_balancers(LoadBalancerArns=[made["LoadBalancerArn"]])


def test_launch_template_has_the_stacks_tags(api: Api, edge: dict[str, str]) -> None:
    stack = api.create_stack("stacks-lt", COLOUR, **colour_parameters(api, edge, MinSize=0, DesiredCapacity=0))
    template = outputs(stack)["LaunchTemplateId"]
    found = api.ec2.describe_launch_templates(LaunchTemplateIds=[template])["LaunchTemplates"][0]
    assert tags(found["Tags"])["team"] == "web"
    versions = api.ec2.describe_launch_template_versions(LaunchTemplateId=template)["LaunchTemplateVersions"]
    assert [version["LaunchTemplateData"]["ImageId"] for version in versions] == [api.image]
    api.delete_stack("stacks-lt")


def test_alarms_and_topic_are_made(api: Api, edge: dict[str, str]) -> None:
    alarms = api.client("cloudwatch").describe_alarms()["MetricAlarms"]
    mine = [alarm for alarm in alarms if alarm["AlarmActions"] == [edge["TopicArn"]]]
    assert len(mine) == 5
