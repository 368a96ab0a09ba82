# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances as Packer and the engine ask for them."""

from __future__ import annotations

import base64
from ipaddress import ip_address, ip_network

import pytest
from botocore.exceptions import ClientError

from tests.lab.contract.support import OCTET, Api, tags


def test_default_network_is_the_labs(api: Api) -> None:
    vpc = api.ec2.describe_vpcs(VpcIds=[api.vpc])["Vpcs"][0]
    assert vpc["CidrBlock"] == f"10.{OCTET}.0.0/16"
    subnets = api.ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [api.vpc]}])["Subnets"]
    assert {(subnet["AvailabilityZone"], subnet["CidrBlock"], subnet["DefaultForAz"]) for subnet in subnets} == {
        ("eu-west-1a", f"10.{OCTET}.16.0/20", True),
        ("eu-west-1b", f"10.{OCTET}.32.0/20", True),
    }


def test_addresses_are_free_and_inside_the_subnet(api: Api) -> None:
    found = [api.instance(api.run_instance(SubnetId=subnet)) for subnet in (*api.subnets, api.subnets[0])]
    addresses = [instance["PrivateIpAddress"] for instance in found]
    assert len(set(addresses)) == len(addresses)
    for instance in found:
        subnet = api.ec2.describe_subnets(SubnetIds=[instance["SubnetId"]])["Subnets"][0]
        assert ip_address(instance["PrivateIpAddress"]) in ip_network(subnet["CidrBlock"])


def test_without_a_subnet_it_is_in_a_default_one(api: Api) -> None:
    instance = api.instance(api.run_instance())
    assert instance["SubnetId"] in api.subnets
    assert ip_address(instance["PrivateIpAddress"]) in ip_network(f"10.{OCTET}.16.0/20")


def test_states_from_launch_to_termination(api: Api) -> None:
    made = api.ec2.run_instances(ImageId=api.image, InstanceType="t3.small", MinCount=1, MaxCount=1)["Instances"][0]
    assert made["State"]["Name"] == "pending"
    assert made["RootDeviceType"] == "ebs"
    instance_id = made["InstanceId"]
    api.reach(instance_id, "running")
    status = api.ec2.describe_instance_status(InstanceIds=[instance_id])["InstanceStatuses"][0]
    assert status["InstanceStatus"]["Status"] == "ok"
    stopping = api.ec2.stop_instances(InstanceIds=[instance_id])["StoppingInstances"][0]
    assert (stopping["PreviousState"]["Name"], stopping["CurrentState"]["Name"]) == ("running", "stopping")
    api.reach(instance_id, "stopped")
    api.ec2.start_instances(InstanceIds=[instance_id])
    api.reach(instance_id, "running")
    api.ec2.terminate_instances(InstanceIds=[instance_id])
    api.reach(instance_id, "terminated")
    api.ec2.terminate_instances(InstanceIds=[instance_id])
    with pytest.raises(ClientError, match="IncorrectInstanceState"):
        api.ec2.start_instances(InstanceIds=[instance_id])


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"ImageId": "ami-0123456789abcdef0"}, "InvalidAMIID.NotFound"),
        ({"KeyName": "nobody"}, "InvalidKeyPair.NotFound"),
    ],
)
def test_launch_names_what_does_not_exist(api: Api, wrong: dict[str, str], code: str) -> None:
    with pytest.raises(ClientError) as refusal:
        api.run_instance(**wrong)
    assert refusal.value.response["Error"]["Code"] == code


def test_launch_template_gives_image_key_tags_and_metadata_options(api: Api) -> None:
    api.ec2.create_key_pair(KeyName="template-key")
    data = {
        "ImageId": api.image,
        "InstanceType": "t3.micro",
        "KeyName": "template-key",
        "MetadataOptions": {"HttpTokens": "required", "InstanceMetadataTags": "enabled"},
        "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "from", "Value": "template"}]}],
    }
    api.ec2.create_launch_template(LaunchTemplateName="all-of-it", LaunchTemplateData=data)
    made = api.ec2.run_instances(MinCount=1, MaxCount=1, LaunchTemplate={"LaunchTemplateName": "all-of-it"})
    instance = api.instance(made["Instances"][0]["InstanceId"])
    assert (instance["ImageId"], instance["KeyName"], instance["InstanceType"]) == (
        api.image,
        "template-key",
        "t3.micro",
    )
    assert instance["MetadataOptions"]["HttpTokens"] == "required"
    assert instance["MetadataOptions"]["InstanceMetadataTags"] == "enabled"
    assert tags(instance["Tags"])["from"] == "template"


def test_console_output_is_the_servers(api: Api) -> None:
    output = api.ec2.get_console_output(InstanceId=api.run_instance())
    assert output["Output"] == "", "an instance without a server says nothing"


@pytest.mark.parametrize("given", ["launch", "template"])
def test_user_data_is_kept(api: Api, given: str) -> None:
    encoded = base64.b64encode(b"#cloud-config").decode()
    launch: dict[str, object] = {"UserData": "#cloud-config"}  # botocore encodes it, but in a template it does not
    if given == "template":
        data = {"ImageId": api.image, "InstanceType": "t3.small", "UserData": encoded}
        api.ec2.create_launch_template(LaunchTemplateName="user-data", LaunchTemplateData=data)
        launch = {"LaunchTemplate": {"LaunchTemplateName": "user-data"}}
    instance = api.run_instance(**launch)
    kept = api.ec2.describe_instance_attribute(InstanceId=instance, Attribute="userData")["UserData"]["Value"]
    assert base64.b64decode(kept) == b"#cloud-config"


def test_an_action_that_the_lab_lacks_is_refused_by_name(api: Api) -> None:
    with pytest.raises(ClientError, match="describe_fpga_images") as refusal:
        api.ec2.describe_fpga_images()
    assert refusal.value.response["Error"]["Code"] == "InvalidAction"
    with pytest.raises(ClientError) as refusal:
        api.scaling.start_instance_refresh(AutoScalingGroupName="nobody")
    assert refusal.value.response["Error"]["Code"] == "InvalidAction"
