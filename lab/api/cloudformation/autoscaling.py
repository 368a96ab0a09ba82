# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS::AutoScaling::AutoScalingGroup, ScalingPolicy and LifecycleHook."""

from __future__ import annotations

import time
from typing import Any

from lab.api.cloudformation.calls import Properties, call, call_unless_gone
from lab.api.cloudformation.engine import Resource, ResourceType
from lab.api.cloudformation.interruption import HalfMade, Interrupted, go_on
from lab.api.settings import Settings

#: Seconds, in AWS's time, that CloudFormation waits for a group to have its servers, or to be without any.
_STABLE_SECONDS = 1800
_LOOK_AGAIN_SECONDS = 0.2
_SIZES = ("MinSize", "MaxSize", "DesiredCapacity")


def types(settings: Settings) -> tuple[ResourceType, ...]:
    """The types, with waits by the lab's clock."""
    patience = settings.seconds(_STABLE_SECONDS)

    def create(name: str, properties: Properties) -> Resource:
        group = properties.get("AutoScalingGroupName", name)
        call("autoscaling", "CreateAutoScalingGroup", **_arguments(group, properties), Tags=_tags(group, properties))
        try:
            _wait_for_servers(group, patience)
        except (TimeoutError, Interrupted) as error:
            raise HalfMade(str(error), *_resource(group)) from None
        return _resource(group)

    def delete(group: str, _properties: Properties) -> None:
        """Shrink to nothing first, so that connections drain, as CloudFormation does."""
        if not _describe(group):
            return
        sizes = dict.fromkeys(_SIZES, 0)
        call("autoscaling", "UpdateAutoScalingGroup", AutoScalingGroupName=group, **sizes)
        deadline = time.monotonic() + patience
        while (found := _describe(group)) and found[0]["Instances"]:
            if time.monotonic() > deadline:
                raise TimeoutError(f"Group did not stabilize: {len(found[0]['Instances'])} instances are left")
            time.sleep(_LOOK_AGAIN_SECONDS)
        call_unless_gone("autoscaling", "DeleteAutoScalingGroup", AutoScalingGroupName=group)

    return (
        ResourceType("AWS::AutoScaling::AutoScalingGroup", create, _update_group, delete),
        ResourceType("AWS::AutoScaling::ScalingPolicy", _put_policy, _update_policy, _delete_policy),
        ResourceType("AWS::AutoScaling::LifecycleHook", _put_hook, _update_hook, _delete_hook),
    )


def _arguments(group: str, properties: Properties) -> dict[str, Any]:
    arguments = {key: value for key, value in properties.items() if key != "Tags"}
    if "VPCZoneIdentifier" in properties:
        arguments["VPCZoneIdentifier"] = ",".join(properties["VPCZoneIdentifier"])
    if "Cooldown" in properties:
        arguments["DefaultCooldown"] = properties["Cooldown"]
    return {**arguments, "AutoScalingGroupName": group}


def _tags(group: str, properties: Properties) -> list[dict[str, Any]]:
    """A group's tags; the stack's own, which say nothing about it, reach the servers too, as on AWS."""
    return [
        {"PropagateAtLaunch": True, **tag, "ResourceId": group, "ResourceType": "auto-scaling-group"}
        for tag in properties.get("Tags") or []
    ]


def _describe(group: str) -> list[dict[str, Any]]:
    found = call("autoscaling", "DescribeAutoScalingGroups", AutoScalingGroupNames=[group])["AutoScalingGroups"]
    return list(found)


def _wait_for_servers(group: str, patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        go_on()
        (found,) = _describe(group)
        running = [each for each in found["Instances"] if each["LifecycleState"] == "InService"]
        if len(running) >= found["MinSize"]:
            return
        if time.monotonic() > deadline:
            sizes = "/".join(str(size) for size in (len(running), found["MinSize"], found["MaxSize"]))
            raise TimeoutError(f"Group did not stabilize. {{current/minSize/maxSize}} group size = {{{sizes}}}.")
        time.sleep(_LOOK_AGAIN_SECONDS)


def _update_group(group: str, old: Properties, new: Properties) -> Resource:
    call("autoscaling", "UpdateAutoScalingGroup", **_arguments(group, new))
    kept = {tag["Key"] for tag in new.get("Tags") or []}
    removed = [tag for tag in _tags(group, old) if tag["Key"] not in kept]
    if removed:
        call("autoscaling", "DeleteTags", Tags=removed)
    if kept:
        call("autoscaling", "CreateOrUpdateTags", Tags=_tags(group, new))
    return _resource(group)


def _resource(group: str) -> Resource:
    return group, {"Arn": _describe(group)[0]["AutoScalingGroupARN"]}


def _put_policy(name: str, properties: Properties) -> Resource:
    call("autoscaling", "PutScalingPolicy", **{**properties, "PolicyName": name})
    # moto's answer to the call above misspells the ARN's key.
    found = call("autoscaling", "DescribePolicies", PolicyNames=[name])["ScalingPolicies"]
    arn = found[0]["PolicyARN"]
    return arn, {"Arn": arn, "PolicyName": name}


def _update_policy(arn: str, _old: Properties, new: Properties) -> Resource:
    return _put_policy(_policy_name(arn), new)


def _delete_policy(arn: str, properties: Properties) -> None:
    group = properties["AutoScalingGroupName"]
    call_unless_gone("autoscaling", "DeletePolicy", PolicyName=_policy_name(arn), AutoScalingGroupName=group)


def _policy_name(arn: str) -> str:
    return arn.rsplit("policyName/", 1)[-1]


def _put_hook(name: str, properties: Properties) -> Resource:
    named = {**properties, "LifecycleHookName": properties.get("LifecycleHookName", name)}
    call("autoscaling", "PutLifecycleHook", **named)
    return named["LifecycleHookName"], {}


def _update_hook(name: str, _old: Properties, new: Properties) -> Resource:
    return _put_hook(name, {**new, "LifecycleHookName": name})


def _delete_hook(name: str, properties: Properties) -> None:
    group = properties["AutoScalingGroupName"]
    call_unless_gone("autoscaling", "DeleteLifecycleHook", LifecycleHookName=name, AutoScalingGroupName=group)
