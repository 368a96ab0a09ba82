# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The places that can name an image, one function a call, all pages."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import aws_call
from ansible_collections.immutable.ec2.plugins.module_utils.aws.images import USING_STATES

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mypy_boto3_autoscaling.type_defs import AutoScalingGroupTypeDef, LaunchConfigurationTypeDef
    from mypy_boto3_ec2.type_defs import FilterTypeDef, InstanceTypeDef

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients

T = t.TypeVar("T")

# The largest pages that each call allows.
INSTANCES_A_PAGE = 1000
GROUPS_A_PAGE = 100


@aws_call("read the instances")
def describe_instances(
    clients: Clients, convert: Callable[[InstanceTypeDef], T], image_ids: Sequence[str] = ()
) -> list[T]:
    """Instances in any state but terminated, converted; with images' ids (at most 200) only those made from them."""
    filters: list[FilterTypeDef] = [{"Name": "instance-state-name", "Values": USING_STATES}]
    if image_ids:
        filters.append({"Name": "image-id", "Values": list(image_ids)})
    pages = clients.ec2.get_paginator("describe_instances").paginate(
        Filters=filters, PaginationConfig={"PageSize": INSTANCES_A_PAGE}
    )
    return [
        convert(instance)
        for page in pages
        for reservation in page["Reservations"]
        for instance in reservation["Instances"]
    ]


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
