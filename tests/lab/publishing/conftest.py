# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An emulated lab whose servers take every login: a release is baked, and published in it over HTTP."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests import octets
from tests.faults.emulated import EmulatedLab
from tests.lab.contract.support import DISTRIBUTION
from tests.lab.publishing.runs import Run

HOME, AWAY = "eu-west-1", "us-east-1"
# The emulated servers are sockets without SSH: what a login does is shown with real ones, in tests/image.
SSH = """#!/bin/sh
case $* in *'-O exit'*) exit 0 ;; esac
grep -q 'User nobody' "$2" && { echo 'nobody: Permission denied (publickey).' >&2; exit 255; }
cat >/dev/null
"""


class Account:
    """The emulated account, with apps that each have a release to publish."""

    def __init__(self, lab: EmulatedLab, folder: Path) -> None:
        self.api = lab.api
        self._folder = folder
        self._numbers = itertools.count(1)
        bin_folder = folder / "bin"
        bin_folder.mkdir()
        (bin_folder / "ssh").write_text(SSH)
        (bin_folder / "ssh").chmod(0o755)
        self._path = f"{bin_folder}:{os.environ['PATH']}"

    def client(self, service: str, region: str = HOME) -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload]
            region_name=region,
            endpoint_url=self.api.url,
            aws_access_key_id="tests",
            aws_secret_access_key="any",
        )

    def app(self) -> str:
        """A new app's name."""
        return f"app{next(self._numbers)}"

    def bake(self, app: str, release: str) -> str:
        """An image as Packer leaves it; returns its id."""
        source = self.client("ssm").get_parameter(Name=DISTRIBUTION)["Parameter"]["Value"]
        tags = {"app": app, "stage": "app", "release": release, "publication": "pending", "base_image": source}
        pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
        ec2 = self.client("ec2")
        image: str = ec2.copy_image(
            Name=f"{app}-app-{release}",
            SourceImageId=source,
            SourceRegion=HOME,
            TagSpecifications=[{"ResourceType": "image", "Tags": pairs}],
        )["ImageId"]
        ec2.get_waiter("image_available").wait(ImageIds=[image], WaiterConfig={"Delay": 1})
        return image

    def start(self, app: str, release: str, key: str = "tests", **arguments: Any) -> Run:
        """A publication, begun, whose calls the lab knows by the key."""
        asked = {
            "app": app,
            "release": release,
            "regions": [AWAY],
            "validation": {"ssh_interface": "private_ip", "deadline": 20},
            **arguments,
        }
        variables = {
            "AWS_ENDPOINT_URL": self.api.url,
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_REGION": HOME,
            "AWS_EC2_METADATA_DISABLED": "true",
            "PATH": self._path,
        }
        return Run(asked, variables, self._folder / f"{next(self._numbers)}.json")

    def publish(self, app: str, release: str, **arguments: Any) -> dict[str, Any]:
        """A publication, to its end."""
        return self.start(app, release, **arguments).end()

    def image(self, app: str, release: str, region: str = HOME) -> Mapping[str, Any] | None:
        """The release's one image in a region, its tags as a mapping."""
        named = [{"Name": "name", "Values": [f"{app}-app-{release}"]}]
        found = self.client("ec2", region).describe_images(Owners=["self"], Filters=named)["Images"]
        assert len(found) <= 1, f"{len(found)} images of {app} {release} in {region}"
        return {**found[0], "Tags": {tag["Key"]: tag["Value"] for tag in found[0]["Tags"]}} if found else None

    def named(self, app: str, region: str = HOME, channel: str = "main") -> str:
        """The release that the channel names; "" for none."""
        ssm = self.client("ssm", region)
        try:
            value: str = ssm.get_parameter(Name=f"/immutable/{app}/channels/{channel}")["Parameter"]["Value"]
        except ssm.exceptions.ParameterNotFound:
            return ""
        return value

    def left(self, app: str) -> list[str]:
        """What validations of the app have left: servers, key pairs, security groups."""
        ec2, tagged = self.client("ec2"), [{"Name": "tag:immutable-validation", "Values": [app]}]
        servers = [
            server["InstanceId"]
            for each in ec2.describe_instances(Filters=tagged)["Reservations"]
            for server in each["Instances"]
            if server["State"]["Name"] != "terminated"
        ]
        keys = [key["KeyName"] for key in ec2.describe_key_pairs(Filters=tagged)["KeyPairs"]]
        groups = [group["GroupId"] for group in ec2.describe_security_groups(Filters=tagged)["SecurityGroups"]]
        return servers + keys + groups


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    folder = tmp_path_factory.mktemp("publishing")
    lab = EmulatedLab(octets.PUBLISHING, folder / "lab")
    try:
        yield Account(lab, folder)
    finally:
        lab.close()
