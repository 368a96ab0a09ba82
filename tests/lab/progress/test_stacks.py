# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stack's operation as it is followed, explained, cancelled and continued."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, Literal

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.aws.cloudformation import (
    cancel_update,
    continue_rollback,
    create_stack,
    describe_stack,
)
from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients
from ansible_collections.immutable.ec2.plugins.module_utils.aws.stack_events import (
    StackEvent,
    StackFollower,
    cause_of,
    line,
    operation_events,
    stuck_resources,
)

PATIENCE = 30
TOPIC = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "Name"}}}
WRONG = {
    "Type": "AWS::ElasticLoadBalancingV2::TargetGroup",
    "DependsOn": "Topic",
    "Properties": {"Port": 80, "Protocol": "HTTP", "VpcId": "vpc-0123456789abcdef0", "Name": "a--wrong--name-"},
}


def template(**resources: Any) -> str:
    parameters = {"Name": {"Type": "String", "Default": "one"}}
    return json.dumps({"Parameters": parameters, "Resources": {"Topic": TOPIC, **resources}})


def update(clients: Clients, name: str, body: str, value: str) -> None:
    given = [{"ParameterKey": "Name", "ParameterValue": value}]
    clients.cloudformation.update_stack(StackName=name, TemplateBody=body, Parameters=given)  # type: ignore[arg-type]


def held_update(clients: Clients, name: str, late: Mapping[str, Any] | None = None, **more: Any) -> StackFollower:
    """A stack in an update that has changed what it had and waits for a signal, before it makes what is late."""
    stack_id = create_stack(clients, name, template(**more), {}, {})
    settled(clients, stack_id)
    held = {
        "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
        "Wait": {
            "Type": "AWS::CloudFormation::WaitCondition",
            "DependsOn": ["Topic", *more],
            "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "60"},
        },
    }
    update(clients, name, template(**more, **held, **(late or {})), "two")
    follower = StackFollower(clients, stack_id)
    deadline = time.monotonic() + PATIENCE
    while not any(event.name == "Wait" for event in follower.news()):
        assert time.monotonic() < deadline, f"{name} waits for nothing after {PATIENCE} s"
        time.sleep(0.05)
    return follower


def signal(clients: Clients, name: str, status: Literal["SUCCESS", "FAILURE"]) -> None:
    clients.cloudformation.signal_resource(StackName=name, LogicalResourceId="Wait", UniqueId="1", Status=status)


def settled(clients: Clients, stack_id: str) -> str:
    return followed(StackFollower(clients, stack_id))[-1].status


def followed(follower: StackFollower) -> list[StackEvent]:
    """All events until the stack is at rest."""
    deadline, seen = time.monotonic() + PATIENCE, list[StackEvent]()
    while not follower.status or follower.status.endswith("_IN_PROGRESS"):
        assert time.monotonic() < deadline, f"still {follower.status} after {PATIENCE} s"
        seen += follower.news()
        time.sleep(0.05)
    return seen


def test_events_are_told_once_the_oldest_first_operation_by_operation(clients: Clients) -> None:
    stack_id = create_stack(clients, "followed", template(), {}, {})
    follower = StackFollower(clients, stack_id)
    made = followed(follower)
    assert [line(event) for event in made] == [
        "CREATE_IN_PROGRESS",
        "Topic CREATE_IN_PROGRESS",
        "Topic CREATE_COMPLETE",
        "CREATE_COMPLETE",
    ]
    assert follower.news() == []
    update(clients, "followed", template(), "two")
    changed = follower.news()
    assert changed[0].begins and changed[0].status == "UPDATE_IN_PROGRESS"
    changed += followed(follower)
    assert follower.status == "UPDATE_COMPLETE"
    assert not {event.id for event in made} & {event.id for event in changed}
    # Whoever looks only now sees the update and nothing older.
    assert [event.id for event in StackFollower(clients, stack_id).news()] == [event.id for event in changed]


def test_a_look_costs_one_call(clients: Clients) -> None:
    stack_id = create_stack(clients, "cheap", template(), {}, {})
    settled(clients, stack_id)
    calls: list[int] = []
    count = lambda **_: calls.append(1)  # noqa: E731
    clients.cloudformation.meta.events.register("before-send", count)
    try:
        follower = StackFollower(clients, stack_id)
        follower.news()
        follower.news()
    finally:
        clients.cloudformation.meta.events.unregister("before-send", count)
    assert len(calls) == 2


def test_the_first_failed_resource_is_named(clients: Clients) -> None:
    stack_id = create_stack(clients, "failing", template(Group=WRONG), {}, {})
    assert settled(clients, stack_id) == "ROLLBACK_COMPLETE"
    cause = cause_of(clients, stack_id)
    assert cause.startswith("Group (AWS::ElasticLoadBalancingV2::TargetGroup): ")
    assert "a--wrong--name-" in cause or "hyphen" in cause, cause


def test_a_stack_that_is_gone_can_still_be_asked_by_its_id(clients: Clients) -> None:
    stack_id = create_stack(clients, "gone", template(Group=WRONG), {}, {})
    settled(clients, stack_id)
    cause = cause_of(clients, stack_id)
    clients.cloudformation.delete_stack(StackName=stack_id)
    follower = StackFollower(clients, stack_id)
    followed(follower)
    assert follower.status == "DELETE_COMPLETE"
    assert cause_of(clients, stack_id) != cause  # that was another operation


def test_nothing_to_cancel_is_no_error(clients: Clients) -> None:
    settled(clients, create_stack(clients, "calm", template(), {}, {}))
    assert cancel_update(clients, "calm") is False


def test_a_stack_that_does_not_exist_is_one(clients: Clients) -> None:
    with pytest.raises(AwsError, match="Could not cancel the update of the stack nowhere"):
        cancel_update(clients, "nowhere")


def test_an_update_is_cancelled(clients: Clients) -> None:
    follower = held_update(clients, "cancelled", late={"Late": {**TOPIC, "DependsOn": "Wait"}})
    assert cancel_update(clients, "cancelled") is True
    signal(clients, "cancelled", "SUCCESS")
    names = [event.name for event in followed(follower)]
    assert follower.status == "UPDATE_ROLLBACK_COMPLETE"
    assert "Late" not in names


def test_a_stuck_rollback_goes_on_without_what_its_message_names(clients: Clients) -> None:
    vpc = clients.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    settings = {"Port": 80, "Protocol": "HTTP", "VpcId": vpc, "HealthCheckPath": {"Fn::Sub": "/${Name}"}}
    group = {"Type": "AWS::ElasticLoadBalancingV2::TargetGroup", "Properties": {**settings, "Name": "stuck"}}
    follower = held_update(clients, "stuck", Group=group)
    found = clients.elbv2.describe_target_groups(Names=["stuck"])["TargetGroups"][0]
    clients.elbv2.delete_target_group(TargetGroupArn=found["TargetGroupArn"])
    signal(clients, "stuck", "FAILURE")
    followed(follower)
    assert follower.status == "UPDATE_ROLLBACK_FAILED"
    stuck = stuck_resources(operation_events(clients, "stuck"))
    assert stuck == ("Group",)
    assert cause_of(clients, "stuck").startswith("Wait (AWS::CloudFormation::WaitCondition)")
    continue_rollback(clients, "stuck", stuck)
    assert settled(clients, "stuck") == "UPDATE_ROLLBACK_COMPLETE"


def test_continuing_what_is_not_stuck_is_an_error(clients: Clients) -> None:
    stack_id = create_stack(clients, "whole", template(), {}, {})
    settled(clients, stack_id)
    assert stuck_resources(operation_events(clients, stack_id)) == ()
    with pytest.raises(AwsError, match="Could not continue the rollback of the stack whole"):
        continue_rollback(clients, "whole", ["Topic"])
    assert describe_stack(clients, "whole")
