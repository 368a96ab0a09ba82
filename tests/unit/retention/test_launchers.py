# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups and fleets as AWS describes them → the images and templates that they launch from."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.retention.observe.launchers import (
    Launcher,
    Named,
    of_fleets,
    of_groups,
    of_spot_fleets,
)

BY_ID = {"LaunchTemplateId": "lt-1", "LaunchTemplateName": "web", "Version": "3"}
BY_NAME = {"LaunchTemplateName": "web"}
GROUP, FLEET, SPOT = "Auto Scaling group g", "EC2 fleet fleet-1", "spot fleet sfr-1"
OVERRIDES = [{"ImageId": "ami-2"}, {"InstanceType": "t3.micro"}, {"LaunchTemplateSpecification": BY_ID}]
MIXED = {"LaunchTemplate": {"LaunchTemplateSpecification": BY_NAME, "Overrides": OVERRIDES}}
CONFIGS = [{"LaunchTemplateSpecification": BY_NAME, "Overrides": OVERRIDES}]

LAUNCHES: dict[str, tuple[t.Any, dict[str, t.Any], list[Named | Launcher]]] = {
    "a group's template": (of_groups, {"LaunchTemplate": BY_ID}, [Launcher(GROUP, "lt-1", "3")]),
    "without a version": (of_groups, {"LaunchTemplate": BY_NAME}, [Launcher(GROUP, "web", "$Default")]),
    "a group's launch configuration": (of_groups, {"LaunchConfigurationName": "c"}, []),
    "a group's mixed instances": (
        of_groups,
        {"MixedInstancesPolicy": MIXED},
        [
            Launcher(GROUP, "web", "$Default"),
            Named("ami-2", f"{GROUP} (mixed instances override)"),
            Launcher(GROUP, "lt-1", "3"),
        ],
    ),
    "an EC2 fleet": (
        of_fleets,
        {"LaunchTemplateConfigs": CONFIGS},
        [Launcher(FLEET, "web", "$Default"), Named("ami-2", f"{FLEET} (override)"), Launcher(FLEET, "lt-1", "3")],
    ),
    "an EC2 fleet of nothing": (of_fleets, {}, []),
    "a spot fleet": (
        of_spot_fleets,
        {
            "SpotFleetRequestConfig": {
                "LaunchSpecifications": [{"ImageId": "ami-1"}, {}],
                "LaunchTemplateConfigs": CONFIGS,
            }
        },
        [Named("ami-1", SPOT), Launcher(SPOT, "web", "$Default")],
    ),
}


@pytest.mark.parametrize("case", LAUNCHES)
def test_what_it_launches_from(case: str) -> None:
    read, facts, launches = LAUNCHES[case]
    names = {"AutoScalingGroupName": "g", "FleetId": "fleet-1", "SpotFleetRequestId": "sfr-1"}
    assert list(read([names | facts])) == launches
