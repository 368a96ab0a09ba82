# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an instance may know of itself, and the tree that the service shows of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lab.settings import ACCESS_KEY, SECRET_KEY

#: How long the credentials of an instance's role say that they are good for.
_CREDENTIALS_LIFETIME = timedelta(hours=6)
_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class InstanceFacts:
    """One instance as the API knows it.

    Attributes:
        instance_id: the instance's id.
        image_id: the AMI it was launched from.
        instance_type: e.g. t3.small.
        region: e.g. eu-west-1.
        availability_zone: e.g. eu-west-1a.
        private_ip: the address it has in the lab's network.
        account_id: the account's number.
        launched_at: when it was launched (aware, UTC).
        tags: its tags, or None unless they are allowed in metadata (InstanceMetadataTags).
        role_name: the role of its instance profile, if it has one.
        public_key: the key pair's public key in OpenSSH's format, if it was launched with one.
        user_data: the launch's user data, if any.
        token_required: whether a session token is asked for (HttpTokens=required).
    """

    instance_id: str
    image_id: str
    instance_type: str
    region: str
    availability_zone: str
    private_ip: str
    account_id: str
    launched_at: datetime
    tags: Mapping[str, str] | None = None
    role_name: str | None = None
    public_key: str | None = None
    user_data: bytes | None = None
    token_required: bool = True


#: Facts of the instance with a private address, or None where there is none.
Lookup = Callable[[str], InstanceFacts | None]


def tree(facts: InstanceFacts, now: datetime) -> dict[str, bytes]:
    """All that the service shows to an instance: path below /latest/ → content.

    The paths are those of AWS's "Instance metadata categories", as far as a server of ours asks for them.
    """
    meta = {
        "ami-id": facts.image_id,
        "hostname": f"ip-{facts.private_ip.replace('.', '-')}.{facts.region}.compute.internal",
        "instance-id": facts.instance_id,
        "instance-type": facts.instance_type,
        "local-ipv4": facts.private_ip,
        "placement/availability-zone": facts.availability_zone,
        "placement/region": facts.region,
    }
    meta.update({f"tags/instance/{key}": value for key, value in (facts.tags or {}).items()})
    if facts.public_key:
        meta["public-keys/0/openssh-key"] = facts.public_key
    if facts.role_name:
        meta[f"iam/security-credentials/{facts.role_name}"] = _credentials(now)
    paths = {f"meta-data/{path}": value.encode() for path, value in meta.items()}
    paths["dynamic/instance-identity/document"] = _identity(facts).encode()
    if facts.user_data is not None:
        paths["user-data"] = facts.user_data
    return paths


def answer(paths: Mapping[str, bytes], path: str) -> bytes | None:
    """The content of a path, or the listing of what lies directly below it, or None."""
    if path in paths:
        return paths[path]
    folder = f"{path.rstrip('/')}/"
    below = [item.removeprefix(folder) for item in paths if item.startswith(folder)]
    if not below:
        return None
    # A key with content is listed by its name, a folder with a slash at its end, as AWS does.
    names = {head + slash for head, slash, _ in (item.partition("/") for item in below)}
    return "\n".join(sorted(names)).encode()


def _credentials(now: datetime) -> str:
    return json.dumps(
        {
            "Code": "Success",
            "LastUpdated": now.strftime(_TIME),
            "Type": "AWS-HMAC",
            "AccessKeyId": ACCESS_KEY,
            "SecretAccessKey": SECRET_KEY,
            "Token": ACCESS_KEY,
            "Expiration": (now + _CREDENTIALS_LIFETIME).strftime(_TIME),
        },
        indent=2,
    )


def _identity(facts: InstanceFacts) -> str:
    return json.dumps(
        {
            "accountId": facts.account_id,
            "architecture": "x86_64",
            "availabilityZone": facts.availability_zone,
            "imageId": facts.image_id,
            "instanceId": facts.instance_id,
            "instanceType": facts.instance_type,
            "pendingTime": facts.launched_at.astimezone(UTC).strftime(_TIME),
            "privateIp": facts.private_ip,
            "region": facts.region,
            "version": "2017-09-30",
        },
        indent=2,
    )
