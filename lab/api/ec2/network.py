# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The default VPC in the lab's own network, so that a server has the address that the API says.

Private to moto 5.2.5: ``EC2Backend.create_default_vpc``.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models import EC2Backend

from lab.api.patching import replace
from lab.api.settings import Settings


def use_lab_network(settings: Settings) -> None:
    """Make the default VPC and its two subnets from the lab's ranges. Call before the first request."""

    def create_default_vpc(backend: Any) -> Any:
        vpc = backend.create_vpc(cidr_block=str(settings.network), is_default=True)
        for zone, block in settings.subnets.items():
            if zone.startswith(backend.region_name):
                backend.create_subnet(vpc_id=vpc.id, cidr_block=block, availability_zone=zone)
        return vpc

    replace(EC2Backend, "create_default_vpc", create_default_vpc)
