# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Auto Scaling groups as a deployment uses them: sizes, suspended processes, tags, launch settings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.lab.contract.scaling import (
    LAUNCHING,
    TERMINATING,
    create,
    hook,
    launch_settings,
    mixed,
    reach,
    refusal,
    removed_at_the_end,
    sizes,
    states,
)
from tests.lab.contract.support import Api, tags, wait_for


@pytest.fixture(scope="module")
def launch(api: Api) -> dict[str, str]:
    return launch_settings(api)


@pytest.fixture
def name(api: Api) -> Iterator[str]:
    with removed_at_the_end(api) as made:
        yield made


# --- sizes


def test_a_minimum_above_the_desired_capacity_lifts_it(api: Api, name: str, launch: dict[str, str]) -> None:
    create(api, name, launch, size=1)
    api.scaling.update_auto_scaling_group(AutoScalingGroupName=name, MinSize=3)
    assert sizes(api, name) == (3, 3, 6)
    reach(api, name, *["InService"] * 3)


def test_a_minimum_below_the_desired_capacity_leaves_it(api: Api, name: str, launch: dict[str, str]) -> None:
    create(api, name, launch, size=2)
    api.scaling.update_auto_scaling_group(AutoScalingGroupName=name, MinSize=1)
    assert sizes(api, name) == (1, 2, 6)


def test_a_maximum_below_the_desired_capacity_lowers_it(api: Api, name: str, launch: dict[str, str]) -> None:
    create(api, name, launch, size=3)
    api.scaling.update_auto_scaling_group(AutoScalingGroupName=name, MaxSize=2)
    assert sizes(api, name) == (0, 2, 2)


def test_a_desired_capacity_outside_the_bounds_is_refused(api: Api, name: str, launch: dict[str, str]) -> None:
    create(api, name, launch, size=2, MinSize=2)
    with pytest.raises(ClientError) as error:
        api.scaling.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=1)
    assert refusal(error) == "New SetDesiredCapacity value 1 is below min value 2 for the AutoScalingGroup."
    with pytest.raises(ClientError) as error:
        api.scaling.update_auto_scaling_group(AutoScalingGroupName=name, MinSize=4, DesiredCapacity=3)
    assert refusal(error) == "Desired capacity:3 must be between the specified min size:4 and max size:6"
    assert sizes(api, name) == (2, 2, 6)


def test_a_minimum_above_the_maximum_is_refused(api: Api, name: str, launch: dict[str, str]) -> None:
    create(api, name, launch)
    with pytest.raises(ClientError) as error:
        api.scaling.update_auto_scaling_group(AutoScalingGroupName=name, MinSize=7)
    refusal(error)
    assert sizes(api, name) == (0, 0, 6)


def test_calls_for_a_group_that_is_not_there_are_refused(api: Api) -> None:
    for operation, more in (("SetDesiredCapacity", {"DesiredCapacity": 1}), ("SuspendProcesses", {})):
        with pytest.raises(ClientError) as error:
            api.scaling._make_api_call(operation, {"AutoScalingGroupName": "none-such", **more})
        assert "not found" in refusal(error)


# --- suspended processes


def suspended(api: Api, name: str) -> set[str]:
    return {each["ProcessName"] for each in api.group(name)["SuspendedProcesses"]}


def test_suspended_processes_are_shown_and_resumed(api: Api, name: str, launch: dict[str, str]) -> None:
    create(api, name, launch)
    api.scaling.suspend_processes(AutoScalingGroupName=name, ScalingProcesses=["ReplaceUnhealthy", "AlarmNotification"])
    assert suspended(api, name) == {"ReplaceUnhealthy", "AlarmNotification"}
    api.scaling.resume_processes(AutoScalingGroupName=name, ScalingProcesses=["AlarmNotification"])
    assert suspended(api, name) == {"ReplaceUnhealthy"}
    api.scaling.resume_processes(AutoScalingGroupName=name)
    assert suspended(api, name) == set()


def test_an_unhealthy_member_stays_while_its_replacement_is_suspended(
    api: Api, name: str, launch: dict[str, str]
) -> None:
    create(api, name, launch, size=2)
    first, second = reach(api, name, "InService", "InService")
    api.scaling.suspend_processes(AutoScalingGroupName=name, ScalingProcesses=["ReplaceUnhealthy"])
    api.ec2.terminate_instances(InstanceIds=[first])
    wait_for(lambda: "Unhealthy" in [each["HealthStatus"] for each in api.group(name)["Instances"]], "a failed check")
    # That a third one came shows that the group has been looked at since.
    api.scaling.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=3)
    assert set(reach(api, name, *["InService"] * 3)) > {first, second}
    api.scaling.resume_processes(AutoScalingGroupName=name)
    wait_for(lambda: first not in states(api, name) and len(api.in_service(name)) == 3, "a replacement")


def test_nothing_is_launched_while_launching_is_suspended(api: Api, name: str, launch: dict[str, str]) -> None:
    create(api, name, launch, size=2)
    first, second = reach(api, name, "InService", "InService")
    api.scaling.suspend_processes(AutoScalingGroupName=name, ScalingProcesses=["Launch"])
    api.scaling.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=4)
    # That the lost one has left shows that the group has been looked at since.
    api.ec2.terminate_instances(InstanceIds=[first])
    wait_for(lambda: list(states(api, name)) == [second], "one member")
    api.scaling.resume_processes(AutoScalingGroupName=name, ScalingProcesses=["Launch"])
    reach(api, name, *["InService"] * 4)


def test_nothing_is_terminated_while_terminating_is_suspended(api: Api, name: str, launch: dict[str, str]) -> None:
    create(api, name, launch, size=2)
    reach(api, name, "InService", "InService")
    api.scaling.suspend_processes(AutoScalingGroupName=name, ScalingProcesses=["Terminate"])
    api.scaling.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=0)
    # A group made later has come into service: this one has been looked at since.
    later = f"{name}-later"
    create(api, later, launch, size=1)
    reach(api, later, "InService")
    assert set(states(api, name).values()) == {"InService"}
    api.scaling.resume_processes(AutoScalingGroupName=name)
    reach(api, name)


# --- tags


def test_tags_are_set_changed_and_removed(api: Api, name: str, launch: dict[str, str]) -> None:
    create(api, name, launch, Tags=[{"Key": "team", "Value": "web", "PropagateAtLaunch": True}])

    def tag(key: str, value: str) -> dict[str, Any]:
        kept = {"ResourceId": name, "ResourceType": "auto-scaling-group", "PropagateAtLaunch": False}
        return {"Key": key, "Value": value, **kept}

    api.scaling.create_or_update_tags(Tags=[tag("original-minimum", "2"), tag("team", "shop")])
    assert tags(api.group(name)["Tags"]) == {"team": "shop", "original-minimum": "2"}
    found = api.scaling.describe_tags(Filters=[{"Name": "auto-scaling-group", "Values": [name]}])["Tags"]
    assert {each["Key"]: each["PropagateAtLaunch"] for each in found} == {"team": False, "original-minimum": False}
    api.scaling.delete_tags(Tags=[tag("original-minimum", "2")])
    assert tags(api.group(name)["Tags"]) == {"team": "shop"}


# --- launch settings


def test_a_mixed_policy_is_kept_and_its_first_type_launched(api: Api, name: str, launch: dict[str, str]) -> None:
    create(api, name, launch, size=1, MixedInstancesPolicy=mixed(launch))
    (member,) = reach(api, name, "InService")
    assert api.instance(member)["InstanceType"] == "t3.large"
    api.scaling.update_auto_scaling_group(AutoScalingGroupName=name, MinSize=1)
    found = api.group(name)
    policy = found["MixedInstancesPolicy"]
    assert [each["InstanceType"] for each in policy["LaunchTemplate"]["Overrides"]] == ["t3.large", "t3.medium"]
    assert policy["InstancesDistribution"]["OnDemandPercentageAboveBaseCapacity"] == 40
    assert policy["LaunchTemplate"]["LaunchTemplateSpecification"]["LaunchTemplateId"] == launch["LaunchTemplateId"]
    assert "LaunchTemplate" not in found


def test_warm_up_and_cooldown_are_kept(api: Api, name: str, launch: dict[str, str]) -> None:
    create(api, name, launch, DefaultInstanceWarmup=90, DefaultCooldown=45)
    assert [api.group(name)[key] for key in ("DefaultInstanceWarmup", "DefaultCooldown")] == [90, 45]
    api.scaling.update_auto_scaling_group(AutoScalingGroupName=name, DefaultInstanceWarmup=0)
    assert [api.group(name)[key] for key in ("DefaultInstanceWarmup", "DefaultCooldown")] == [0, 45]


# --- through CloudFormation


def test_a_stack_makes_a_group_with_all_of_it(api: Api, name: str, launch: dict[str, str]) -> None:
    group = {
        "Type": "AWS::AutoScaling::AutoScalingGroup",
        "Properties": {
            "AutoScalingGroupName": name,
            "MinSize": "1",
            "MaxSize": "2",
            "VPCZoneIdentifier": api.subnets,
            "MixedInstancesPolicy": mixed(launch),
            "DefaultInstanceWarmup": "90",
            "Cooldown": "45",
            "LifecycleHookSpecificationList": [
                hook("quick", LAUNCHING, HeartbeatTimeout="30", DefaultResult="CONTINUE")
            ],
        },
    }

    def body(timeout: str) -> str:
        named = {"AutoScalingGroupName": {"Ref": "Group"}, "LifecycleHookName": "last-words"}
        properties = {**named, "LifecycleTransition": TERMINATING, "HeartbeatTimeout": timeout}
        later = {"Type": "AWS::AutoScaling::LifecycleHook", "Properties": properties}
        return json.dumps({"Resources": {"Group": group, "Hook": later}})

    api.stacks.create_stack(StackName=name, TemplateBody=body("30"))
    assert api.settled(name)["StackStatus"] == "CREATE_COMPLETE", api.reasons(name)
    found = api.group(name)
    assert (found["DefaultInstanceWarmup"], found["DefaultCooldown"]) == (90, 45)
    assert "MixedInstancesPolicy" in found
    hooks = api.scaling.describe_lifecycle_hooks(AutoScalingGroupName=name)["LifecycleHooks"]
    assert {each["LifecycleHookName"] for each in hooks} == {"quick", "last-words"}
    api.stacks.update_stack(StackName=name, TemplateBody=body("60"))
    assert api.settled(name)["StackStatus"] == "UPDATE_COMPLETE", api.reasons(name)
    hooks = api.scaling.describe_lifecycle_hooks(AutoScalingGroupName=name, LifecycleHookNames=["last-words"])
    assert hooks["LifecycleHooks"][0]["HeartbeatTimeout"] == 60
    api.delete_stack(name)
