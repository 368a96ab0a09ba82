# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tags say of images and instances."""

from __future__ import annotations

from moto.autoscaling.models import ASG_NAME_TAG
from moto.ec2 import ec2_backends

from lab.api.moto_bridge import LOCK
from lab.api.settings import ACCOUNT
from lab.settings import REGION


def image_tags(image_id: str) -> dict[str, str]:
    """An image's tags."""
    with LOCK:
        return {tag["key"]: tag["value"] for tag in ec2_backends[ACCOUNT][REGION].amis[image_id].get_tags()}


def group_of(instance_id: str) -> str:
    """The name of the Auto Scaling group that launched an instance, "" where none did."""
    with LOCK:
        tags = ec2_backends[ACCOUNT][REGION].get_instance(instance_id).get_tags()
    return next((str(tag["value"]) for tag in tags if tag["key"] == ASG_NAME_TAG), "")
