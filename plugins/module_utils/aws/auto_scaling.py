# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Auto Scaling, one function a call."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import aws_call

if t.TYPE_CHECKING:
    from mypy_boto3_autoscaling.type_defs import AutoScalingGroupTypeDef

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients


@aws_call("read the Auto Scaling groups {}")
def describe_groups(clients: Clients, names: list[str]) -> dict[str, AutoScalingGroupTypeDef]:
    """Name → group, of those that exist. An empty list of names asks nothing (AWS would return every group)."""
    if not names:
        return {}
    pages = clients.autoscaling.get_paginator("describe_auto_scaling_groups").paginate(AutoScalingGroupNames=names)
    return {group["AutoScalingGroupName"]: group for page in pages for group in page["AutoScalingGroups"]}


@aws_call("set the minimum of {}")
def set_minimum(clients: Clients, name: str, minimum: int) -> None:
    """Sets the least number of servers; a lower desired capacity rises with it.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_UpdateAutoScalingGroup.html
    """
    clients.autoscaling.update_auto_scaling_group(AutoScalingGroupName=name, MinSize=minimum)


@aws_call("tag the Auto Scaling group {}")
def tag_group(clients: Clients, name: str, key: str, value: str) -> None:
    """Sets a tag of the group itself; its servers don't get it."""
    clients.autoscaling.create_or_update_tags(
        Tags=[
            {
                "ResourceId": name,
                "ResourceType": "auto-scaling-group",
                "Key": key,
                "Value": value,
                "PropagateAtLaunch": False,
            }
        ]
    )


@aws_call("remove a tag of the Auto Scaling group {}")
def untag_group(clients: Clients, name: str, key: str) -> None:
    """Removes a tag of the group; one that isn't there is no error."""
    clients.autoscaling.delete_tags(
        Tags=[{"ResourceId": name, "ResourceType": "auto-scaling-group", "Key": key}],
    )


@aws_call("suspend processes of {}")
def suspend(clients: Clients, name: str, process: str) -> None:
    """Suspends one of Auto Scaling's processes.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html
    """
    clients.autoscaling.suspend_processes(AutoScalingGroupName=name, ScalingProcesses=[process])


@aws_call("resume processes of {}")
def resume(clients: Clients, name: str, process: str) -> None:
    clients.autoscaling.resume_processes(AutoScalingGroupName=name, ScalingProcesses=[process])
