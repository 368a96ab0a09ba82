# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that is launched by hand, with what it needs for that: one function a call."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError, aws_call

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_ec2.type_defs import InstanceTypeDef, KeyPairInfoTypeDef, SecurityGroupTypeDef

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients

GONE: t.Final = frozenset({"InvalidInstanceID.NotFound", "InvalidGroup.NotFound", "InvalidKeyPair.NotFound"})
ANY_STATE_BUT_TERMINATED: t.Final = ("pending", "running", "shutting-down", "stopping", "stopped")


@aws_call("read the instances with the tag {}")
def describe_tagged_instances(clients: Clients, key: str, value: str) -> list[InstanceTypeDef]:
    """Instances with a tag, in any state but terminated."""
    filters: t.Any = [_tag(key, value), {"Name": "instance-state-name", "Values": list(ANY_STATE_BUT_TERMINATED)}]
    pages = clients.ec2.get_paginator("describe_instances").paginate(Filters=filters)
    return [instance for page in pages for reservation in page["Reservations"] for instance in reservation["Instances"]]


@aws_call("read the key pairs with the tag {}")
def describe_tagged_keys(clients: Clients, key: str, value: str) -> list[KeyPairInfoTypeDef]:
    return clients.ec2.describe_key_pairs(Filters=[_tag(key, value)])["KeyPairs"]


@aws_call("read the security groups with the tag {}")
def describe_tagged_groups(clients: Clients, key: str, value: str) -> list[SecurityGroupTypeDef]:
    pages = clients.ec2.get_paginator("describe_security_groups").paginate(Filters=[_tag(key, value)])
    return [group for page in pages for group in page["SecurityGroups"]]


@aws_call("find out in which network the subnet {} is")
def vpc_of_subnet(clients: Clients, subnet: str) -> str:
    return clients.ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["VpcId"]


@aws_call("look for the default network")
def default_vpc(clients: Clients) -> str:
    """The id of the region's default VPC, empty where it has none."""
    found = clients.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    return found[0]["VpcId"] if found else ""


@aws_call("make the key pair {}")
def create_key(clients: Clients, name: str, tags: Mapping[str, str]) -> str:
    """A new key pair; returns the private key, which AWS doesn't keep."""
    made = clients.ec2.create_key_pair(KeyName=name, KeyType="ed25519", TagSpecifications=_tags("key-pair", tags))
    return made["KeyMaterial"]


@aws_call("make the security group {}")
def create_group(clients: Clients, name: str, vpc: str, tags: Mapping[str, str]) -> str:
    """A new security group, which nothing may enter yet; returns its id."""
    made = clients.ec2.create_security_group(
        GroupName=name, Description=name, VpcId=vpc, TagSpecifications=_tags("security-group", tags)
    )
    return made["GroupId"]


@aws_call("allow SSH into the security group {}")
def allow_ssh(clients: Clients, group: str, sources: list[str]) -> None:
    ranges: t.Any = [{"CidrIp": source} for source in sources if ":" not in source]
    ranges6: t.Any = [{"CidrIpv6": source} for source in sources if ":" in source]
    allowed: t.Any = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": ranges, "Ipv6Ranges": ranges6}
    clients.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[allowed])


@aws_call("launch a server of the image {}")
def run_instance(
    clients: Clients,
    image_id: str,
    kind: str,
    key: str,
    group: str,
    subnet: str,
    public: bool,
    profile: str,
    tags: Mapping[str, str],
) -> str:
    """Launches one server, which ends for good when it is shut down; returns its id.

    Args:
        clients: of its region.
        image_id: what it boots.
        kind: its type.
        key: name of the key pair that may log in.
        group: id of its security group.
        subnet: empty for the default VPC's.
        public: whether it gets a public address; left to the subnet where it has none of its own.
        profile: name of its instance profile, empty for none.
        tags: of the server and its volumes.
    """
    more: t.Any = {"IamInstanceProfile": {"Name": profile}} if profile else {}
    if subnet:
        network = {"DeviceIndex": 0, "SubnetId": subnet, "Groups": [group], "AssociatePublicIpAddress": public}
        more["NetworkInterfaces"] = [network]
    else:
        more["SecurityGroupIds"] = [group]
    launched = clients.ec2.run_instances(
        ImageId=image_id,
        InstanceType=t.cast("t.Any", kind),
        KeyName=key,
        MinCount=1,
        MaxCount=1,
        InstanceInitiatedShutdownBehavior="terminate",
        MetadataOptions={"HttpTokens": "required", "InstanceMetadataTags": "enabled"},
        TagSpecifications=_tags("instance", tags) + _tags("volume", tags),
        **more,
    )
    return launched["Instances"][0]["InstanceId"]


@aws_call("read the instance {}")
def describe_instance(clients: Clients, instance_id: str) -> InstanceTypeDef:
    return clients.ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]


@aws_call("terminate the instance {}")
def terminate_instance(clients: Clients, instance_id: str) -> None:
    clients.ec2.terminate_instances(InstanceIds=[instance_id])


@aws_call("delete the key pair {}")
def delete_key(clients: Clients, name: str) -> None:
    clients.ec2.delete_key_pair(KeyName=name)


@aws_call("delete the security group {}")
def delete_group(clients: Clients, group: str) -> None:
    """AWS refuses with `DependencyViolation` while a server has it."""
    clients.ec2.delete_security_group(GroupId=group)


def is_gone(error: AwsError) -> bool:
    """Whether the call failed because there is no such thing any more."""
    return error.code in GONE


def _tag(key: str, value: str) -> t.Any:
    return {"Name": f"tag:{key}", "Values": [value]}


def _tags(kind: str, tags: Mapping[str, str]) -> t.Any:
    return [{"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}]
