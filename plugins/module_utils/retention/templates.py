# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images that launch templates name, in all their versions, and the Auto Scaling groups that launch from them."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.immutable.ec2.plugins.module_utils.aws import references as api
from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.retention.model import Reference

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mypy_boto3_autoscaling.type_defs import AutoScalingGroupTypeDef, LaunchTemplateSpecificationTypeDef
    from mypy_boto3_ec2.type_defs import LaunchTemplateTypeDef

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients

TEMPLATE_GONE = "InvalidLaunchTemplateId.NotFound"


@dataclass(frozen=True)
class Template:
    """One launch template: the image that each version names, as AWS would launch it now."""

    id: str
    name: str
    default: int
    latest: int
    images: dict[int, str] = field(default_factory=dict)

    def image(self, version: str) -> str:
        """The image that a group's `$Default`, `$Latest` or number means; empty where there is none."""
        number = {"$Default": self.default, "$Latest": self.latest, "": self.default}.get(version)
        return self.images.get(int(version) if number is None else number, "")


class Templates:
    """The launch templates of a region. A version never changes, so only new ones are read when asked again.

    Args:
        clients: the region's clients.
    """

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._written: dict[str, dict[int, str]] = {}

    def references(self, groups: Iterable[AutoScalingGroupTypeDef]) -> Iterator[Reference]:
        """Each version of each template that names an image, and each of the groups that would launch from it.

        Raises:
            AwsError: one of them could not be read, or names its image by a parameter that could not be resolved.
        """
        templates = [self._read(found) for found in api.describe_launch_templates(self._clients)]
        for template in templates:
            for number, image_id in template.images.items():
                yield Reference(image_id, f"launch template {template.id} ({template.name}) version {number}")
        by_key = {key: template for template in templates for key in (template.id, template.name)}
        for group in groups:
            for specification in _specifications(group):
                named = by_key.get(specification.get("LaunchTemplateId") or specification.get("LaunchTemplateName", ""))
                # A template that is gone, or a version without an image, names none.
                if named and (image_id := named.image(specification.get("Version", ""))):
                    yield Reference(image_id, f"Auto Scaling group {group['AutoScalingGroupName']}")

    def _read(self, found: LaunchTemplateTypeDef) -> Template:
        template_id, latest = found["LaunchTemplateId"], found["LatestVersionNumber"]
        written = self._written.setdefault(template_id, {})
        newest_known = max(written, default=0)
        if latest > newest_known:
            written.update(self._read_versions(template_id, newest_known + 1))
        images = {number: self._resolve(template_id, number, image) for number, image in written.items() if image}
        return Template(template_id, found["LaunchTemplateName"], found["DefaultVersionNumber"], latest, images)

    def _read_versions(self, template_id: str, first: int) -> dict[int, str]:
        try:
            versions = api.describe_launch_template_versions(self._clients, template_id, first)
        except AwsError as error:
            if error.code == TEMPLATE_GONE:
                return {}
            raise
        return {version["VersionNumber"]: version["LaunchTemplateData"].get("ImageId", "") for version in versions}

    def _resolve(self, template_id: str, version: int, image: str) -> str:
        """A parameter's value may change, so it is asked for each time."""
        if image.startswith("ami-"):
            return image
        resolved = api.resolve_launch_template_image(self._clients, template_id, version)
        if not resolved.startswith("ami-"):
            raise AwsError(
                f"find out which image the launch template {template_id} version {version} names",
                f"{image} was not resolved",
            )
        return resolved


def _specifications(group: AutoScalingGroupTypeDef) -> Iterator[LaunchTemplateSpecificationTypeDef]:
    """Every launch template that a group may launch from, mixed instances and their overrides too."""
    if direct := group.get("LaunchTemplate"):
        yield direct
    mixed = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    if base := mixed.get("LaunchTemplateSpecification"):
        yield base
    for override in mixed.get("Overrides", []):
        if other := override.get("LaunchTemplateSpecification"):
            yield other
