# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images made from servers: CreateImage takes a snapshot of the machine, DeregisterImage removes it.

Private to moto 5.2.5: ``Ami``, ``AmiBackend.create_image`` and ``deregister_image``.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from moto.ec2 import ec2_backends
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.amis import Ami, AmiBackend
from moto.ec2.utils import random_ami_id

from lab.api.ec2.machines import Machines
from lab.api.moto_bridge import LOCK
from lab.api.patching import replace
from lab.api.settings import ACCOUNT
from lab.settings import REGION

log = logging.getLogger(__name__)
_ROOT_DEVICE = "/dev/xvda"


def use_server_images(machines: Machines) -> None:
    """Make images from servers and remove them with their machine images."""

    def create_image(
        backend: Any, instance_id: str, name: str, description: str, tag_specifications: list[dict[str, Any]]
    ) -> Any:
        instance = backend.get_instance(instance_id)
        _require_free_name(backend, name)
        image = _image(backend, name, description, instance=instance)
        for specification in tag_specifications:
            tags = {tag["Key"]: tag["Value"] for tag in specification["Tags"]}
            target = image.ebs_snapshot if specification["ResourceType"] == "snapshot" else image
            target.add_tags(tags)

        def taken(error: Exception | None) -> None:
            image.state = "failed" if error else "available"
            if error:
                image.state_reason = {"Code": "Server.InternalError", "Message": f"Server.InternalError: {error}"}

        image.state = "pending"
        what = f"image {image.id}"
        machines.submit(instance_id, what, lambda servers: servers.snapshot(instance_id, image.id), taken)
        return image

    def deregister_image(backend: Any, image_id: str) -> None:
        original(backend, image_id)
        machines.submit(image_id, "removal", lambda servers: servers.remove_image(image_id), lambda _error: None)

    replace(AmiBackend, "create_image", create_image)
    original = replace(AmiBackend, "deregister_image", deregister_image)


def register_distribution(machines: Machines, release: str) -> str:
    """Register the image of a release of Debian as its publisher would, and return its id.

    Its machine image is the base root file system, which ``Servers`` knows under this id from ``copy_image``.
    """
    with LOCK:
        backend = ec2_backends[ACCOUNT][REGION]
        image = _image(
            backend,
            f"debian-{release}-amd64-{datetime.now(UTC):%Y%m%d}",
            f"Debian {release} (amd64), made by the lab",
            owner_id="111122223333",
        )
        image.launch_permissions.append({"Group": "all"})
        image.state = "pending"
    machines.servers.copy_image(f"debian-{release}", image.id)
    with LOCK:
        image.state = "available"
    return str(image.id)


def _image(backend: Any, name: str, description: str, **more: Any) -> Any:
    image = Ami(
        backend,
        random_ami_id(),
        name=name,
        description=description,
        virtualization_type="hvm",
        architecture="x86_64",
        root_device_type="ebs",
        root_device_name=_ROOT_DEVICE,
        region_name=f"{REGION}a",
        **more,
    )
    backend.amis[image.id] = image
    return image


def _require_free_name(backend: Any, name: str) -> None:
    for image in backend.amis.values():
        if image.name == name and image.owner_id == ACCOUNT:
            raise EC2ClientError("InvalidAMIName.Duplicate", f"AMI name {name} is already in use by AMI {image.id}")
