# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The places that can name an image, one function a call, all pages."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import aws_call

if t.TYPE_CHECKING:
    from mypy_boto3_autoscaling.type_defs import AutoScalingGroupTypeDef, LaunchConfigurationTypeDef
    from mypy_boto3_ec2.type_defs import (
        FilterTypeDef,
        InstanceTypeDef,
        LaunchTemplateTypeDef,
        LaunchTemplateVersionTypeDef,
    )

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients

# The largest pages that each call allows.
INSTANCES_A_PAGE = 1000
TEMPLATES_A_PAGE = 200
GROUPS_A_PAGE = 100

# A terminated instance is a record without a machine; every other state can run from its image again.
USING_STATES = ["pending", "running", "shutting-down", "stopping", "stopped"]


@aws_call("read the instances {}")
def describe_instances(clients: Clients, image_id: str = "") -> list[InstanceTypeDef]:
    """Instances in any state but terminated; with an image's id only those launched from it."""
    filters: list[FilterTypeDef] = [{"Name": "instance-state-name", "Values": USING_STATES}]
    if image_id:
        filters.append({"Name": "image-id", "Values": [image_id]})
    pages = clients.ec2.get_paginator("describe_instances").paginate(
        Filters=filters, PaginationConfig={"PageSize": INSTANCES_A_PAGE}
    )
    return [instance for page in pages for reservation in page["Reservations"] for instance in reservation["Instances"]]


@aws_call("read the launch templates")
def describe_launch_templates(clients: Clients) -> list[LaunchTemplateTypeDef]:
    """All launch templates, each with its default and latest version's number, without their contents."""
    # The page size is sent because an emulator may otherwise end after its first page (moto: 15).
    pages = clients.ec2.get_paginator("describe_launch_templates").paginate(
        PaginationConfig={"PageSize": TEMPLATES_A_PAGE}
    )
    return [template for page in pages for template in page["LaunchTemplates"]]


@aws_call("read the versions of the launch template {}")
def describe_launch_template_versions(
    clients: Clients, template_id: str, first: int = 1
) -> list[LaunchTemplateVersionTypeDef]:
    """All versions of one template from number `first` on. Image ids are as they were written (`resolve:ssm:…` too)."""
    pages = clients.ec2.get_paginator("describe_launch_template_versions").paginate(
        LaunchTemplateId=template_id, MinVersion=str(first), PaginationConfig={"PageSize": TEMPLATES_A_PAGE}
    )
    return [version for page in pages for version in page["LaunchTemplateVersions"]]


@aws_call("resolve the image that the launch template {} names by a parameter")
def resolve_launch_template_image(clients: Clients, template_id: str, version: int) -> str:
    """The image id that a version's `resolve:ssm:…` stands for at this moment."""
    answer = clients.ec2.describe_launch_template_versions(
        LaunchTemplateId=template_id, Versions=[str(version)], ResolveAlias=True
    )
    return next((one["LaunchTemplateData"].get("ImageId", "") for one in answer["LaunchTemplateVersions"]), "")


@aws_call("read the launch configurations")
def describe_launch_configurations(clients: Clients) -> list[LaunchConfigurationTypeDef]:
    """All launch configurations."""
    pages = clients.autoscaling.get_paginator("describe_launch_configurations").paginate(
        PaginationConfig={"PageSize": GROUPS_A_PAGE}
    )
    return [configuration for page in pages for configuration in page["LaunchConfigurations"]]


@aws_call("read the Auto Scaling groups")
def describe_all_groups(clients: Clients) -> list[AutoScalingGroupTypeDef]:
    """All Auto Scaling groups."""
    pages = clients.autoscaling.get_paginator("describe_auto_scaling_groups").paginate(
        PaginationConfig={"PageSize": GROUPS_A_PAGE}
    )
    return [group for page in pages for group in page["AutoScalingGroups"]]
