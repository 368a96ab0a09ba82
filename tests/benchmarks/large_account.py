# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A large account in moto: images of many apps, one a day each, and what names some of them.

For each 5,000 images 500 instances, 200 launch templates, and 270 images in use: by nine kinds of references, 30 each.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.autoscaling import autoscaling_backends
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ec2 import ec2_backends
from moto.ec2.models.amis import Ami
from moto.ec2.utils import random_ami_id

from tests.lab.retention.account import Account

AN_APP = 100
"""Images of one app, one a day, the newest of today."""
PART = 5_000
"""Images that the numbers below are meant for."""
INSTANCES = 500
TEMPLATES = 200
EACH = 30
"""Images in use by each kind of reference."""
DAYS = 30
KEEP = 5
MOST_AT_ONCE = 500


class LargeAccount:
    """Fills the account; `used` are the ids of the images that something names.

    Args:
        account: of an empty emulator.
        count: how many images.
    """

    def __init__(self, account: Account, count: int) -> None:
        self._account = account
        self.ids = [self._image(number) for number in range(count)]
        # Old enough that no rule keeps them: an image of each app in turn, so that every page has some.
        old = (self.ids[number] for number in self._oldest_first(count))
        parts = count / PART
        self.used: set[str] = set()
        newest = self.ids[::AN_APP]
        for use in KINDS:
            chosen = list(itertools.islice(old, max(1, round(EACH * parts))))
            use(self, chosen, newest[0])
            self.used.update(chosen)
        templates = round(TEMPLATES * parts) - 3 * max(1, round(EACH * parts))
        for number in range(max(0, templates)):
            account.template(newest[number % len(newest)])
        for image_id in newest:
            self._instances(image_id, round(INSTANCES * parts / len(newest)))

    def _image(self, number: int) -> str:
        app, day = divmod(number, AN_APP)
        backend = ec2_backends[DEFAULT_ACCOUNT_ID][self._account.region]
        image_id = random_ami_id()
        created = datetime.now(UTC) - timedelta(days=day, minutes=app)
        tags = {"app": f"app{app:03}", "stage": "app", "release": f"app{app:03}-{day:03}", "base_image": "ami-00000001"}
        backend.amis[image_id] = Ami(
            backend,
            image_id,
            name=f"app{app:03}-{day:03}",
            creation_date=created.replace(tzinfo=None),
            root_device_type="ebs",
            virtualization_type="hvm",
            architecture="x86_64",
            region_name=f"{self._account.region}a",
            tags=tags,
        )
        return image_id

    def _oldest_first(self, count: int) -> Iterator[int]:
        for day in range(AN_APP - 1, DAYS, -1):
            yield from range(day, count, AN_APP)

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
