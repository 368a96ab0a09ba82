# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what a user calls an image to a release."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws.images import (
    architectures,
    describe_app_images,
    find_image,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.configuration.declared import packed
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import Release

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
    if not named and (other := find_image(clients, image) if image.startswith("ami-") else None):
        tags = {tag["Key"]: tag["Value"] for tag in other.get("Tags", [])}
        whose = f"it belongs to the app {tags['app']}" if tags.get("app", app) != app else "it holds no release"
        raise Refused(f"{app} has no image {image!r}: {whose}; use 'newest', a release, or the id of its image")
    if not named:
        known = ", ".join(release_of(candidate) for candidate in images[:MOST_NAMES])
        raise Refused(
            f"{app} has no image {image!r} in {clients.region}; use 'newest', one of the releases {known}"
            f"{', …' if len(images) > MOST_NAMES else ''}, or the id of one of their images; "
            "an image of another region must be copied here first"
        )
    usable = [candidate for candidate in named if candidate["State"] == "available"]
    if not usable:
        raise Refused(
            f"the image {named[0]['ImageId']} of {app} is {named[0]['State']}; only an available image can be deployed"
        )
    chosen = usable[0]
    tags = {tag["Key"]: tag["Value"] for tag in chosen.get("Tags", [])}
    return Release(release_of(chosen), chosen["ImageId"], str(chosen.get("Architecture", "")), packed(tags))


def check_architecture(clients: Clients, release: Release, instance_types: list[str]) -> None:
    """Refuses an image that the servers' processors can't run.

    Raises:
        Refused: a type is unknown in this region, or of another architecture.
    """
    known = architectures(clients, instance_types)
    for kind in instance_types:
        if kind not in known:
            raise Refused(f"{clients.region} has no instance type {kind}; mend instance_type in the env's file")
        if release.architecture and known[kind] and release.architecture not in known[kind]:
            raise Refused(
                f"{release.image} ({release.name}) is of the architecture {release.architecture}, and {kind} runs "
                f"{', '.join(sorted(known[kind]))} only; bake the release for it, or change instance_type"
            )


def release_of(image: ImageTypeDef) -> str:
    """The bake id that the image's tag gives, or its own id where it has none."""
    return next((tag["Value"] for tag in image.get("Tags", []) if tag["Key"] == "release"), image["ImageId"])
