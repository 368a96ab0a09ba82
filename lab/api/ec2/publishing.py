# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What publishing an image needs of the API: copies with tags, IMDSv2 as an image's attribute, a date of deprecation.

A copy in another region has no machine image: the lab's servers are all in one region. It is pending for a moment.

Private to moto 5.2.5: ``AmisResponse`` and how describe_images reads an ``Ami``'s attributes.
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.models.amis import Ami
from moto.ec2.responses import EC2Response
from moto.ec2.responses.amis import AmisResponse

from lab.api.ec2.machines import Machines
from lab.api.patching import replace
from lab.settings import REGION


def use_publishing(machines: Machines) -> None:
    """Teach moto the calls."""
    Ami.imds_support = None
    Ami.deprecation_time = None
    _copy(machines)
    _attributes()
    _deprecation()


def _copy(machines: Machines) -> None:
    def copy_image(response: Any) -> ActionResult:
        result = original(response)
        backend = response.ec2_backend
        image = backend.amis[result.result["ImageId"]]
        source, region = response._get_param("SourceImageId"), response._get_param("SourceRegion")
        for specification in response._get_param("TagSpecifications", []):
            target = {"image": image, "snapshot": image.ebs_snapshot}[specification["ResourceType"]]
            target.add_tags({tag["Key"]: tag["Value"] for tag in specification["Tags"]})
        image.state = "pending"
        image.root_device_type = "ebs"

        def done(error: Exception | None) -> None:
            image.state = "failed" if error else "available"

        here = backend.region_name == region == REGION
        what = f"copy {image.id}"
        machines.submit(image.id, what, lambda servers: servers.copy_image(source, image.id) if here else None, done)
        return result

    original = replace(AmisResponse, "copy_image", copy_image)


def _attributes() -> None:
    def modify_image_attribute(response: Any) -> Any:
        wanted = response._get_param("ImdsSupport")
        if wanted is None:
            return original(response)
        image = response.ec2_backend.describe_images(ami_ids=[response._get_param("ImageId")])[0]
        image.imds_support = wanted["Value"]
        return EmptyResult()

    original = replace(AmisResponse, "modify_image_attribute", modify_image_attribute)


def _deprecation() -> None:
    def enable_image_deprecation(response: Any) -> ActionResult:
        image = response.ec2_backend.describe_images(ami_ids=[response._get_param("ImageId")])[0]
        image.deprecation_time = response._get_param("DeprecateAt").strftime("%Y-%m-%dT%H:%M:00.000Z")
        return ActionResult({"Return": True})

    EC2Response.enable_image_deprecation = enable_image_deprecation
