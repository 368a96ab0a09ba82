# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS::EC2::SecurityGroup and AWS::EC2::LaunchTemplate."""

from __future__ import annotations

from typing import Any

from lab.api.cloudformation.calls import Properties, call, call_unless_gone, tag_changes
from lab.api.cloudformation.engine import Resource, ResourceType

_RULES = {"SecurityGroupIngress": "Ingress", "SecurityGroupEgress": "Egress"}


def _create_security_group(name: str, properties: Properties) -> Resource:
    vpc = properties.get("VpcId")
    group = call(
        "ec2",
        "CreateSecurityGroup",
        GroupName=properties.get("GroupName", name),
        Description=properties["GroupDescription"],
        VpcId=vpc,
        **_tags("security-group", properties),
    )["GroupId"]
    _set_rules(group, {}, properties)
    return group, {"GroupId": group, "VpcId": str(vpc)}


def _update_security_group(group: str, old: Properties, new: Properties) -> Resource:
    _set_rules(group, old, new)
    _set_tags(group, old, new)
    return group, {"GroupId": group, "VpcId": str(new.get("VpcId"))}


def _set_rules(group: str, old: Properties, new: Properties) -> None:
    for key, direction in _RULES.items():
        before, after = _permissions(old.get(key)), _permissions(new.get(key))
        revoked = [each for each in before if each not in after]
        authorized = [each for each in after if each not in before]
        if revoked:
            call("ec2", f"RevokeSecurityGroup{direction}", GroupId=group, IpPermissions=revoked)
        if authorized:
            call("ec2", f"AuthorizeSecurityGroup{direction}", GroupId=group, IpPermissions=authorized)


def _permissions(rules: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    """A template's rules as the API's, which have ranges and groups in lists."""
    permissions = []
    for rule in rules or []:
        permission: dict[str, Any] = {key: rule[key] for key in ("IpProtocol", "FromPort", "ToPort") if key in rule}
        description = {"Description": rule["Description"]} if "Description" in rule else {}
        if "CidrIp" in rule:
            permission["IpRanges"] = [{"CidrIp": rule["CidrIp"], **description}]
        source = rule.get("SourceSecurityGroupId") or rule.get("DestinationSecurityGroupId")
        if source:
            permission["UserIdGroupPairs"] = [{"GroupId": source, **description}]
        permissions.append(permission)
    return permissions


def _delete_security_group(group: str, _properties: Properties) -> None:
    call_unless_gone("ec2", "DeleteSecurityGroup", GroupId=group)


def _create_template(name: str, properties: Properties) -> Resource:
    made = call(
        "ec2",
        "CreateLaunchTemplate",
        LaunchTemplateName=properties.get("LaunchTemplateName", name),
        LaunchTemplateData=properties["LaunchTemplateData"],
        **_tags("launch-template", properties),
    )
    return _template(made["LaunchTemplate"])


def _update_template(template: str, old: Properties, new: Properties) -> Resource:
    if old["LaunchTemplateData"] != new["LaunchTemplateData"]:
        data = new["LaunchTemplateData"]
        call("ec2", "CreateLaunchTemplateVersion", LaunchTemplateId=template, LaunchTemplateData=data)
    _set_tags(template, old, new)
    return _template(call("ec2", "DescribeLaunchTemplates", LaunchTemplateIds=[template])["LaunchTemplates"][0])


def _template(found: dict[str, Any]) -> Resource:
    keys = ("LaunchTemplateId", "LaunchTemplateName", "LatestVersionNumber", "DefaultVersionNumber")
    return found["LaunchTemplateId"], {key: str(found[key]) for key in keys}


def _delete_template(template: str, _properties: Properties) -> None:
    call_unless_gone("ec2", "DeleteLaunchTemplate", LaunchTemplateId=template)


def _tags(kind: str, properties: Properties) -> dict[str, Any]:
    tags = properties.get("Tags")
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": tags}]} if tags else {}


def _set_tags(resource: str, old: Properties, new: Properties) -> None:
    changed, removed = tag_changes(old, new)
    if changed:
        call("ec2", "CreateTags", Resources=[resource], Tags=changed)
    if removed:
        call("ec2", "DeleteTags", Resources=[resource], Tags=[{"Key": key} for key in removed])


TYPES = (
    ResourceType("AWS::EC2::SecurityGroup", _create_security_group, _update_security_group, _delete_security_group),
    ResourceType("AWS::EC2::LaunchTemplate", _create_template, _update_template, _delete_template, name_length=128),
)
