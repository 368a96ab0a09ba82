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


@aws_call("set the desired capacity of {}")
def set_desired_capacity(clients: Clients, name: str, desired: int) -> None:
    """Sets the wanted number of servers at once, without waiting for a cooldown."""
    clients.autoscaling.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=desired, HonorCooldown=False)
