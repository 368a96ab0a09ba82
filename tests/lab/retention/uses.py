# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every kind of thing that names an image: each makes one in an account, and returns what the report must say of it."""

from __future__ import annotations

import typing as t

from tests.lab.retention.account import Account

MIXED_BASE = {"InstancesDistribution": {"OnDemandPercentageAboveBaseCapacity": 100}}


def mixed(template: str, **override: t.Any) -> dict[str, t.Any]:
    launches = {
        "LaunchTemplateSpecification": {"LaunchTemplateName": template, "Version": "1"},
        "Overrides": [{"InstanceType": "t3.micro"}, {"InstanceType": "t3.small", **override}],
    }
    return {"MixedInstancesPolicy": {"LaunchTemplate": launches, **MIXED_BASE}}


def by_instance(account: Account, image_id: str) -> list[str]:
    return [f"instance {account.instance(image_id)} (running)"]


def by_stopped_instance(account: Account, image_id: str) -> list[str]:
    instance_id = account.instance(image_id)
    account.ec2.stop_instances(InstanceIds=[instance_id])
    return [f"instance {instance_id} (stopped)"]


def by_template(account: Account, image_id: str) -> list[str]:
    name = account.template(image_id)
    return ["launch template lt-", f"({name}) version 1"]


def by_old_template_version(account: Account, image_id: str) -> list[str]:
    name = account.template(account.newest, account.newest, image_id, account.newest, account.newest)
    return [f"({name}) version 3"]


def by_configuration(account: Account, image_id: str) -> list[str]:
    return [f"launch configuration {account.configuration(image_id)}"]


def by_group_of_configuration(account: Account, image_id: str) -> list[str]:
    return [f"Auto Scaling group {account.group(LaunchConfigurationName=account.configuration(image_id))}"]


def by_group_of_template(account: Account, image_id: str) -> list[str]:
    template = {"LaunchTemplateName": account.template(image_id), "Version": "$Latest"}
    return [f"Auto Scaling group {account.group(LaunchTemplate=template)}"]


def by_group_of_mixed_instances(account: Account, image_id: str) -> list[str]:
    return [f"Auto Scaling group {account.group(**mixed(account.template(image_id)))}"]


def by_override_of_template(account: Account, image_id: str) -> list[str]:
    other = {"LaunchTemplateName": account.template(image_id), "Version": "$Default"}
    launches = mixed(account.template(account.newest), LaunchTemplateSpecification=other)
    return [f"Auto Scaling group {account.group(**launches)}"]


def by_override_of_image(account: Account, image_id: str) -> list[str]:
    launches = mixed(account.template(account.newest), ImageId=image_id)
    return [f"Auto Scaling group {account.group(**launches)} (mixed instances override)"]


def by_sharing(account: Account, image_id: str) -> list[str]:
    permission: t.Any = {"Add": [{"UserId": "210987654321"}]}
    account.ec2.modify_image_attribute(ImageId=image_id, LaunchPermission=permission)
    return ["account 210987654321, which it is shared with"]


def by_alias(account: Account, image_id: str) -> list[str]:
    parameter = account.parameter(f"/channels/{image_id}", image_id)
    name = account.template(f"resolve:ssm:{parameter}")
    return [f"({name}) version 1"]


def by_old_alias(account: Account, image_id: str) -> list[str]:
    alias = "resolve:ssm:" + account.parameter(f"/channels/{image_id}", image_id)
    account.template(account.newest, alias, account.newest)
    return ["ssm:Parameter"]


def by_parameter(account: Account, image_id: str) -> list[str]:
    name = account.parameter(f"/shop/{image_id}", f"release 7 is {image_id}.")
    return [f"SSM parameter {name}"]


def by_stack_parameter(account: Account, image_id: str) -> list[str]:
    return [f"CloudFormation stack {account.stack({'ImageId': image_id})} (parameter ImageId)"]


def by_stack_template(account: Account, image_id: str) -> list[str]:
    return [f"CloudFormation stack {account.stack({}, image_id)} (template)"]


def by_fleet(account: Account, image_id: str) -> list[str]:
    specification: t.Any = {"LaunchTemplateName": account.template(account.newest, image_id, account.newest)}
    config: t.Any = [{"LaunchTemplateSpecification": {**specification, "Version": "2"}}]
    capacity: t.Any = {"TotalTargetCapacity": 0, "DefaultTargetCapacityType": "on-demand"}
    answer = account.ec2.create_fleet(LaunchTemplateConfigs=config, TargetCapacitySpecification=capacity)
    return [f"EC2 fleet {answer['FleetId']}"]


def by_spot_fleet(account: Account, image_id: str) -> list[str]:
    config: t.Any = {
        "AllocationStrategy": "lowestPrice",
        "IamFleetRole": "arn:aws:iam::123456789012:role/fleet",
        "TargetCapacity": 0,
        "SpotPrice": "1",
        "LaunchSpecifications": [{"ImageId": image_id, "InstanceType": "t3.micro"}],
    }
    return [f"spot fleet {account.ec2.request_spot_fleet(SpotFleetRequestConfig=config)['SpotFleetRequestId']}"]


def by_spot_request(account: Account, image_id: str) -> list[str]:
    specification: t.Any = {"ImageId": image_id, "InstanceType": "t3.micro"}
    answer = account.ec2.request_spot_instances(LaunchSpecification=specification, SpotPrice="1")
    return [f"spot request {answer['SpotInstanceRequests'][0]['SpotInstanceRequestId']}"]


def by_history(account: Account, image_id: str) -> list[str]:
    env = account.env([account.newest, image_id])
    return [f"release r1 of {env}, deployed 2026-01-01, one of the 2 before the last"]


def by_deployment(account: Account, image_id: str) -> list[str]:
    env = account.env([account.newest], under_way=image_id)
    return [f"deployment d-9 of {env}, which is under way"]


def by_lineage(account: Account, image_id: str) -> list[str]:
    return [f"base image of {account.image(app=image_id, base_image=image_id)}"]


USES = [
    by_instance,
    by_stopped_instance,
    by_template,
    by_old_template_version,
    by_configuration,
    by_group_of_configuration,
    by_group_of_template,
    by_group_of_mixed_instances,
    by_override_of_template,
    by_override_of_image,
    by_sharing,
    by_alias,
    by_old_alias,
    by_parameter,
    by_stack_parameter,
    by_stack_template,
    by_fleet,
    by_spot_fleet,
    by_spot_request,
    by_history,
    by_deployment,
    by_lineage,
]
