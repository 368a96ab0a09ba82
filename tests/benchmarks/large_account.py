# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A large account in moto, as it is where images are pruned every night: of each app one image a day.

Most are young. Of those older than `DAYS`, 1 in 100 of all is due since today, and 54 in 1,000 are still there because
they are in use: by nine kinds of references, as many by each. Beside them a tenth as many instances as images, and a
twenty-fifth as many launch templates.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.autoscaling import autoscaling_backends
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ec2 import ec2_backends
from moto.ec2.models.amis import Ami
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix, random_ami_id

from tests.lab.retention.account import Account

AN_APP = 100
"""Images of one app."""
IN_USE = 0.054
DUE = 0.01
INSTANCES = 0.1
TEMPLATES = 0.04
DAYS = 95
KEEP = 5
MOST_AT_ONCE = 500


def tags_by_id() -> None:
    """Have moto find a resource's tags by its id; it looks through the tags of all resources for each (5.2)."""

    def get_tags(resource: Any) -> list[dict[str, str]]:
        found = resource.ec2_backend.tags.get(resource.id, {})
        kind = EC2_PREFIX_TO_RESOURCE.get(get_prefix(resource.id), "")
        of_it = {"resource_id": resource.id, "resource_type": kind}
        return [{**of_it, "key": key, "value": value} for key, value in found.items()]

    TaggedEC2Resource.get_tags = get_tags


class LargeAccount:
    """Fills the account; `ids` are those of all images, `used` those of the old ones that something names.

    Args:
        account: of an empty emulator.
        count: how many images.
    """

    def __init__(self, account: Account, count: int) -> None:
        self._account = account
        self._numbers = itertools.count()
        self.ids: list[str] = []
        apps = count // AN_APP
        by_each = round(count * IN_USE / len(KINDS))
        due, old = round(count * DUE), by_each * len(KINDS)
        # moto looks through all images for each instance: instances are made while there are few.
        newest = [self._image(app, 0) for app in range(apps)]
        used = [self._image(number % apps, DAYS + 2 + number // apps) for number in range(old)]
        for number, use in enumerate(KINDS):
            use(self, used[number * by_each : (number + 1) * by_each], newest[0])
        self.used = set(used)
        for number in range(round(count * TEMPLATES) - 4 * by_each):
            account.template(newest[number % apps])
        for image_id in newest:
            self._instances(image_id, round(count * INSTANCES / apps))
        for number in range(due):
            self._image(number % apps, DAYS + 1)
        for number in range(apps, count - due - old):
            self._image(number % apps, number // apps)

    def _image(self, app: int, day: int) -> str:
        backend = ec2_backends[DEFAULT_ACCOUNT_ID][self._account.region]
        image_id: str = random_ami_id()
        created = datetime.now(UTC) - timedelta(days=day, minutes=app + 1)
        name = f"app{app:03}-{next(self._numbers):05}"
        tags = {"app": f"app{app:03}", "stage": "app", "release": name, "base_image": "ami-00000001"}
        backend.amis[image_id] = Ami(
            backend,
            image_id,
            name=name,
            creation_date=created.replace(tzinfo=None),
            root_device_type="ebs",
            virtualization_type="hvm",
            architecture="x86_64",
            region_name=f"{self._account.region}a",
            tags=tags,
        )
        self.ids.append(image_id)
        return str(image_id)

    def _group(self, **launches: Any) -> None:
        """A group that wants a server, without one. (aws-amicleaner ends with an error where a group wants none.)"""
        name = self._account.group(**launches)
        groups = autoscaling_backends[DEFAULT_ACCOUNT_ID][self._account.region].autoscaling_groups
        groups[name].desired_capacity = 1

    def _instances(self, image_id: str, count: int) -> list[str]:
        made = []
        for start in range(0, count, MOST_AT_ONCE):
            most = min(MOST_AT_ONCE, count - start)
            answer = self._account.ec2.run_instances(ImageId=image_id, MinCount=most, MaxCount=most)
            made += [one["InstanceId"] for one in answer["Instances"]]
        return made

    def by_running_instance(self, image_ids: list[str], _newest: str) -> None:
        for image_id in image_ids:
            self._instances(image_id, 1)

    def by_stopped_instance(self, image_ids: list[str], _newest: str) -> None:
        for image_id in image_ids:
            self._account.ec2.stop_instances(InstanceIds=self._instances(image_id, 1))

    def by_launch_configuration(self, image_ids: list[str], _newest: str) -> None:
        for image_id in image_ids:
            self._account.configuration(image_id)

    def by_group(self, image_ids: list[str], _newest: str) -> None:
        for image_id in image_ids:
            launches = {"LaunchTemplateName": self._account.template(image_id), "Version": "$Latest"}
            self._group(LaunchTemplate=launches)

    def by_unattached_template(self, image_ids: list[str], _newest: str) -> None:
        for image_id in image_ids:
            self._account.template(image_id)

    def by_earlier_template_version(self, image_ids: list[str], newest: str) -> None:
        for image_id in image_ids:
            self._account.template(newest, image_id, newest)

    def by_mixed_instances_override(self, image_ids: list[str], newest: str) -> None:
        base = {"LaunchTemplateName": self._account.template(newest), "Version": "1"}
        for image_id in image_ids:
            other = {"LaunchTemplateName": self._account.template(image_id), "Version": "1"}
            overrides: list[Any] = [{"InstanceType": "t3.micro", "LaunchTemplateSpecification": other}]
            launches = {"LaunchTemplateSpecification": base, "Overrides": overrides}
            distribution = {"OnDemandPercentageAboveBaseCapacity": 100}
            self._group(MixedInstancesPolicy={"LaunchTemplate": launches, "InstancesDistribution": distribution})

    def by_parameter(self, image_ids: list[str], _newest: str) -> None:
        for image_id in image_ids:
            self._account.parameter(f"/shop/{image_id}", f"the release is {image_id}")

    def by_stack(self, image_ids: list[str], _newest: str) -> None:
        for image_id in image_ids:
            self._account.stack({"ImageId": image_id})


Use = Callable[[LargeAccount, list[str], str], None]
KINDS: tuple[Use, ...] = (
    LargeAccount.by_running_instance,
    LargeAccount.by_stopped_instance,
    LargeAccount.by_launch_configuration,
    LargeAccount.by_group,
    LargeAccount.by_unattached_template,
    LargeAccount.by_earlier_template_version,
    LargeAccount.by_mixed_instances_override,
    LargeAccount.by_parameter,
    LargeAccount.by_stack,
)
