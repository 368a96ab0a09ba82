# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab for the image tests: images baked by the playbooks as a user does it, servers launched as a colour does it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import testinfra

from lab.demo import configuration
from lab.demo.scenario import APP as NAME
from lab.demo.scenario import ENVS, ROLE_VARS
from lab.podman import Podman
from lab.settings import CHECKOUT, LOGIN_USER, REGION
from tests.image.servers import APP, BASE, Server
from tests.own_lab import OwnLab

AWAY = "us-east-1"
SMOKE = 'test "$URL" = http://127.0.0.1 && bin/rails runner "Article.count"'
SSH = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectTimeout=5 -o ConnectionAttempts=30"


class ImageLab(OwnLab):
    """A lab of the tests' own, with one base image and one release of the example app, published in two regions.

    `published` is the record of that bake.
    """

    published: Mapping[str, Any]

    def start(self) -> None:
        """Start it afresh and bake both images."""
        self.start_lab()
        self._queue = self._subscribe()
        self.scenario.bake_base()
        self.published = self.bake(1, smoke_command=SMOKE)

    def bake(self, number: int, **more: Any) -> dict[str, Any]:
        """The record of a bake of the example app's first or second version; raises DemoError where it failed."""
        return self.commands.playbook(
            *("bake", f"bake-{number}"),
            app_dir=str(self.scenario.sources[number].folder),
            role_vars=str(CHECKOUT / ROLE_VARS),
            publish_regions=[AWAY],
            **more,
        )

    def named(self, region: str = REGION) -> str:
        """The release that the channel names in a region."""
        name = f"/immutable/{NAME}/channels/main"
        value: str = self.client("ssm", region).get_parameter(Name=name)["Parameter"]["Value"]
        return value

    def client(self, service: str, region: str = REGION) -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload]
            region_name=region,
            endpoint_url=self.settings.api_url,
            aws_access_key_id="lab",
            aws_secret_access_key="lab",
        )

    def news(self) -> list[dict[str, Any]]:
        """What the topic of the app's bakes has sent since this was asked last, with its attributes."""
        sqs, found = self.client("sqs"), list[dict[str, Any]]()
        while messages := sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return found

    def _subscribe(self) -> str:
        sns, sqs = self.client("sns"), self.client("sqs")
        topic = sns.create_topic(Name=f"{NAME}-bake")["TopicArn"]
        queue: str = sqs.create_queue(QueueName="news")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        return queue

    def _make_validation(self) -> None:
        """The env `validation`: its configuration, and the profile that its server reads it with."""
        configuration.ensure(self.settings, self.cloud, NAME, (*ENVS, "validation"))
        self._make_profile(f"{NAME}-validation")

    def _make_profile(self, name: str) -> None:
        iam = self.client("iam")
        iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")
        iam.create_instance_profile(InstanceProfileName=name)
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)

    def start_lab(self) -> None:
        """Start it afresh, with an env for validations and without an image."""
        super().start()
        self._make_validation()

    def launch(self, folder: Path) -> list[Server]:
        """One server of the base image and two of the release, in the first environment; ready when this returns."""
        key = folder / "key.pem"
        key.touch(0o600)
        key.write_text(self.cloud.ec2.create_key_pair(KeyName="image-tests", KeyType="ed25519")["KeyMaterial"])
        self._make_profile("image-tests")
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
        if stage == APP:
            return str(self.published["images"][REGION])
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
