# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Auto Scaling groups: what they launch, replace, drain and leave alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from tests.lab.contract.support import Api, wait_for


@pytest.fixture(scope="module")
def template(api: Api) -> str:
    data = {"ImageId": api.image, "InstanceType": "t3.small"}
    made = api.ec2.create_launch_template(LaunchTemplateName="groups", LaunchTemplateData=data)
    return str(made["LaunchTemplate"]["LaunchTemplateId"])


@pytest.fixture
def group(api: Api, template: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """A group of 2 (at most 4) in a target group of its own, in use by a listener."""
    name = request.node.name.replace("_", "-")[5:30]
    target_group = api.target_group(name)
    api.elb.modify_target_group_attributes(
        TargetGroupArn=target_group, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "100"}]
    )
    api.listener(name, {target_group: 1})
    api.scaling.create_auto_scaling_group(
        AutoScalingGroupName=name,
        MinSize=0,
        MaxSize=4,
        DesiredCapacity=2,
        VPCZoneIdentifier=",".join(api.subnets),
        LaunchTemplate={"LaunchTemplateId": template, "Version": "$Latest"},
        TargetGroupARNs=[target_group],
        HealthCheckType="EC2",
        HealthCheckGracePeriod=2,
    )
    wait_for(lambda: len(api.in_service(name)) == 2, "two members in service")
    yield name
    api.scaling.update_auto_scaling_group(AutoScalingGroupName=name, MinSize=0, DesiredCapacity=0)
    wait_for(lambda: not api.group(name)["Instances"], f"{name} empty")
    api.scaling.delete_auto_scaling_group(AutoScalingGroupName=name)


def targets(api: Api, group: str) -> dict[str, str]:
    return api.health(api.group(group)["TargetGroupARNs"][0])


def test_members_are_spread_and_registered(api: Api, group: str) -> None:
    found = api.group(group)["Instances"]
    assert {member["AvailabilityZone"] for member in found} == {"eu-west-1a", "eu-west-1b"}
    registered = wait_for(lambda: targets(api, group), "registered targets")
    assert set(registered) == {member["InstanceId"] for member in found}


def test_terminated_member_is_replaced(api: Api, group: str) -> None:
    lost = api.in_service(group)[0]
    api.ec2.terminate_instances(InstanceIds=[lost])

    def replaced() -> bool:
        now = api.in_service(group)
        return len(now) == 2 and lost not in now

    wait_for(replaced, "a new member in its place")


def test_failed_health_check_replaces_after_the_grace_period(api: Api, group: str) -> None:
    before = set(api.in_service(group))
    wait_for(lambda: set(targets(api, group).values()) == {"unhealthy"}, "unhealthy targets")
    assert set(api.in_service(group)) == before, "a group that asks for EC2's checks alone leaves them"
    api.scaling.update_auto_scaling_group(AutoScalingGroupName=group, HealthCheckType="ELB")
    wait_for(lambda: not before & set(api.in_service(group)), "all replaced")
    assert api.group(group)["DesiredCapacity"] == 2


def test_suspended_processes_leave_members_alone(api: Api, group: str) -> None:
    before = set(api.in_service(group))
    api.scaling.suspend_processes(AutoScalingGroupName=group, ScalingProcesses=["HealthCheck", "ReplaceUnhealthy"])
    wait_for(lambda: set(targets(api, group).values()) == {"unhealthy"}, "unhealthy targets")
    api.scaling.update_auto_scaling_group(AutoScalingGroupName=group, HealthCheckType="ELB", DesiredCapacity=3)
    # That a third one came shows that the group has been looked at since.
    wait_for(lambda: len(api.in_service(group)) == 3, "a third member")
    assert before < set(api.in_service(group))


def test_shrinking_drains_before_it_terminates(api: Api, group: str) -> None:
    wait_for(lambda: set(targets(api, group).values()) == {"unhealthy"}, "checked targets")
    api.scaling.set_desired_capacity(AutoScalingGroupName=group, DesiredCapacity=1)
    leaving = wait_for(
        lambda: [member["InstanceId"] for member in api.group(group)["Instances"]
                 if member["LifecycleState"] == "Terminating"], "a member that leaves"
    )  # fmt: skip
    assert targets(api, group)[leaving[0]] == "draining"
    assert api.instance(leaving[0])["State"]["Name"] == "running"
    api.reach(leaving[0], "terminated")
    assert leaving[0] not in targets(api, group)
    assert len(api.in_service(group)) == 1


@pytest.mark.parametrize("capacity", [5, -1])
def test_capacity_outside_the_bounds_is_refused(api: Api, template: str, capacity: int) -> None:
    name = f"bounds{capacity}"
    launch = {"LaunchTemplateId": template, "Version": "$Latest"}
    api.scaling.create_auto_scaling_group(
        AutoScalingGroupName=name, MinSize=0, MaxSize=4, VPCZoneIdentifier=api.subnets[0], LaunchTemplate=launch
    )
    with pytest.raises(ClientError) as refusal:
        api.scaling.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=capacity)
    assert refusal.value.response["Error"]["Code"] == "ValidationError"
    assert api.group(name)["DesiredCapacity"] == 0
    with pytest.raises(ClientError) as refusal:
        api.scaling.create_auto_scaling_group(
            AutoScalingGroupName=name, MinSize=0, MaxSize=1, VPCZoneIdentifier=api.subnets[0], LaunchTemplate=launch
        )
    assert refusal.value.response["Error"]["Code"] == "AlreadyExists"


def test_group_with_members_is_not_deleted(api: Api, group: str) -> None:
    with pytest.raises(ClientError) as refusal:
        api.scaling.delete_auto_scaling_group(AutoScalingGroupName=group)
    assert refusal.value.response["Error"]["Code"] == "ResourceInUse"


def test_the_version_that_the_group_names_is_launched(api: Api, template: str) -> None:
    api.ec2.create_launch_template_version(
        LaunchTemplateId=template, LaunchTemplateData={"ImageId": api.image, "InstanceType": "t3.large"}
    )
    api.scaling.create_auto_scaling_group(
        AutoScalingGroupName="version",
        MinSize=1,
        MaxSize=1,
        VPCZoneIdentifier=api.subnets[0],
        LaunchTemplate={"LaunchTemplateId": template, "Version": "2"},
    )
    member = wait_for(lambda: api.in_service("version"), "a member")[0]
    assert api.instance(member)["InstanceType"] == "t3.large"
