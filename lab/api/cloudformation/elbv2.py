# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS::ElasticLoadBalancingV2::LoadBalancer, TargetGroup, Listener and ListenerRule."""

from __future__ import annotations

from typing import Any

from lab.api.cloudformation.calls import Properties, call, call_unless_gone, tag_changes
from lab.api.cloudformation.engine import Resource, ResourceType

_PREFIX = "AWS::ElasticLoadBalancingV2::"
#: A load balancer's and a target group's name may be this long.
_NAME_LENGTH = 32
_HEALTH_CHECK = ("Matcher", "HealthyThresholdCount", "UnhealthyThresholdCount")


def _create_balancer(name: str, properties: Properties) -> Resource:
    named = {**properties, "Name": properties.get("Name", name)}
    made = call("elbv2", "CreateLoadBalancer", **named)["LoadBalancers"][0]
    _set_balancer_attributes(made["LoadBalancerArn"], properties)
    return _balancer(made)


def _update_balancer(arn: str, old: Properties, new: Properties) -> Resource:
    _set_balancer_attributes(arn, new)
    if old.get("SecurityGroups") != new.get("SecurityGroups"):
        call("elbv2", "SetSecurityGroups", LoadBalancerArn=arn, SecurityGroups=new["SecurityGroups"])
    _set_tags(arn, old, new)
    return _balancer(call("elbv2", "DescribeLoadBalancers", LoadBalancerArns=[arn])["LoadBalancers"][0])


def _set_balancer_attributes(arn: str, properties: Properties) -> None:
    attributes = properties.get("LoadBalancerAttributes")
    if attributes:
        call("elbv2", "ModifyLoadBalancerAttributes", LoadBalancerArn=arn, Attributes=attributes)


def _balancer(found: dict[str, Any]) -> Resource:
    arn = found["LoadBalancerArn"]
    return arn, {
        "LoadBalancerArn": arn,
        "DNSName": found["DNSName"],
        "LoadBalancerName": found["LoadBalancerName"],
        "LoadBalancerFullName": arn.split("loadbalancer/")[1],
        "CanonicalHostedZoneID": found["CanonicalHostedZoneId"],
    }


def _create_group(name: str, properties: Properties) -> Resource:
    named = {**properties, "Name": properties.get("Name", name)}
    arn = call("elbv2", "CreateTargetGroup", **named)["TargetGroups"][0]["TargetGroupArn"]
    _set_group_attributes(arn, properties)
    return _group(arn)


def _update_group(arn: str, old: Properties, new: Properties) -> Resource:
    check = {key: value for key, value in new.items() if key.startswith("HealthCheck") or key in _HEALTH_CHECK}
    call("elbv2", "ModifyTargetGroup", TargetGroupArn=arn, **check)
    _set_group_attributes(arn, new)
    _set_tags(arn, old, new)
    return _group(arn)


def _set_group_attributes(arn: str, properties: Properties) -> None:
    attributes = properties.get("TargetGroupAttributes")
    if attributes:
        call("elbv2", "ModifyTargetGroupAttributes", TargetGroupArn=arn, Attributes=attributes)


def _group(arn: str) -> Resource:
    full = arn.rsplit(":", 1)[-1]
    return arn, {"TargetGroupArn": arn, "TargetGroupFullName": full, "TargetGroupName": full.split("/")[1]}


def _create_listener(_name: str, properties: Properties) -> Resource:
    return _listener(call("elbv2", "CreateListener", **properties)["Listeners"][0]["ListenerArn"])


def _update_listener(arn: str, old: Properties, new: Properties) -> Resource:
    call("elbv2", "ModifyListener", ListenerArn=arn, **{key: new[key] for key in new if key != "LoadBalancerArn"})
    _set_tags(arn, old, new)
    return _listener(arn)


def _listener(arn: str) -> Resource:
    return arn, {"ListenerArn": arn}


def _create_rule(_name: str, properties: Properties) -> Resource:
    return _rule(call("elbv2", "CreateRule", **properties)["Rules"][0]["RuleArn"])


def _update_rule(arn: str, old: Properties, new: Properties) -> Resource:
    call("elbv2", "ModifyRule", RuleArn=arn, Conditions=new["Conditions"], Actions=new["Actions"])
    if str(old["Priority"]) != str(new["Priority"]):
        call("elbv2", "SetRulePriorities", RulePriorities=[{"RuleArn": arn, "Priority": new["Priority"]}])
    _set_tags(arn, old, new)
    return _rule(arn)


def _rule(arn: str) -> Resource:
    return arn, {"RuleArn": arn, "IsDefault": "false"}


def _set_tags(arn: str, old: Properties, new: Properties) -> None:
    changed, removed = tag_changes(old, new)
    if changed:
        call("elbv2", "AddTags", ResourceArns=[arn], Tags=changed)
    if removed:
        call("elbv2", "RemoveTags", ResourceArns=[arn], TagKeys=removed)


TYPES = (
    ResourceType(
        f"{_PREFIX}LoadBalancer",
        _create_balancer,
        _update_balancer,
        lambda arn, _properties: call_unless_gone("elbv2", "DeleteLoadBalancer", LoadBalancerArn=arn),
        _NAME_LENGTH,
    ),
    ResourceType(
        f"{_PREFIX}TargetGroup",
        _create_group,
        _update_group,
        lambda arn, _properties: call_unless_gone("elbv2", "DeleteTargetGroup", TargetGroupArn=arn),
        _NAME_LENGTH,
    ),
    ResourceType(
        f"{_PREFIX}Listener",
        _create_listener,
        _update_listener,
        lambda arn, _properties: call_unless_gone("elbv2", "DeleteListener", ListenerArn=arn),
    ),
    ResourceType(
        f"{_PREFIX}ListenerRule",
        _create_rule,
        _update_rule,
        lambda arn, _properties: call_unless_gone("elbv2", "DeleteRule", RuleArn=arn),
        replaced_by=("ListenerArn",),
    ),
)
