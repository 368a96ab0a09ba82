# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What launches servers, and from what: Auto Scaling groups, EC2 fleets, spot fleets. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mypy_boto3_autoscaling.type_defs import AutoScalingGroupTypeDef
    from mypy_boto3_ec2.type_defs import FleetDataTypeDef, SpotFleetRequestConfigTypeDef


@dataclass(frozen=True, slots=True)
class Named:
    """An image as it was written (an id, or `resolve:ssm:…`) and who named it."""

    image: str
    user: str


@dataclass(frozen=True, slots=True)
class Launcher:
    """Someone who launches from a template, given by id or name; `version` is a number, `$Latest` or `$Default`."""

    user: str
    template: str
    version: str


def of_groups(groups: Iterable[AutoScalingGroupTypeDef]) -> Iterator[Named | Launcher]:
    """What Auto Scaling groups launch, mixed instances and their overrides too."""
    for group in groups:
        user = f"Auto Scaling group {group['AutoScalingGroupName']}"
        mixed: t.Any = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
        yield from _launchers(user, [group.get("LaunchTemplate"), mixed.get("LaunchTemplateSpecification")])
        yield from _overrides(f"{user} (mixed instances override)", mixed.get("Overrides", []), user)


def of_fleets(fleets: Iterable[FleetDataTypeDef]) -> Iterator[Named | Launcher]:
    """What EC2 fleets launch."""
    for fleet in fleets:
        user = f"EC2 fleet {fleet['FleetId']}"
        for config in fleet.get("LaunchTemplateConfigs", []):
            yield from _launchers(user, [config.get("LaunchTemplateSpecification")])
            yield from _overrides(f"{user} (override)", config.get("Overrides", []), user)


def of_spot_fleets(fleets: Iterable[SpotFleetRequestConfigTypeDef]) -> Iterator[Named | Launcher]:
    """What spot fleets launch."""
    for fleet in fleets:
        user = f"spot fleet {fleet['SpotFleetRequestId']}"
        config = fleet["SpotFleetRequestConfig"]
        for specification in config.get("LaunchSpecifications", []):
            if image := specification.get("ImageId"):
                yield Named(image, user)
        for template in config.get("LaunchTemplateConfigs", []):
            yield from _launchers(user, [template.get("LaunchTemplateSpecification")])


def _overrides(user: str, overrides: Iterable[Mapping[str, t.Any]], launcher: str) -> Iterator[Named | Launcher]:
    for override in overrides:
        if image := override.get("ImageId"):
            yield Named(image, user)
        yield from _launchers(launcher, [override.get("LaunchTemplateSpecification")])


def _launchers(user: str, specifications: Iterable[Mapping[str, t.Any] | None]) -> Iterator[Launcher]:
    for one in specifications:
        if one and (template := one.get("LaunchTemplateId") or one.get("LaunchTemplateName")):
            yield Launcher(user, template, one.get("Version") or "$Default")
