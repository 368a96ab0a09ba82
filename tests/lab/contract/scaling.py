# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups for the contract cases of Auto Scaling: made, watched, removed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.lab.contract.support import Api, wait_for

LAUNCHING, TERMINATING = "autoscaling:EC2_INSTANCE_LAUNCHING", "autoscaling:EC2_INSTANCE_TERMINATING"
_NUMBERS = itertools.count()


def launch_settings(api: Api) -> dict[str, str]:
    """A launch template that a group can name."""
    data = {"ImageId": api.image, "InstanceType": "t3.small"}
    made = api.ec2.create_launch_template(LaunchTemplateName=f"scaling{next(_NUMBERS)}", LaunchTemplateData=data)
    return {"LaunchTemplateId": made["LaunchTemplate"]["LaunchTemplateId"], "Version": "1"}


@contextmanager
def removed_at_the_end(api: Api) -> Iterator[str]:
    """A name for a group; the group is emptied and removed."""
    made = f"scaling{next(_NUMBERS)}"
    yield made
    if not api.scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[made])["AutoScalingGroups"]:
        return
    for hook in api.scaling.describe_lifecycle_hooks(AutoScalingGroupName=made)["LifecycleHooks"]:
        api.scaling.delete_lifecycle_hook(AutoScalingGroupName=made, LifecycleHookName=hook["LifecycleHookName"])
    api.scaling.resume_processes(AutoScalingGroupName=made)
    for member in api.group(made)["Instances"]:
        api.ec2.terminate_instances(InstanceIds=[member["InstanceId"]])
    api.scaling.update_auto_scaling_group(AutoScalingGroupName=made, MinSize=0, DesiredCapacity=0)
    wait_for(lambda: not api.group(made)["Instances"], f"{made} empty")
    api.scaling.delete_auto_scaling_group(AutoScalingGroupName=made)


def create(api: Api, name: str, launch: dict[str, str], size: int = 0, **more: Any) -> None:
    """A group between 0 and 6."""
    asked = {"MinSize": 0, "MaxSize": 6, "DesiredCapacity": size, **more}
    if "MixedInstancesPolicy" not in more:
        asked["LaunchTemplate"] = launch
    api.scaling.create_auto_scaling_group(AutoScalingGroupName=name, VPCZoneIdentifier=",".join(api.subnets), **asked)


def sizes(api: Api, name: str) -> tuple[int, int, int]:
    found = api.group(name)
    return found["MinSize"], found["DesiredCapacity"], found["MaxSize"]


def states(api: Api, name: str) -> dict[str, str]:
    return {each["InstanceId"]: each["LifecycleState"] for each in api.group(name)["Instances"]}


def reach(api: Api, name: str, *expected: str) -> list[str]:
    """Wait until the members' states are these; returns their ids."""
    wait_for(lambda: sorted(states(api, name).values()) == sorted(expected), f"{name}: {expected}")
    return list(states(api, name))


def refusal(error: pytest.ExceptionInfo[ClientError]) -> str:
    assert error.value.response["Error"]["Code"] == "ValidationError"
    return str(error.value.response["Error"]["Message"])


def hook(name: str, transition: str, **more: Any) -> dict[str, Any]:
    return {"LifecycleHookName": name, "LifecycleTransition": transition, "HeartbeatTimeout": 7200, **more}


def complete(api: Api, name: str, hook_name: str, member: str, result: str) -> None:
    api.scaling.complete_lifecycle_action(
        AutoScalingGroupName=name, LifecycleHookName=hook_name, InstanceId=member, LifecycleActionResult=result
    )


def mixed(launch: dict[str, str]) -> dict[str, Any]:
    return {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": launch,
            "Overrides": [{"InstanceType": "t3.large"}, {"InstanceType": "t3.medium"}],
        },
        "InstancesDistribution": {"OnDemandBaseCapacity": 1, "OnDemandPercentageAboveBaseCapacity": 40},
    }
