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
from ansible_collections.immutable.ec2.plugins.module_utils.aws.parameters import find_parameter
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.configuration.declared import packed
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import Release
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.model import Publication, Verdict
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.naming import (
    CHANNEL_PREFIX,
    PUBLICATION_TAG,
    REASON_TAG,
    VALIDATION_TAG,
    pointer_name,
)

if t.TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import ImageTypeDef

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients

NEWEST: t.Final = "newest"
OFFERED: t.Final = frozenset({Publication.NONE, Publication.PUBLISHED})
MOST_NAMES: t.Final = 5


def find_release(clients: Clients, app: str, image: str) -> Release:
    """The release that `image` names.

    Args:
        clients: the way to the env's account and region.
        app: whose images are looked at; another app's are never deployed.
        image: ``newest`` (of the published ones), ``channel:<name>`` (what that channel's pointer names), a release
            (its bake id), or an image's id. An image without a tag of its publication counts as published.

    Raises:
        Refused: there is no such image of this app in this region, it is not published, or it can't be launched.
        AwsError: the images, or the channel's pointer, can't be read.
    """
    if image.startswith(CHANNEL_PREFIX):
        image = _release_of_channel(clients, app, image.removeprefix(CHANNEL_PREFIX))
    images = describe_app_images(clients, app)
    if not images:
        raise Refused(
            f"there is no image of {app} in {clients.region}; bake one first: bake.yml -e app_dir=<the app's folder>"
        )
    if image == NEWEST:
        named = [candidate for candidate in images if _tag(candidate, PUBLICATION_TAG) in OFFERED]
        if not named:
            _refuse_unpublished(app, images[0])
    else:
        named = [candidate for candidate in images if image in (candidate["ImageId"], release_of(candidate))]
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
    if named[0]["State"] == "available" and _tag(named[0], PUBLICATION_TAG) == Publication.PENDING:
        _refuse_unpublished(app, named[0])
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
    return _tag(image, "release") or image["ImageId"]


def _release_of_channel(clients: Clients, app: str, channel: str) -> str:
    name = pointer_name(app, channel)
    release = find_parameter(clients, name)
    if release is None:
        raise Refused(
            f"the channel {channel!r} of {app} names no release in {clients.region}: there is no parameter {name}; "
            f"publish one: bake.yml -e channel={channel} -e app_dir=<the app's folder>"
        )
    return release


def _refuse_unpublished(app: str, image: ImageTypeDef) -> t.NoReturn:
    release = release_of(image)
    if _tag(image, PUBLICATION_TAG) == Publication.WITHDRAWN:
        raise Refused(f"every image of {app} is withdrawn; bake a release, or name one to deploy it all the same")
    if _tag(image, VALIDATION_TAG) == Verdict.FAILED:
        raise Refused(
            f"{release} of {app} is not published, its image {image['ImageId']} failed its validation: "
            f"{_tag(image, REASON_TAG) or 'without a reason'}; mend that and bake again"
        )
    raise Refused(
        f"{release} of {app} is not published yet, its image {image['ImageId']} was not validated; run the bake again, "
        "it goes on from there"
    )


def _tag(image: ImageTypeDef, key: str) -> str:
    return next((tag["Value"] for tag in image.get("Tags", []) if tag["Key"] == key), "")
