# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stacks whose creation or deletion fails, and stacks that were only prepared: what is left, and the way out."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest
from botocore.exceptions import ClientError

from tests.lab.contract.faulty import ask
from tests.lab.contract.stack import Stack, template
from tests.lab.contract.support import Api, wait_for

NAMES = (f"ends{number}" for number in itertools.count())


@pytest.fixture
def stack(api: Api) -> Iterator[Stack]:
    """A name for a stack; its faults are removed."""
    yield Stack(api, next(NAMES))
    ask(api, "DELETE", "/_lab/faults")


def deleted(stack: Stack) -> None:
    """Delete the stack and wait until it is gone."""
    stack_id = stack.described()["StackId"]
    stack.api.stacks.delete_stack(StackName=stack.name)
    gone(stack, stack_id)


def gone(stack: Stack, stack_id: str) -> None:
    def status() -> bool:
        found = stack.api.stacks.describe_stacks(StackName=stack_id)["Stacks"][0]["StackStatus"]
        assert found in ("DELETE_IN_PROGRESS", "DELETE_COMPLETE")
        return bool(found == "DELETE_COMPLETE")

    wait_for(status, f"{stack.name} deleted")


def left(stack: Stack) -> list[str]:
    """The load balancers, target groups and listeners that the stack has made."""
    elb = stack.api.elb
    balancers = [each["LoadBalancerArn"] for each in elb.describe_load_balancers()["LoadBalancers"]]
    groups = [each["TargetGroupArn"] for each in elb.describe_target_groups()["TargetGroups"]]
    found = [each for each in balancers + groups if f"/{stack.name}-" in each]
    listeners = [elb.describe_listeners(LoadBalancerArn=each)["Listeners"] for each in found if each in balancers]
    return found + [each["ListenerArn"] for every in listeners for each in every]


# --- creation


def test_a_failed_creation_removes_what_was_made(stack: Stack) -> None:
    stack.failing("Note", "create", "no room for notes")
    assert stack.create() == "ROLLBACK_COMPLETE"
    assert stack.failed() == ("Note", "no room for notes")
    assert left(stack) == []


@pytest.mark.parametrize("way", ["update", "create", "change-set"])
def test_a_stack_that_was_rolled_back_can_only_be_deleted(stack: Stack, way: str) -> None:
    stack.failing("Note", "create", "no room for notes")
    stack.create()
    ways: dict[str, Callable[[], object]] = {
        "update": lambda: stack.update(Note1="second"),
        "create": stack.create,
        "change-set": lambda: prepare(stack),
    }
    with pytest.raises(ClientError) as refusal:
        ways[way]()
    code = refusal.value.response["Error"]["Code"]
    assert code == ("AlreadyExistsException" if way == "create" else "ValidationError")
    deleted(stack)
    assert stack.create() == "CREATE_COMPLETE"


def test_a_failed_creation_that_is_not_rolled_back_keeps_what_was_made(stack: Stack) -> None:
    stack.failing("Note", "create", "no room for notes")
    stack.api.stacks.create_stack(StackName=stack.name, TemplateBody=template(stack.api), DisableRollback=True)
    assert stack.settled() == "CREATE_FAILED"
    assert len(left(stack)) == 4
    with pytest.raises(ClientError, match="is in CREATE_FAILED state and can not be updated"):
        stack.update(Note1="second")
    deleted(stack)
    assert left(stack) == []


def test_what_exists_although_it_failed_is_removed_too(stack: Stack) -> None:
    stack.failing("Listener", "create", "the listener never answered", after=True)
    assert stack.create() == "ROLLBACK_COMPLETE"
    assert left(stack) == []


def test_a_stack_is_deleted_while_it_is_made(stack: Stack) -> None:
    held = stack.slow("Listener", "create")
    stack.api.stacks.create_stack(StackName=stack.name, TemplateBody=template(stack.api))
    held.seen(wait=10)
    stack_id = stack.described()["StackId"]
    stack.api.stacks.delete_stack(StackName=stack.name)
    gone(stack, stack_id)
    assert left(stack) == []


def test_a_group_without_servers_does_not_stop_the_deletion_of_its_stack(stack: Stack) -> None:
    parts = {
        "Template": {
            "Type": "AWS::EC2::LaunchTemplate",
            "Properties": {"LaunchTemplateData": {"ImageId": stack.api.image, "InstanceType": "t3.small"}},
        },
        "Group": {
            "Type": "AWS::AutoScaling::AutoScalingGroup",
            "Properties": {
                "AutoScalingGroupName": stack.name,
                "MinSize": "1",
                "MaxSize": "1",
                "VPCZoneIdentifier": stack.api.subnets,
                "LaunchTemplate": {
                    "LaunchTemplateId": {"Ref": "Template"},
                    "Version": {"Fn::GetAtt": ["Template", "LatestVersionNumber"]},
                },
                # A server that waits for a signal that never comes.
                "LifecycleHookSpecificationList": [
                    {
                        "LifecycleHookName": "never",
                        "LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING",
                        "HeartbeatTimeout": 7200,
                    }
                ],
            },
        },
    }
    stack.api.stacks.create_stack(StackName=stack.name, TemplateBody=template(stack.api, **parts))

    def waits() -> bool:
        found = stack.api.scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[stack.name])["AutoScalingGroups"]
        return bool(found) and [each["LifecycleState"] for each in found[0]["Instances"]] == ["Pending:Wait"]

    wait_for(waits, "a server that waits")
    stack_id = stack.described()["StackId"]
    stack.api.stacks.delete_stack(StackName=stack.name)
    gone(stack, stack_id)
    found = stack.api.scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[stack.name])
    assert found["AutoScalingGroups"] == []


# --- preparation


def prepare(stack: Stack) -> None:
    stack.api.stacks.create_change_set(
        StackName=stack.name, ChangeSetName="first", ChangeSetType="CREATE", TemplateBody=template(stack.api)
    )


def test_a_stack_that_was_only_prepared_has_nothing_and_can_be_deleted(stack: Stack) -> None:
    prepare(stack)
    assert stack.status() == "REVIEW_IN_PROGRESS"
    with pytest.raises(ClientError, match="is in REVIEW_IN_PROGRESS state and can not be updated"):
        stack.update(Note1="second")
    deleted(stack)
    assert stack.create() == "CREATE_COMPLETE"


def test_a_stack_that_was_prepared_is_made_from_its_change_set(stack: Stack) -> None:
    prepare(stack)
    stack.api.stacks.execute_change_set(StackName=stack.name, ChangeSetName="first")
    stack.reach("CREATE_COMPLETE")
    assert stack.weights() == [100, 0]


# --- deletion


def test_a_deletion_that_fails_can_be_tried_again(stack: Stack) -> None:
    stack.create()
    stack.failing("Blue", "delete", "the target group is in use")
    stack.api.stacks.delete_stack(StackName=stack.name)
    stack.reach("DELETE_FAILED")
    assert stack.described()["StackStatusReason"] == "The following resource(s) failed to delete: [Blue]."
    assert ("Blue", "DELETE_FAILED", "the target group is in use") in stack.events()
    assert len(left(stack)) == 1
    with pytest.raises(ClientError, match="is in DELETE_FAILED state and can not be updated"):
        stack.update(Note1="second")
    deleted(stack)
    assert left(stack) == []


def test_a_deletion_leaves_what_it_is_told_to_retain(stack: Stack) -> None:
    stack.create()
    stack.failing("Blue", "delete", "the target group is in use", times=9)
    stack.api.stacks.delete_stack(StackName=stack.name)
    stack.reach("DELETE_FAILED")
    stack_id = stack.described()["StackId"]
    stack.api.stacks.delete_stack(StackName=stack.name, RetainResources=["Blue"])
    gone(stack, stack_id)
    assert len(left(stack)) == 1


def test_a_stack_that_is_being_deleted_is_not_deleted_twice(stack: Stack) -> None:
    stack.create()
    held = stack.slow("Listener", "delete")
    stack_id = stack.described()["StackId"]
    stack.api.stacks.delete_stack(StackName=stack.name)
    held.seen(wait=10)
    stack.api.stacks.delete_stack(StackName=stack.name)
    held.release()
    gone(stack, stack_id)
    events = stack.api.stacks.describe_stack_events(StackName=stack_id)["StackEvents"]
    begun = [each for each in events if each["ResourceStatus"] == "DELETE_IN_PROGRESS"]
    assert [each["LogicalResourceId"] for each in begun].count(stack.name) == 1
