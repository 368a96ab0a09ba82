# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab for the image tests: images baked by the playbooks as a user does it, servers launched as a colour does it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import testinfra

from lab.demo.scenario import APP as NAME
from lab.demo.scenario import ENVS
from lab.podman import Podman
from lab.settings import LOGIN_USER, REGION
from tests.image.servers import APP, BASE, Server
from tests.own_lab import OwnLab

SSH = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectTimeout=5 -o ConnectionAttempts=30"


class ImageLab(OwnLab):
    """A lab of the tests' own, with one base image and one release of the example app."""

    def start(self) -> None:
        """Start it afresh and bake both images."""
        self.start_lab()
        self.scenario.bake_base()
        self.scenario.bake(1)

    def start_lab(self) -> None:
        """Start it afresh, without an image."""
        super().start()

    def launch(self, folder: Path) -> list[Server]:
        """One server of the base image and two of the release, in the first environment; ready when this returns."""
        key = folder / "key.pem"
        key.touch(0o600)
        key.write_text(self.cloud.ec2.create_key_pair(KeyName="image-tests", KeyType="ed25519")["KeyMaterial"])
        iam = boto3.client(
            "iam", REGION, endpoint_url=self.settings.api_url, aws_access_key_id="lab", aws_secret_access_key="lab"
        )
        iam.create_role(RoleName="image-tests", AssumeRolePolicyDocument="{}")
        iam.create_instance_profile(InstanceProfileName="image-tests")
        iam.add_role_to_instance_profile(InstanceProfileName="image-tests", RoleName="image-tests")
        servers = [
            Server(stage, self._host(address, key))
            for stage, count in ((BASE, 1), (APP, 2))
            for address in self._run(stage, count)
        ]
        for server in servers:
            server.host.run("systemctl is-system-running --wait")
        return servers

    def secrets(self) -> list[bytes]:
        """Every value of every environment's configuration, and the passwords in them."""
        values: list[str] = []
        for env in ENVS:
            found = self.cloud.parameters.get_parameters_by_path(Path=f"/{NAME}/{env}", WithDecryption=True)
            values += [parameter["Value"] for parameter in found["Parameters"]]
            stored = self.cloud.secrets.get_secret_value(SecretId=f"{NAME}/{env}/rails")["SecretString"]
            values += json.loads(stored).values()
        passwords = [password for value in values if (password := urlsplit(value).password)]
        assert len(values) == 3 * len(ENVS) and len(passwords) >= len(ENVS), "the environments have their configuration"
        return [value.encode() for value in values + passwords]

    @contextmanager
    def mounted(self, stage: str) -> Iterator[str]:
        """Where the file system of a stage's image can be read."""
        podman = Podman(self.settings.run_dir)
        image = f"{self.settings.image_prefix}/{self._image(stage)}"
        yield podman.run("image", "mount", image).strip()
        podman.run("image", "unmount", image)

    def _image(self, stage: str) -> str:
        (image,) = [image for image, tags in self.cloud.images(NAME).items() if tags["stage"] == stage]
        return image

    def _run(self, stage: str, count: int) -> list[str]:
        """Launch servers as a colour's launch template says; returns their addresses."""
        tags: list[Any] = [{"Key": "app", "Value": NAME}, {"Key": "env", "Value": ENVS[0]}]
        data: Any = {
            "ImageId": self._image(stage),
            "InstanceType": "t3.small",
            "KeyName": "image-tests",
            "IamInstanceProfile": {"Name": "image-tests"},
            "MetadataOptions": {"HttpTokens": "required", "InstanceMetadataTags": "enabled"},
        }
        template = f"image-tests-{stage}"
        self.cloud.ec2.create_launch_template(LaunchTemplateName=template, LaunchTemplateData=data)
        launched = self.cloud.ec2.run_instances(
            MinCount=count,
            MaxCount=count,
            LaunchTemplate={"LaunchTemplateName": template},
            TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
        )
        ids = [instance["InstanceId"] for instance in launched["Instances"]]
        self.cloud.ec2.get_waiter("instance_running").wait(InstanceIds=ids, WaiterConfig={"Delay": 1})
        return [instance["PrivateIpAddress"] for instance in launched["Instances"]]

    def _host(self, address: str, key: Path) -> Any:
        return testinfra.get_host(
            f"ssh://{LOGIN_USER}@{address}", ssh_identity_file=str(key), ssh_extra_args=SSH, sudo=True
        )
