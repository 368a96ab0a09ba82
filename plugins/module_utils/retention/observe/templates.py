# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images that launch templates name, and who launches from them."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.immutable.ec2.plugins.module_utils.aws import launch_templates as api
from ansible_collections.immutable.ec2.plugins.module_utils.aws import parameters
from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.retention.model import Reference
from ansible_collections.immutable.ec2.plugins.module_utils.retention.observe.launchers import Launcher, Named

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mypy_boto3_ec2.type_defs import LaunchTemplateVersionTypeDef

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients

GONE = {"InvalidLaunchTemplateId.NotFound", "InvalidLaunchTemplateName.NotFoundException"}
NO_VERSION = "InvalidLaunchTemplateId.VersionNotFound"
ALIAS = "resolve:ssm:"


@dataclass
class Template:
    """One launch template: the image that each of the versions which were read names, as it was written."""

    id: str
    name: str
    default: int = 0
    latest: int = 0
    images: dict[int, str] = field(default_factory=dict)

    def add(self, version: LaunchTemplateVersionTypeDef) -> None:
        number = version["VersionNumber"]
        self.latest = max(self.latest, number)
        self.default = number if version.get("DefaultVersion") else self.default
        self.images[number] = version["LaunchTemplateData"].get("ImageId", "")

    def number(self, version: str) -> int:
        """The number that `$Default`, `$Latest` or a number means."""
        return {"$Default": self.default, "$Latest": self.latest}.get(version) or int(version)

    def user(self, number: int) -> str:
        return f"launch template {self.id} ({self.name}) version {number}"


class Templates:
    """The launch templates of a region: of all, the default and latest version, in a few pages; of those that somebody
    launches from, that version. Which older versions name a candidate is known to AWS's own image references.

    Args:
        clients: the region's clients.
    """

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def references(self, launchers: Iterable[Launcher], named: Iterable[Named]) -> Iterator[Reference]:
        """Each image that is named, by id or by parameter.

        Args:
            launchers: who launches from a template.
            named: who names an image itself.

        Raises:
            AwsError: something could not be read, or names its image by a parameter that could not be resolved.
        """
        templates = self._read()
        by_key = {key: template for template in templates for key in (template.id, template.name)}
        launchers = [one for one in launchers if one.template in by_key]  # a template that is gone names none
        self._read_launched(launchers, by_key)
        names = [
            Named(image, template.user(number)) for template in templates for number, image in template.images.items()
        ]
        names += [
            Named(by_key[one.template].images.get(by_key[one.template].number(one.version), ""), one.user)
            for one in launchers
        ]
        yield from self.resolved([*names, *named])

    def older(self, template_id: str, image_id: str, versions: int) -> list[str]:
        """Which of a template's newest versions name an image, for a person."""
        try:
            found = api.describe_versions(self._clients, template_id, image_id=image_id)
        except AwsError as error:
            if error.code in GONE:
                return []
            raise
        template = Template(template_id, next((one.get("LaunchTemplateName", "") for one in found), ""))
        for version in found:
            template.add(version)
        numbers = [number for number, image in template.images.items() if image == image_id]
        return [template.user(number) for number in numbers] or [
            f"launch template {template_id}, one of its newest {versions} versions"
        ]

    def resolved(self, named: Iterable[Named]) -> Iterator[Reference]:
        """The images named, parameters (`resolve:ssm:…`) as they are at this moment.

        Raises:
            AwsError: a parameter can't be read, or is no image's.
        """
        named = [one for one in named if one.image]
        aliases = dict.fromkeys(one.image.removeprefix(ALIAS) for one in named if one.image.startswith(ALIAS))
        values = parameters.parameters_named(self._clients, list(aliases))
        for one in named:
            image = values.get(one.image.removeprefix(ALIAS), "") if one.image.startswith(ALIAS) else one.image
            if not image.startswith("ami-"):
                raise AwsError(f"find out which image {one.user} names", f"{one.image} was not resolved")
            yield Reference(image, one.user)

    def _read(self) -> list[Template]:
        templates: dict[str, Template] = {}
        for version in api.describe_named_versions(self._clients):
            template_id = version["LaunchTemplateId"]
            templates.setdefault(template_id, Template(template_id, version["LaunchTemplateName"])).add(version)
        return list(templates.values())

    def _read_launched(self, launchers: Iterable[Launcher], by_key: dict[str, Template]) -> None:
        missing: dict[str, set[int]] = {}
        for one in launchers:
            template = by_key[one.template]
            if (number := template.number(one.version)) not in template.images:
                missing.setdefault(template.id, set()).add(number)
        for template_id, numbers in missing.items():
            for number in sorted(numbers):
                for version in self._version(template_id, number):
                    by_key[template_id].images[number] = version["LaunchTemplateData"].get("ImageId", "")

    def _version(self, template_id: str, number: int) -> list[LaunchTemplateVersionTypeDef]:
        try:
            return api.describe_versions(self._clients, template_id, [number])
        except AwsError as error:
            if error.code in GONE or error.code == NO_VERSION:
                return []  # nothing can be launched from it any more
            raise
