# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One region of one account, looked at as often as wanted: the images there, and everything that names one."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.immutable.ec2.plugins.module_utils.aws import cloudformation, fleets, image_builder, parameters
from ansible_collections.immutable.ec2.plugins.module_utils.aws import images as images_api
from ansible_collections.immutable.ec2.plugins.module_utils.aws import references as references_api
from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.retention.model import (
    BASE_IMAGE_TAG,
    Image,
    Reference,
    References,
    Unread,
)
from ansible_collections.immutable.ec2.plugins.module_utils.retention.observe import channels, launchers, ledgers
from ansible_collections.immutable.ec2.plugins.module_utils.retention.observe.convert import shared_with, to_image
from ansible_collections.immutable.ec2.plugins.module_utils.retention.observe.launchers import Launcher, Named
from ansible_collections.immutable.ec2.plugins.module_utils.retention.observe.templates import Templates
from ansible_collections.immutable.ec2.plugins.module_utils.retention.words import Place

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from mypy_boto3_autoscaling.type_defs import AutoScalingGroupTypeDef

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients

AMI = re.compile(r"\bami-[0-9a-f]{8,17}\b")
T = t.TypeVar("T")


@dataclass(frozen=True)
class Look:
    """What is looked at beside what is always looked at.

    Attributes:
        parameters: paths of SSM parameters (`/shop/*`), and names.
        versions: how many of the newest versions of a launch template count, beside its default and latest.
        previous: how many earlier releases of each env are kept.
        accounts: the accounts that are looked into; what is shared with one of them is in use only if it uses it.
        shared: whether an image counts as used because it is shared, also with those.
        public: whether an image counts as used because it is public.
    """

    parameters: tuple[str, ...] = ()
    versions: int = 10_000
    previous: int = 2
    accounts: frozenset[str] = frozenset()
    shared: bool = True
    public: bool = True


class Region:
    """One region of one account. A place that can't be read never raises: it comes back as `Unread`.

    Args:
        clients: the region's clients.
        name: the region's name.
        look: what to look at.
        account: the account's number where it is not the session's own.
    """

    def __init__(self, clients: Clients, name: str, look: Look, account: str = "") -> None:
        self.clients = clients
        self.name = name
        self.account = account
        self._look = look
        self._templates = Templates(clients)
        self._bodies: dict[tuple[str, str], frozenset[str]] = {}

    def images(self, owner: str) -> list[Image]:
        """The account's own images and, where the policy is about another owner, that one's too.

        Raises:
            AwsError: they could not be read.
        """
        own = images_api.describe_images(self.clients, "self", lambda found: to_image(found, self.name, own=True))
        if owner == "self":
            return own
        known = {image.id for image in own}
        others = images_api.describe_images(self.clients, owner, lambda found: to_image(found, self.name, own=False))
        return own + [image for image in others if image.id not in known]

    def image(self, image_id: str) -> Image | None:
        """One image as it is now.

        Raises:
            AwsError: it could not be read.
        """
        found = images_api.find_image(self.clients, image_id)
        return to_image(found, self.name, own=True) if found else None

    def launching(self, image_ids: Sequence[str] = ()) -> References:
        """What launches servers and what was launched; of the instances only those of the images, if ids are given."""
        # What launches comes before what it launches from and what was launched: nothing slips through in between.
        groups, no_groups = self._read(Place.GROUPS, lambda: references_api.describe_all_groups(self.clients))
        fleet, no_fleets = self._read(Place.FLEETS, lambda: launchers.of_fleets(fleets.describe_fleets(self.clients)))
        spot, no_spot = self._read(Place.SPOT, self._spot)
        launches = [*launchers.of_groups(groups), *fleet, *spot]
        named = [one for one in launches if isinstance(one, Named)]
        users = [one for one in launches if isinstance(one, Launcher)]
        return (
            References(unread=no_groups + no_fleets + no_spot)
            + self._references(Place.LAUNCH_CONFIGURATIONS, lambda: self._configurations(groups))
            + self._references(Place.LAUNCH_TEMPLATES, lambda: self._templates.references(users, named))
            + self._references(Place.INSTANCES, lambda: self._instances(image_ids))
        )

    def naming(self) -> References:
        """What names images otherwise: parameters, stacks with their ledgers, recipes."""
        stacks, no_stacks = self._read(Place.STACKS, lambda: cloudformation.describe_all_stacks(self.clients))
        found = [
            Reference(image_id, f"CloudFormation stack {stack['StackName']} (parameter {one['ParameterKey']})")
            for stack in stacks
            for one in stack.get("Parameters", [])
            for image_id in AMI.findall(f"{one.get('ParameterValue', '')} {one.get('ResolvedValue', '')}")
        ]
        return (
            References(tuple(found), no_stacks)
            + self._references(
                Place.ENVIRONMENTS, lambda: ledgers.references(self.clients, stacks, self._look.previous)
            )
            + self._references(Place.PARAMETERS, self._parameters)
            + self._references(Place.RECIPES, self._recipes)
        )

    def stack_templates(self) -> References:
        """The images that templates of stacks name. One call a stack, the first time; later only for changed ones."""

        def read() -> Iterator[Reference]:
            for stack in cloudformation.describe_all_stacks(self.clients):
                changed = stack.get("LastUpdatedTime") or stack["CreationTime"]
                key = (stack.get("StackId", stack["StackName"]), str(changed))
                if key not in self._bodies:
                    body = cloudformation.template(self.clients, stack["StackName"])
                    self._bodies[key] = frozenset(AMI.findall(body))
                for image_id in self._bodies[key]:
                    yield Reference(image_id, f"CloudFormation stack {stack['StackName']} (template)")

        return self._references(Place.TEMPLATES, read)

    def referenced(self, image_ids: Sequence[str]) -> References:
        """What AWS itself knows to use the images, at most ten: older launch template versions among it."""

        def read() -> Iterator[Reference]:
            depth = self._look.versions
            for found in images_api.describe_image_references(self.clients, image_ids, depth):
                image_id, arn = found["ImageId"], found["Arn"]
                if found["ResourceType"] == "ec2:LaunchTemplate":
                    for user in self._templates.older(arn.rpartition("/")[2], image_id, depth):
                        yield Reference(image_id, user)
                else:
                    yield Reference(image_id, f"{found['ResourceType']} {arn.rpartition(':')[2]}")

        return self._for_images(Place.REFERENCES, image_ids, read)

    def sharing(self, image: Image) -> References:
        """With whom the image is shared whose use of it can't be looked up, so that it counts as used."""

        def read() -> Iterator[Reference]:
            for permission in images_api.describe_launch_permissions(self.clients, image.id):
                public = permission.get("Group") == "all" and not self._look.public
                looked_into = permission.get("UserId") in self._look.accounts and not self._look.shared
                if not public and not looked_into:
                    yield Reference(image.id, shared_with(permission))

        return self._for_images(Place.SHARING, [image.id], read)

    def children(self, image_ids: Sequence[str]) -> list[tuple[str, str]]:
        """Child and base of the images in this region that were built from the given ones, at this moment.

        Raises:
            AwsError: they could not be read.
        """
        return images_api.describe_images_by_tag(self.clients, image_ids, BASE_IMAGE_TAG)

    def _instances(self, image_ids: Sequence[str]) -> Iterable[Reference]:
        return references_api.describe_instances(
            self.clients,
            lambda one: Reference(one["ImageId"], f"instance {one['InstanceId']} ({one['State']['Name']})"),
            image_ids,
        )

    def _spot(self) -> Iterator[Named | Launcher]:
        yield from launchers.of_spot_fleets(fleets.describe_spot_fleets(self.clients))
        for request in fleets.describe_spot_requests(self.clients):
            if image := request.get("LaunchSpecification", {}).get("ImageId"):
                yield Named(image, f"spot request {request['SpotInstanceRequestId']}")

    def _configurations(self, groups: list[AutoScalingGroupTypeDef]) -> Iterator[Reference]:
        configurations = references_api.describe_launch_configurations(self.clients)
        images = {one["LaunchConfigurationName"]: one["ImageId"] for one in configurations}
        for name, image_id in images.items():
            yield Reference(image_id, f"launch configuration {name}")
        for group in groups:
            if image_id := images.get(group.get("LaunchConfigurationName", ""), ""):
                yield Reference(image_id, f"Auto Scaling group {group['AutoScalingGroupName']}")

    def _parameters(self) -> Iterator[Reference]:
        paths = [path for path in self._look.parameters if path.endswith("*")]
        values = parameters.parameters_named(
            self.clients, [name for name in self._look.parameters if name not in paths]
        )
        for path in paths:
            values |= parameters.parameters_below(self.clients, path.rstrip("*").rstrip("/") or "/")
        for name, value in values.items():
            for image_id in AMI.findall(value):
                yield Reference(image_id, f"SSM parameter {name}")
        yield from channels.references(self.clients)

    def _recipes(self) -> Iterator[Reference]:
        for recipe in image_builder.list_recipes(self.clients):
            for image_id in AMI.findall(f"{recipe.get('parentImage', '')} {recipe.get('instanceImage', '')}"):
                yield Reference(image_id, f"Image Builder recipe {recipe.get('name') or recipe['arn']}")

    def _for_images(
        self, place: Place, image_ids: Sequence[str], read: Callable[[], Iterable[Reference]]
    ) -> References:
        """What can't be read leaves only the images in doubt that were asked for."""
        found = self._references(place, read)
        doubts = (replace(unread, image_id=image_id) for unread in found.unread for image_id in image_ids)
        return replace(found, unread=tuple(doubts))

    def _read(self, place: Place, read: Callable[[], Iterable[T]]) -> tuple[list[T], tuple[Unread, ...]]:
        try:
            return list(read()), ()
        except AwsError as error:
            return [], (Unread(place, self.name, str(error), account=self.account),)

    def _references(self, place: Place, read: Callable[[], Iterable[Reference]]) -> References:
        found, unread = self._read(place, read)
        if self.account:
            found = [replace(one, user=f"{one.user} in account {self.account}") for one in found]
        return References(tuple(found), unread)
