# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lifecycle hooks: instances that wait until somebody says go on, or their time is over.

Rules: https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks.html
Private to moto 5.2.5: ``AutoScalingBackend.lifecycle_hooks`` and ``create_lifecycle_hook``, ``AutoScalingResponse``,
which lacks the two calls that end or prolong a wait.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import AutoScalingBackend
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult

from lab.api.moto_bridge import LOCK
from lab.api.patching import replace
from lab.api.settings import Settings

LAUNCHING, TERMINATING = "autoscaling:EC2_INSTANCE_LAUNCHING", "autoscaling:EC2_INSTANCE_TERMINATING"
CONTINUE, ABANDON = "CONTINUE", "ABANDON"
#: AWS ends a wait after so many time-outs, or two days.
_LONGEST_TIMEOUTS, _LONGEST_SECONDS = 100, 172_800


@dataclass
class _Action:
    """One hook's wait of one instance."""

    hook: Any
    begun_at: float
    deadline: float
    token: str = field(default_factory=lambda: str(uuid4()))
    result: str | None = None


class Hooks:
    """All waits. Use it with moto's lock held."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._waits: dict[str, list[_Action]] = {}

    def begin(self, group: Any, instance_id: str, transition: str) -> bool:
        """Begin the transition's waits of an instance; returns whether there are any."""
        now = time.monotonic()
        hooks = [
            hook
            for hook in group.autoscaling_backend.describe_lifecycle_hooks(group.name)
            if hook.lifecycle_transition == transition
        ]
        self._waits[instance_id] = [_Action(hook, now, now + self._timeout(hook)) for hook in hooks]
        return bool(hooks)

    def outcome(self, instance_id: str) -> str | None:
        """CONTINUE once all hooks say so, ABANDON once one does, None while neither is."""
        now = time.monotonic()
        waits = self._waits.get(instance_id, [])
        for wait in waits:
            if wait.result is None and now >= wait.deadline:
                wait.result = wait.hook.default_result
        if any(wait.result == ABANDON for wait in waits):
            return ABANDON
        return CONTINUE if all(wait.result for wait in waits) else None

    def forget(self, instance_id: str) -> None:
        """The instance waits no more."""
        self._waits.pop(instance_id, None)

    def complete(self, asked: dict[str, Any]) -> None:
        """End one hook's wait, as CompleteLifecycleAction asks. Raises ValidationError."""
        result = asked["LifecycleActionResult"]
        if result not in (CONTINUE, ABANDON):
            raise ValidationError(f"The lifecycle action result must be {CONTINUE} or {ABANDON}, not {result}")
        self._find(asked).result = result

    def prolong(self, asked: dict[str, Any]) -> None:
        """Let one hook's time-out begin anew, as RecordLifecycleActionHeartbeat asks. Raises ValidationError."""
        wait = self._find(asked)
        longest = wait.begun_at + self._settings.seconds(float(wait.hook.global_timeout))
        wait.deadline = min(time.monotonic() + self._timeout(wait.hook), longest)

    def _timeout(self, hook: Any) -> float:
        return self._settings.seconds(float(hook.heartbeat_timeout))

    def _find(self, asked: dict[str, Any]) -> _Action:
        instance, token = asked.get("InstanceId"), asked.get("LifecycleActionToken")
        for instance_id, waits in self._waits.items():
            for wait in waits:
                named = wait.hook.name == asked["LifecycleHookName"] and wait.result is None
                group = wait.hook.auto_scaling_group_name == asked["AutoScalingGroupName"]
                if named and group and (wait.token == token if token else instance_id == instance):
                    return wait
        whom = f"token {token}" if token else f"instance ID {instance}"
        raise ValidationError(f"No active Lifecycle Action found with {whom}")


def use_hooks(hooks: Hooks) -> None:
    """Let moto's API end and prolong waits, and show hooks as they were asked for."""

    def create(backend: Any, name: str, as_name: str, transition: str, timeout: Any, result: Any) -> Any:
        if as_name not in backend.autoscaling_groups:
            raise ValidationError(f"AutoScalingGroup name not found - AutoScalingGroup '{as_name}' not found")
        hook = original(backend, name, as_name, transition, int(timeout) if timeout else None, result)
        hook.role_arn = hook.notification_target_arn = None
        hook.global_timeout = min(hook.heartbeat_timeout * _LONGEST_TIMEOUTS, _LONGEST_SECONDS)
        return hook

    def complete(response: Any) -> ActionResult:
        with LOCK:
            hooks.complete(response._get_params())
        return EmptyResult()

    def prolong(response: Any) -> ActionResult:
        with LOCK:
            hooks.prolong(response._get_params())
        return EmptyResult()

    original = replace(AutoScalingBackend, "create_lifecycle_hook", create)
    AutoScalingResponse.complete_lifecycle_action = complete
    AutoScalingResponse.record_lifecycle_action_heartbeat = prolong


def add_hooks(group: Any, asked: list[dict[str, Any]]) -> None:
    """The hooks that a group is created with."""
    for each in asked:
        group.autoscaling_backend.create_lifecycle_hook(
            each["LifecycleHookName"],
            group.name,
            each["LifecycleTransition"],
            each.get("HeartbeatTimeout"),
            each.get("DefaultResult"),
        )


def remove_hooks(group: Any) -> None:
    """The hooks go with their group."""
    for hook in group.autoscaling_backend.describe_lifecycle_hooks(group.name):
        group.autoscaling_backend.delete_lifecycle_hook(group.name, hook.name)
