# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the metadata service tells a server about itself, looked up by its address."""

from __future__ import annotations

from typing import Any

from moto.ec2 import ec2_backends

from lab.api.ec2.instances import user_data
from lab.api.moto_bridge import LOCK
from lab.api.settings import ACCOUNT
from lab.metadata import InstanceFacts
from lab.settings import REGION


def by_address(address: str) -> InstanceFacts | None:
    """The facts of the instance that has this private address now, or None."""
    with LOCK:
        backend = ec2_backends[ACCOUNT][REGION]
        for instance in backend.all_instances():
            if instance.private_ip == address and instance.state not in ("terminated", "shutting-down"):
                return _facts(backend, instance)
    return None


def _facts(backend: Any, instance: Any) -> InstanceFacts:
    options = instance.metadata_options
    tags = {tag["key"]: tag["value"] for tag in instance.get_tags()}
    key = backend.key_pairs.get(instance.key_name)
    return InstanceFacts(
        instance_id=instance.id,
        image_id=instance.image_id,
        instance_type=instance.instance_type,
        region=REGION,
        availability_zone=instance.placement.zone,
        private_ip=instance.private_ip,
        account_id=ACCOUNT,
        launched_at=instance.launch_time,
        tags=tags if options.instance_metadata_tags == "enabled" else None,
        role_name=_role(instance.profile),
        public_key=key.public_key if key else None,
        user_data=user_data(instance),
        token_required=options.http_tokens == "required",
    )


def _role(profile: dict[str, str]) -> str | None:
    """The role in an instance profile, which ministack's IAM keeps (its private ``_instance_profiles``)."""
    from ministack.services import iam

    name = profile.get("Name") or profile.get("Arn", "").rsplit("/", 1)[-1]
    found = iam._instance_profiles.get(name) if name else None
    return str(found["Roles"][0]) if found and found["Roles"] else None
