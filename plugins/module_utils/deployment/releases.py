# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what a user calls an image to a release."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws.images import describe_app_images
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import Release

if t.TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import ImageTypeDef

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients

NEWEST: t.Final = "newest"
MOST_NAMES: t.Final = 5


def find_release(clients: Clients, app: str, image: str) -> Release:
    """The release that `image` names.

    Args:
        clients: the way to the env's account and region.
        app: whose images are looked at; another app's are never deployed.
        image: ``newest``, a release (its bake id), or an image's id.

    Raises:
        Refused: there is no such image of this app in this region, or it can't be launched.
    """
    images = describe_app_images(clients, app)
    if not images:
        raise Refused(
            f"there is no image of {app} in {clients.region}; bake one first: bake.yml -e app_dir=<the app's folder>"
        )
    named = [candidate for candidate in images if image in (NEWEST, candidate["ImageId"], release_of(candidate))]
    if not named:
        known = ", ".join(release_of(candidate) for candidate in images[:MOST_NAMES])
        raise Refused(
            f"{app} has no image {image!r} in {clients.region}; use 'newest', one of the releases {known}"
            f"{', …' if len(images) > MOST_NAMES else ''}, or the id of one of their images"
        )
    usable = [candidate for candidate in named if candidate["State"] == "available"]
    if not usable:
        raise Refused(
            f"the image {named[0]['ImageId']} of {app} is {named[0]['State']}; only an available image can be deployed"
        )
    return Release(release_of(usable[0]), usable[0]["ImageId"])


def release_of(image: ImageTypeDef) -> str:
    """The bake id that the image's tag gives, or its own id where it has none."""
    return next((tag["Value"] for tag in image.get("Tags", []) if tag["Key"] == "release"), image["ImageId"])
