# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Auto Scaling groups that only say what is wanted; the reconcile loop makes it so.

Private to moto 5.2.5: ``FakeAutoScalingGroup.set_desired_capacity`` and ``update``, ``AutoScalingBackend``'s create,
delete and target group methods, all of which would launch, register and terminate at once; ``AutoScalingResponse``,
which drops arguments.
"""

from __future__ import annotations

from typing import Any

from moto.autoscaling import autoscaling_backends
from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup
from moto.autoscaling.responses import AutoScalingResponse

from lab.api.autoscaling.hooks import add_hooks, remove_hooks
from lab.api.patching import replace
from lab.api.settings import ACCOUNT
from lab.settings import REGION


def groups() -> list[Any]:
    """The groups of the lab's region."""
    return list(autoscaling_backends[ACCOUNT][REGION].autoscaling_groups.values())


def use_wishes() -> None:
    """Make groups keep their wishes, checked as AWS checks them."""
    _use_sizes()
    _use_creation()
    _use_updates()
    _use_names()
    replace(AutoScalingBackend, "update_attached_target_groups", lambda _backend, _name: None)
    replace(AutoScalingBackend, "notify_terminate_instances", lambda _backend, _instance_ids: None)


def _use_sizes() -> None:
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

    replace(FakeAutoScalingGroup, "set_desired_capacity", set_desired_capacity)


def _check(low: int, desired: int | None, high: int) -> None:
    if low > high:
        raise ValidationError(f"Max bound, {high}, must be greater than or equal to min bound, {low}")
    if desired is not None and not low <= desired <= high:
        raise ValidationError(
            f"Desired capacity:{desired} must be between the specified min size:{low} and max size:{high}"
        )


def _use_creation() -> None:
    def create(backend: Any, name: str, **named: Any) -> Any:
        if name in backend.autoscaling_groups:
            raise AutoscalingClientError(
                "AlreadyExists",
                "AutoScalingGroup by this name already exists - A group with the name " + name + " already exists",
            )
        _check(named["min_size"], named["desired_capacity"], named["max_size"])
        group = original_create(backend, name, **named)
        group.health_check_grace_period = named["health_check_period"] or 0
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
        remove_hooks(group)
        del backend.autoscaling_groups[name]

    def answer_create(response: Any) -> Any:
        answer = original_answer(response)
        asked = response._get_params()
        group = response.autoscaling_backend.autoscaling_groups[asked["AutoScalingGroupName"]]
        _keep(group, asked)
        add_hooks(group, asked.get("LifecycleHookSpecificationList") or [])
        return answer

    original_create = replace(AutoScalingBackend, "create_auto_scaling_group", create)
    replace(AutoScalingBackend, "delete_auto_scaling_group", delete)
    original_answer = replace(AutoScalingResponse, "create_auto_scaling_group", answer_create)


def _use_updates() -> None:
    """moto forgets a mixed instances policy that an update doesn't name, and keeps no cooldown or warm-up."""

    def update(group: Any, **named: Any) -> None:
        low = group.min_size if named["min_size"] is None else named["min_size"]
        high = group.max_size if named["max_size"] is None else named["max_size"]
        _check(low, named["desired_capacity"], high)
        if named["desired_capacity"] is None:
            named["desired_capacity"] = min(max(group.desired_capacity, low), high)
        if not named["mixed_instances_policy"] and not named["launch_template"]:
            policy = group.mixed_instances_policy
            original_update(group, **named)
            group.mixed_instances_policy = policy
        else:
            original_update(group, **named)

    def answer_update(response: Any) -> Any:
        answer = original_answer(response)
        asked = response._get_params()
        _keep(response.autoscaling_backend.autoscaling_groups[asked["AutoScalingGroupName"]], asked)
        return answer

    def launch_template(group: Any) -> Any:
        return None if group.mixed_instances_policy else original_template.fget(group)

    original_update = replace(FakeAutoScalingGroup, "update", update)
    original_answer = replace(AutoScalingResponse, "update_auto_scaling_group", answer_update)
    original_template = replace(FakeAutoScalingGroup, "launch_template", property(launch_template))


def _keep(group: Any, asked: dict[str, Any]) -> None:
    """What DescribeAutoScalingGroups shows again, and nothing else needs."""
    if asked.get("DefaultCooldown") is not None:
        group.default_cooldown = int(asked["DefaultCooldown"])
    if asked.get("DefaultInstanceWarmup") is not None:
        group.default_instance_warmup = int(asked["DefaultInstanceWarmup"])


def _use_names() -> None:
    """Calls for a group that isn't there are refused; moto fails."""
    for name in ("set_desired_capacity", "suspend_processes", "resume_processes"):
        _refuse_unknown(name)


def _refuse_unknown(method: str) -> None:
    def call(backend: Any, group_name: str, *arguments: Any) -> Any:
        if group_name not in backend.autoscaling_groups:
            raise ValidationError(f"AutoScalingGroup name not found - AutoScalingGroup '{group_name}' not found")
        return original(backend, group_name, *arguments)

    original = replace(AutoScalingBackend, method, call)
