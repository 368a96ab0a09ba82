# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers that a benchmark launches itself: a builder for the floor of a bake, and one that boots a release."""

from __future__ import annotations

import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from lab.demo.scenario import APP, ENVS
from lab.settings import LOGIN_USER, REGION
from tests.own_lab import OwnLab

SSH = (
    "-o",
    "StrictHostKeyChecking=no",
    "-o",
    "UserKnownHostsFile=/dev/null",
    "-o",
    "LogLevel=ERROR",
    "-o",
    "ConnectTimeout=2",
)
PATIENCE = 180


@dataclass(frozen=True)
class Builder:
    """A server, and when it was asked for."""

    instance: str
    address: str
    key: Path
    asked: float

    def runs(self, command: str, stdin: bytes = b"") -> str:
        """What a command printed, as the login user; raises where it fails."""
        line = ["ssh", *SSH, "-i", str(self.key), f"{LOGIN_USER}@{self.address}", command]
        done = subprocess.run(line, input=stdin, capture_output=True, check=False)
        if done.returncode:
            raise SystemExit(f"{command[:60]}: {done.stderr.decode(errors='replace')[-500:]}")
        return done.stdout.decode()

    def reached(self) -> None:
        """Wait until it answers by SSH."""
        line = ["ssh", *SSH, "-i", str(self.key), f"{LOGIN_USER}@{self.address}", "true"]
        while subprocess.run(line, capture_output=True, check=False).returncode:
            _late(self.asked, "SSH")
            time.sleep(0.1)

    def seconds_to_200(self, path: str) -> float:
        """Seconds from the call that launched it to the first answer 200 on port 80."""
        while True:
            try:
                with urllib.request.urlopen(f"http://{self.address}{path}", timeout=2) as answer:
                    if answer.status == 200:
                        return time.monotonic() - self.asked
            except (urllib.error.URLError, OSError):
                _late(self.asked, path)
            time.sleep(0.02)


@contextmanager
def launched(own: OwnLab, image: str, key: Path) -> Iterator[Builder]:
    """A server of the image, in the first env; gone afterwards."""
    tags: list[Any] = [{"Key": "app", "Value": APP}, {"Key": "env", "Value": ENVS[0]}]
    asked = time.monotonic()
    (made,) = own.cloud.ec2.run_instances(
        MinCount=1,
        MaxCount=1,
        ImageId=image,
        InstanceType="t3.small",
        KeyName="bench",
        IamInstanceProfile={"Name": "bench"},
        MetadataOptions={"HttpTokens": "required", "InstanceMetadataTags": "enabled"},
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )["Instances"]
    try:
        yield Builder(made["InstanceId"], made["PrivateIpAddress"], key, asked)
    finally:
        own.cloud.ec2.terminate_instances(InstanceIds=[made["InstanceId"]])


def prepare(own: OwnLab, folder: Path) -> Path:
    """A key pair and an instance profile; returns the key's file."""
    key = folder / "key.pem"
    key.unlink(missing_ok=True)
    key.touch(0o600)
    key.write_text(own.cloud.ec2.create_key_pair(KeyName="bench", KeyType="ed25519")["KeyMaterial"])
    iam = boto3.client(
        "iam", REGION, endpoint_url=own.settings.api_url, aws_access_key_id="lab", aws_secret_access_key="lab"
    )
    iam.create_role(RoleName="bench", AssumeRolePolicyDocument="{}")
    iam.create_instance_profile(InstanceProfileName="bench")
    iam.add_role_to_instance_profile(InstanceProfileName="bench", RoleName="bench")
    return key


def _late(asked: float, what: str) -> None:
    if time.monotonic() - asked > PATIENCE:
        raise SystemExit(f"no answer ({what}) after {PATIENCE} s")
