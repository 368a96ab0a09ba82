# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API with real servers: Packer makes an image, a group of its servers is balanced, a lost one is replaced.

One lab of its own for all cases, which build on each other through the image that Packer made.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.settings import Settings
from tests import octets
from tests.lab.contract.support import CHECKOUT, Api, tags, wait_for

OCTET = octets.CONTRACT_SERVERS
pytestmark = pytest.mark.servers

TEMPLATE = """
source "amazon-ebs" "server" {
  ami_name            = "web-1"
  region              = "eu-west-1"
  instance_type       = "t3.small"
  source_ami          = "%(image)s"
  custom_endpoint_ec2 = "%(url)s"
  ssh_username        = "admin"
  ssh_interface       = "private_ip"
  tags                = { stage = "app", release = "1" }
  snapshot_tags       = { release = "1" }
  run_tags            = { Name = "builder" }
  run_volume_tags     = { release = "1" }
  aws_polling { delay_seconds = 1 }
}
build {
  sources = ["source.amazon-ebs.server"]
  provisioner "file" {
    source      = "%(unit)s"
    destination = "/tmp/web.service"
  }
  provisioner "shell" {
    inline = [
      "sudo install -m 0644 /tmp/web.service /etc/systemd/system/web.service",
      "sudo install -d /srv/web && hostname | sudo tee /srv/web/builder && echo ok | sudo tee /srv/web/up",
      "sudo systemctl enable web.service",
    ]
  }
}
"""
UNIT = """
[Service]
WorkingDirectory=/srv/web
ExecStartPre=/bin/sh -c 'hostname > /srv/web/me'
ExecStart=/usr/bin/python3 -m http.server 80
[Install]
WantedBy=multi-user.target
"""


@pytest.fixture(scope="module")
def real() -> Iterator[Api]:
    """A whole lab, taken down after the last case."""
    if os.geteuid() != 0:
        pytest.skip("real servers need root")
    settings = Settings(OCTET)

    def lab(*arguments: str) -> None:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        command = [sys.executable, "-m", "lab", *arguments]
        subprocess.run(command, cwd=CHECKOUT, env={**environment, "LAB_OCTET": str(OCTET)}, check=True)

    try:
        lab("up", "--clock-factor", "0.05")
        yield Api(settings.api_url, settings.run_dir)
    finally:
        lab("down")


@pytest.fixture(scope="module")
def image(real: Api, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An image that Packer made of a web server."""
    folder: Path = tmp_path_factory.mktemp("packer")
    (folder / "web.service").write_text(UNIT)
    values = {"image": real.image, "url": real.url, "unit": folder / "web.service"}
    (folder / "web.pkr.hcl").write_text(TEMPLATE % values)
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": "lab",
        "AWS_SECRET_ACCESS_KEY": "lab",
        "AWS_ENDPOINT_URL": real.url,
    }
    build = subprocess.run(
        ["packer", "build", "-color=false", str(folder / "web.pkr.hcl")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert build.returncode == 0, build.stdout + build.stderr
    found = real.ec2.describe_images(Owners=["self"], Filters=[{"Name": "name", "Values": ["web-1"]}])["Images"]
    return str(found[0]["ImageId"])


def profile(real: Api) -> str:
    """An instance profile with a role."""
    iam = real.client("iam")
    policy = {"Version": "2012-10-17", "Statement": []}
    iam.create_role(RoleName="web-role", AssumeRolePolicyDocument=json.dumps(policy))
    iam.create_instance_profile(InstanceProfileName="web-profile")
    iam.add_role_to_instance_profile(InstanceProfileName="web-profile", RoleName="web-role")
    return "web-profile"


def metadata(instance_id: str, *paths: str) -> list[str]:
    """What a server reads of itself."""
    script = f"""
import urllib.request
def ask(path, headers, method="GET"):
    url = "http://10.{OCTET}.0.1:1338/latest/" + path
    return urllib.request.urlopen(urllib.request.Request(url, headers=headers, method=method)).read().decode()
token = ask("api/token", {{"X-aws-ec2-metadata-token-ttl-seconds": "60"}}, "PUT")
for path in {paths!r}:
    print(ask("meta-data/" + path, {{"X-aws-ec2-metadata-token": token}}))
"""
    name = f"immutable-lab-{OCTET}-{instance_id}"
    read = subprocess.run(["podman", "exec", name, "python3", "-c", script], capture_output=True, text=True, check=True)
    return read.stdout.split()


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return str(answer.read().decode().strip())


def test_an_image_that_can_not_be_made_has_failed_with_the_reason(real: Api) -> None:
    """As where the disk is full: here the machine is gone behind the API's back."""
    instance = real.ec2.run_instances(ImageId=real.image, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    real.reach(instance, "running")
    subprocess.run(["podman", "rm", "--force", "--time", "0", f"immutable-lab-{OCTET}-{instance}"], check=True)
    image = real.ec2.create_image(InstanceId=instance, Name="never")["ImageId"]
    failed = wait_for(
        lambda: [each for each in real.ec2.describe_images(ImageIds=[image])["Images"] if each["State"] == "failed"],
        "a failed image",
    )
    assert "podman commit failed" in failed[0]["StateReason"]["Message"]
    real.ec2.deregister_image(ImageId=image)
    real.ec2.terminate_instances(InstanceIds=[instance])
    real.reach(instance, "terminated")


def test_packer_makes_an_image_and_leaves_nothing_else(real: Api, image: str) -> None:
    found = real.ec2.describe_images(ImageIds=[image])["Images"][0]
    assert (found["State"], found["RootDeviceType"]) == ("available", "ebs")
    assert tags(found["Tags"]) == {"stage": "app", "release": "1"}
    snapshot = found["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    assert tags(real.ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["Tags"])["release"] == "1"
    instances = [each for found in real.ec2.describe_instances()["Reservations"] for each in found["Instances"]]
    assert {instance["State"]["Name"] for instance in instances} == {"terminated"}
    assert real.ec2.describe_key_pairs()["KeyPairs"] == []
    assert {group["GroupName"] for group in real.ec2.describe_security_groups()["SecurityGroups"]} == {"default"}


def test_servers_of_a_group_answer_through_the_load_balancer_and_a_lost_one_is_replaced(real: Api, image: str) -> None:
    target_group = real.target_group("web")
    _listener, url = real.listener("web", {target_group: 1})
    data = {
        "ImageId": image,
        "InstanceType": "t3.small",
        "IamInstanceProfile": {"Name": profile(real)},
        "MetadataOptions": {"HttpTokens": "required", "InstanceMetadataTags": "enabled"},
    }
    template = real.ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=data)["LaunchTemplate"]
    real.scaling.create_auto_scaling_group(
        AutoScalingGroupName="web",
        MinSize=2,
        MaxSize=3,
        VPCZoneIdentifier=",".join(real.subnets),
        LaunchTemplate={"LaunchTemplateId": template["LaunchTemplateId"]},
        TargetGroupARNs=[target_group],
        HealthCheckType="ELB",
        HealthCheckGracePeriod=10,
        Tags=[{"Key": "app", "Value": "web", "PropagateAtLaunch": True}],
    )
    wait_for(lambda: list(real.health(target_group).values()) == ["healthy"] * 2, "two healthy servers", 60)
    members = real.in_service("web")
    names = {f"ip-{real.instance(each)['PrivateIpAddress'].replace('.', '-')}" for each in members}
    wait_for(lambda: set(Counter(get(f"{url}/me") for _ in range(10))) == names, "answers of both")
    assert get(f"{url}/builder") not in names, "the file that Packer's builder wrote is on its image"
    assert real.ec2.get_console_output(InstanceId=members[0])["Output"]

    for member in members:
        assert metadata(member, "instance-id", "ami-id", "tags/instance/app", "iam/security-credentials/") == [
            member,
            image,
            "web",
            "web-role",
        ]

    subprocess.run(["podman", "rm", "--force", "--time", "0", f"immutable-lab-{OCTET}-{members[0]}"], check=True)
    wait_for(
        lambda: (
            members[0] not in real.in_service("web") and sorted(real.health(target_group).values()) == ["healthy"] * 2
        ),
        "a new server in its place",
        90,
    )
    real.scaling.update_auto_scaling_group(AutoScalingGroupName="web", MinSize=0, DesiredCapacity=0)
    wait_for(lambda: not real.group("web")["Instances"], "no server left", 60)
    left = subprocess.run(
        ["podman", "ps", "--format", "json", "--filter", f"name=immutable-lab-{OCTET}-i-"],
        capture_output=True,
        check=True,
    )
    assert json.loads(left.stdout) == []
