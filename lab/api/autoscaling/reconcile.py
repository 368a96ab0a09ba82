# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an Auto Scaling group does: launch, register, watch, replace, drain, terminate.

Called again and again with moto's lock held; every call goes as far as it can without waiting.
Lifecycle: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html
Private to moto 5.2.5: a group's ``instance_states``, ``_suspended_processes`` and ``ec2_launch_template``.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from botocore.exceptions import ClientError
from moto.autoscaling.models import ASG_NAME_TAG, InstanceState

from lab.api import moto_bridge
from lab.api.autoscaling.groups import groups
from lab.api.autoscaling.hooks import ABANDON, LAUNCHING, TERMINATING, Hooks
from lab.api.elbv2.targets import Targets, backend
from lab.api.settings import Settings

log = logging.getLogger(__name__)
#: A member's phases; ``:Wait`` and ``:Proceed`` follow where a lifecycle hook holds it.
_PENDING, _IN_SERVICE, _TERMINATING = "Pending", "InService", "Terminating"
_WAIT, _PROCEED = ":Wait", ":Proceed"
#: Seconds, in AWS's time, before a failed launch is tried again.
_RETRY_SECONDS = 60
_GONE = ("shutting-down", "terminated")


class Reconciler:
    """Brings the groups' members to what the groups want."""

    def __init__(self, settings: Settings, targets: Targets, hooks: Hooks) -> None:
        self._settings = settings
        self._targets = targets
        self._hooks = hooks
        self._in_service_at: dict[str, float] = {}
        self._retry_at: dict[str, float] = {}

    def tick(self) -> None:
        """One step for every group."""
        for group in groups():
            self._step(group, time.monotonic())

    def _step(self, group: Any, now: float) -> None:
        for member in list(group.instance_states):
            self._advance(group, member, now)
        here = _members(group, _PENDING, _IN_SERVICE)
        unhealthy = [member for member in here if member.health_status == "Unhealthy"]
        replaced = [] if _suspended(group, "ReplaceUnhealthy") else unhealthy
        # What is not replaced still counts.
        fit = [member for member in here if member not in replaced]
        missing = group.desired_capacity - len(fit)
        if missing > 0 and not _suspended(group, "Launch") and now >= self._retry_at.get(group.name, 0):
            self._launch(group, missing, now)
        if not _suspended(group, "Terminate"):
            for member in replaced:
                self._retire(group, member, "it failed its health check")
            for member in _surplus(fit, -missing):
                self._retire(group, member, "the group shrinks")

    # --- one member

    def _advance(self, group: Any, member: Any, now: float) -> None:
        phase = _phase(member)
        if phase == _TERMINATING:
            self._end(group, member)
        elif member.instance.state in _GONE:
            # One that was in service has failed its check; one that never was is no loss to the group.
            member.health_status = "Unhealthy"
            if phase == _PENDING:
                self._retire(group, member, f"it is {member.instance.state}")
        elif phase == _PENDING:
            self._start(group, member, now)
        else:
            self._attach(group, member)
            if not _suspended(group, "HealthCheck") and self._failed(group, member, now):
                member.health_status = "Unhealthy"

    def _start(self, group: Any, member: Any, now: float) -> None:
        """A new member on its way into service."""
        state, running = member.lifecycle_state, member.instance.state == "running"
        if state == _PENDING and running and self._hooks.begin(group, member.instance_id, LAUNCHING):
            member.lifecycle_state = _PENDING + _WAIT
        elif state == _PENDING + _WAIT:
            outcome = self._hooks.outcome(member.instance_id)
            if outcome == ABANDON:
                self._retire(group, member, "its launch was abandoned")
            elif outcome:
                member.lifecycle_state = _PENDING + _PROCEED
        elif running:
            member.lifecycle_state = _IN_SERVICE
            self._in_service_at[member.instance_id] = now

    def _end(self, group: Any, member: Any) -> None:
        """A member on its way out: it drains, waits for its hooks, is terminated."""
        instance, state = member.instance, member.lifecycle_state
        if instance.state == "terminated":
            group.instance_states.remove(member)
            self._hooks.forget(member.instance_id)
        elif state == _TERMINATING and not self._draining(group, member):
            waits = instance.state not in _GONE and self._hooks.begin(group, member.instance_id, TERMINATING)
            member.lifecycle_state = _TERMINATING + (_WAIT if waits else _PROCEED)
        elif state == _TERMINATING + _WAIT and self._hooks.outcome(member.instance_id):
            member.lifecycle_state = _TERMINATING + _PROCEED
        elif state == _TERMINATING + _PROCEED:
            instance.terminate()

    def _attach(self, group: Any, member: Any) -> None:
        """Register a member with the group's target groups where it isn't yet."""
        if _suspended(group, "AddToLoadBalancer"):
            return
        for target_group in _target_groups(group):
            if self._targets.find(target_group, member.instance_id) is None:
                target_group.register([{"Id": member.instance_id}])

    def _failed(self, group: Any, member: Any, now: float) -> bool:
        if member.instance.state != "running":
            return True
        # Not by the lab's clock: it is for a server's boot, which takes its real time.
        grace = float(group.health_check_grace_period or 0)
        if group.health_check_type != "ELB" or now - self._in_service_at[member.instance_id] < grace:
            return False
        found = [(each, self._targets.find(each, member.instance_id)) for each in _target_groups(group)]
        return any(target and self._targets.state(each, target).state == "unhealthy" for each, target in found)

    def _draining(self, group: Any, member: Any) -> bool:
        return any(self._targets.find(each, member.instance_id) for each in _target_groups(group))

    def _retire(self, group: Any, member: Any, why: str) -> None:
        log.info("%s: %s leaves, %s", group.name, member.instance_id, why)
        self._hooks.forget(member.instance_id)
        member.lifecycle_state = _TERMINATING
        for target_group in _target_groups(group):
            target_group.deregister([{"Id": member.instance_id}])

    # --- new members

    def _launch(self, group: Any, count: int, now: float) -> None:
        template = group.ec2_launch_template
        version = template.get_version(group.launch_template_version)
        for _ in range(count):
            try:
                answer = moto_bridge.client("ec2").run_instances(
                    MinCount=1,
                    MaxCount=1,
                    ImageId=version.image_id,
                    InstanceType=_instance_type(group, version),
                    SubnetId=_subnet(group),
                    LaunchTemplate={"LaunchTemplateId": template.id, "Version": str(version.number)},
                    TagSpecifications=[{"ResourceType": "instance", "Tags": _tags(group, version)}],
                )
            except ClientError as error:
                log.error("%s: launch failed: %s", group.name, error)
                self._retry_at[group.name] = now + self._settings.seconds(_RETRY_SECONDS)
                return
            instance_id = answer["Instances"][0]["InstanceId"]
            instance = group.ec2_backend.get_instance(instance_id)
            instance.autoscaling_group = group
            member = InstanceState(instance, _PENDING, autoscaling_group=group)
            group.instance_states.append(member)
            log.info("%s: %s launched", group.name, instance_id)


def _phase(member: Any) -> str:
    return str(member.lifecycle_state).partition(":")[0]


def _members(group: Any, *phases: str) -> list[Any]:
    return [member for member in group.instance_states if _phase(member) in phases]


def _instance_type(group: Any, version: Any) -> str:
    """The first that a mixed instances policy names, as AWS takes it while there is room; else the template's."""
    overrides = ((group.mixed_instances_policy or {}).get("LaunchTemplate") or {}).get("Overrides") or [{}]
    return str(overrides[0].get("InstanceType") or version.instance_type)


def _suspended(group: Any, process: str) -> bool:
    return process in group._suspended_processes


def _target_groups(group: Any) -> list[Any]:
    known = backend().target_groups
    return [known[arn] for arn in group.target_group_arns if arn in known]


def _surplus(members: list[Any], count: int) -> list[Any]:
    """The members that go when the group shrinks: one by one the oldest of the fullest zone."""
    staying, leaving = list(members), []
    for _ in range(count):
        zones = [member.availability_zone for member in staying]
        oldest = max(staying, key=lambda member: zones.count(member.availability_zone))
        staying.remove(oldest)
        leaving.append(oldest)
    return leaving


def _subnet(group: Any) -> str:
    """The subnet with the fewest members, so that the zones stay in balance."""
    subnets = str(group.vpc_zone_identifier).split(",")
    used = [member.instance.subnet_id for member in group.instance_states if _phase(member) != _TERMINATING]
    return min(subnets, key=used.count)


def _tags(group: Any, version: Any) -> list[dict[str, str]]:
    tags = {**version.instance_tags, **group.get_propagated_tags(), ASG_NAME_TAG: group.name}
    return [{"Key": key, "Value": value} for key, value in tags.items()]
