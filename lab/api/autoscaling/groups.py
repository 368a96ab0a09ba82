# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Auto Scaling groups that only say what is wanted; the reconcile loop makes it so.

Private to moto 5.2.5: ``FakeAutoScalingGroup.set_desired_capacity`` and ``update``, ``AutoScalingBackend``'s create,
delete and target group methods, all of which would launch, register and terminate at once.
"""

from __future__ import annotations

from typing import Any

from moto.autoscaling import autoscaling_backends
from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup

from lab.api.patching import replace
from lab.api.settings import ACCOUNT
from lab.settings import REGION


def groups() -> list[Any]:
    """The groups of the lab's region."""
    return list(autoscaling_backends[ACCOUNT][REGION].autoscaling_groups.values())


def use_wishes() -> None:
    """Make groups keep their wishes, checked as AWS checks them."""

    def set_desired_capacity(group: Any, capacity: int | None) -> None:
        wanted = group.min_size if capacity is None else capacity
        if wanted > group.max_size:
            raise ValidationError(
                f"New SetDesiredCapacity value {wanted} is above max value {group.max_size} for the AutoScalingGroup."
            )
        if wanted < group.min_size:
            raise ValidationError(
                f"New SetDesiredCapacity value {wanted} is below min value {group.min_size} for the AutoScalingGroup."
            )
        group.desired_capacity = wanted

    def create(backend: Any, name: str, *arguments: Any, **named: Any) -> Any:
        if name in backend.autoscaling_groups:
            raise AutoscalingClientError(
                "AlreadyExists",
                "AutoScalingGroup by this name already exists - A group with the name " + name + " already exists",
            )
        group = original_create(backend, name, *arguments, **named)
        # AWS tries the launch before it makes the group.
        if group.image_id not in backend.ec2_backend.amis:
            del backend.autoscaling_groups[name]
            raise ValidationError(
                f"You must use a valid fully-formed launch template. The image id '[{group.image_id}]' does not exist"
            )
        return group

    def delete(backend: Any, name: str) -> None:
        group = backend.autoscaling_groups.get(name)
        if group is None:
            raise ValidationError(f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")
        if group.instance_states:
            raise AutoscalingClientError(
                "ResourceInUse",
                "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) "
                "still in the group.",
            )
        del backend.autoscaling_groups[name]

    replace(FakeAutoScalingGroup, "set_desired_capacity", set_desired_capacity)
    original_create = replace(AutoScalingBackend, "create_auto_scaling_group", create)
    replace(AutoScalingBackend, "delete_auto_scaling_group", delete)
    replace(AutoScalingBackend, "update_attached_target_groups", lambda _backend, _name: None)
    replace(AutoScalingBackend, "notify_terminate_instances", lambda _backend, _instance_ids: None)
