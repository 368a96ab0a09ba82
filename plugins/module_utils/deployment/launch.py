# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How servers are launched, as parameters of the colour's template."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.environment.rules import MOST_INSTANCE_TYPES

if t.TYPE_CHECKING:
    from collections.abc import Mapping

HOOKS: t.Final = {"launch": "LaunchHook", "terminate": "TerminateHook"}

TAKEN: t.Final[Mapping[str, str]] = {
    **dict.fromkeys(("App", "Env", "Colour", "Release", "Identity", "ImageId"), "the deployment"),
    **dict.fromkeys(("Subnets", "SecurityGroupId", "TargetGroupArn"), "the edge"),
    **dict.fromkeys(("MinSize", "MaxSize", "DesiredCapacity", "OriginalMinimum"), "capacity"),
    "InstanceType": "instance_type",
    **{f"InstanceType{number}": "instance_types" for number in range(2, MOST_INSTANCE_TYPES + 1)},
    **dict.fromkeys(("OnDemandBase", "OnDemandPercent"), "spot"),
    "WarmUpSeconds": "warm_up",
    "Assets": "assets",
    "AssetsBucket": "assets_bucket",
    **{f"{hook}{what}": "lifecycle_hooks" for hook in HOOKS.values() for what in ("Seconds", "Result")},
}
"""Parameter of the template → what sets it."""


def parameters(found: Mapping[str, t.Any], further: Mapping[str, t.Any]) -> dict[str, str]:
    """The parameters for what an env's file says; what is as in the template is left out.

    Args:
        found: the settings of an env, durations in seconds.
        further: parameters that are given as they are.
    """
    given = {key: str(value) for key, value in further.items()}
    for number, kind in enumerate((found["instance_types"] or [])[1:], start=2):
        given[f"InstanceType{number}"] = kind
    if found["spot"]["share"]:
        given["OnDemandBase"] = str(found["spot"]["base"])
        given["OnDemandPercent"] = str(100 - found["spot"]["share"])
    if found["warm_up"]:
        given["WarmUpSeconds"] = str(found["warm_up"])
    if found["assets"] in ("cdn", "none"):
        given["Assets"] = "none"
    elif found["assets_bucket"]:
        given["AssetsBucket"] = str(found["assets_bucket"])
    for when, name in HOOKS.items():
        if hook := found["lifecycle_hooks"][when]:
            given[f"{name}Seconds"] = str(hook["timeout"])
            given[f"{name}Result"] = str(hook["result"]).upper()
    return given


def mistakes(further: Mapping[str, t.Any]) -> list[str]:
    """A sentence for each parameter that is given where something else sets it."""
    return [f"launch.{name} can't be given, {TAKEN[name]} sets it" for name in further if name in TAKEN]
