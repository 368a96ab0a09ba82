# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EC2 fleets, spot fleets and spot requests, one function a call, all pages: each names what it will launch."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import aws_call

if t.TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import FleetDataTypeDef, SpotFleetRequestConfigTypeDef, SpotInstanceRequestTypeDef

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients

A_PAGE = 1000
OVER = {"deleted", "failed", "cancelled"}
"""States in which a fleet launches nothing any more."""
WAITING = ["open", "active"]
"""States in which a spot request may launch something, or launch it again."""


@aws_call("read the EC2 fleets")
def describe_fleets(clients: Clients) -> list[FleetDataTypeDef]:
    """All fleets that may still launch something, those that run out included."""
    pages = clients.ec2.get_paginator("describe_fleets").paginate()
    return [fleet for page in pages for fleet in page["Fleets"] if fleet.get("FleetState", "") not in OVER]


@aws_call("read the spot fleets")
def describe_spot_fleets(clients: Clients) -> list[SpotFleetRequestConfigTypeDef]:
    """All spot fleets that may still launch something, those that run out included."""
    pages = clients.ec2.get_paginator("describe_spot_fleet_requests").paginate()
    return [
        fleet
        for page in pages
        for fleet in page["SpotFleetRequestConfigs"]
        if fleet.get("SpotFleetRequestState", "") not in OVER
    ]


@aws_call("read the spot requests")
def describe_spot_requests(clients: Clients) -> list[SpotInstanceRequestTypeDef]:
    """All spot requests that wait for an instance or keep one."""
    pages = clients.ec2.get_paginator("describe_spot_instance_requests").paginate(
        Filters=[{"Name": "state", "Values": WAITING}], PaginationConfig={"PageSize": A_PAGE}
    )
    return [request for page in pages for request in page["SpotInstanceRequests"]]
