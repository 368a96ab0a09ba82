# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registration and health of targets: the lab's one source of truth about who may get requests.

Private to moto 5.2.5: ``FakeTargetGroup.register/deregister/health_for``, ``ELBv2Backend.describe_target_health`` and
``notify_terminate_instances``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from moto.elbv2 import elbv2_backends
from moto.elbv2.exceptions import TargetGroupNotFoundError
from moto.elbv2.models import ELBv2Backend, FakeHealthStatus, FakeTargetGroup

from lab.api.elbv2 import health
from lab.api.elbv2.probe import probe
from lab.api.moto_bridge import LOCK
from lab.api.patching import replace
from lab.api.settings import ACCOUNT, Settings
from lab.settings import REGION

DELAY = "deregistration_delay.timeout_seconds"


@dataclass
class Target:
    """One registration of a target with a target group."""

    id: str
    port: int
    checked: health.Checked = health.NEW
    next_check: float = 0.0
    checking: bool = False
    drained_at: float | None = None

    @property
    def draining(self) -> bool:
        return self.drained_at is not None


class Targets:
    """Every registration, by target group's ARN and target's id. Use it with moto's lock held."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._groups: dict[str, dict[str, Target]] = {}
        self._probes = ThreadPoolExecutor(max_workers=16, thread_name_prefix="probe")

    # --- registration

    def register(self, group: Any, target_id: str, port: int) -> None:
        """Register a target; one that drains or has another port begins anew, a registered one stays as it is."""
        targets = self._groups.setdefault(group.arn, {})
        known = targets.get(target_id)
        if known is None or known.draining or known.port != port:
            targets[target_id] = Target(target_id, port)

    def deregister(self, group: Any, target_id: str) -> None:
        """Let a target drain; a target that nothing can reach is gone at once."""
        target = self._groups.get(group.arn, {}).get(target_id)
        if target is None or target.draining:
            return
        delay = self._settings.seconds(float(group.attributes[DELAY]))
        target.drained_at = time.monotonic() + (delay if self.state(group, target).state != "unused" else 0)

    def of(self, group: Any) -> list[Target]:
        """A group's targets, draining ones included."""
        return list(self._groups.get(group.arn, {}).values())

    def find(self, group: Any, target_id: str) -> Target | None:
        return self._groups.get(group.arn, {}).get(target_id)

    # --- health

    def state(self, group: Any, target: Target) -> health.Health:
        """A target's health as AWS says it."""
        if target.draining:
            return health.DRAINING
        instance = group.ec2_backend.get_instance_by_id(target.id)
        if instance is not None and instance.state != "running":
            return health.invalid_state(instance.state)
        if not backend()._any_listener_using(group.arn):
            return health.NOT_IN_USE
        return target.checked.health

    def address(self, group: Any, target: Target) -> str:
        """The address of an instance, or the id of a target that is an address itself."""
        instance = group.ec2_backend.get_instance_by_id(target.id)
        return str(instance.private_ip) if instance else target.id

    # --- time

    def tick(self) -> None:
        """Forget what has drained, and begin the health checks that are due."""
        now = time.monotonic()
        alive = backend().target_groups
        self._groups = {arn: targets for arn, targets in self._groups.items() if arn in alive}
        for group, target in self._each():
            if target.drained_at is not None:
                if now >= target.drained_at:
                    del self._groups[group.arn][target.id]
                continue
            instance = group.ec2_backend.get_instance_by_id(target.id)
            if instance is not None and instance.state in ("shutting-down", "terminated"):
                self.deregister(group, target.id)
            elif not target.checking and now >= target.next_check:
                self._begin_check(group, target, now)

    def _each(self) -> Iterator[tuple[Any, Target]]:
        for arn, targets in list(self._groups.items()):
            for target in list(targets.values()):
                yield backend().target_groups[arn], target

    def _begin_check(self, group: Any, target: Target, now: float) -> None:
        state = self.state(group, target)
        target.next_check = now + self._settings.seconds(float(group.health_check_interval_seconds))
        if state.state == "unused":
            target.checked = health.NEW
            return
        target.checking = True
        port = target.port if group.health_check_port == "traffic-port" else int(group.health_check_port)
        thresholds = health.Thresholds(int(group.healthy_threshold_count), int(group.unhealthy_threshold_count))
        asked = (
            self.address(group, target),
            port,
            group.health_check_path or "/",
            group.matcher.get("HttpCode", "200"),
            float(group.health_check_timeout_seconds),
        )
        self._probes.submit(self._check, target, asked, thresholds)

    @staticmethod
    def _check(target: Target, asked: tuple[str, int, str, str, float], thresholds: health.Thresholds) -> None:
        outcome = probe(*asked)
        with LOCK:
            target.checked = health.after(target.checked, outcome, thresholds)
            target.checking = False

    def close(self) -> None:
        self._probes.shutdown(wait=False, cancel_futures=True)


def backend() -> Any:
    """moto's load balancing of the lab's region."""
    return elbv2_backends[ACCOUNT][REGION]


def use_targets(targets: Targets) -> None:
    """Let moto's target groups keep their registrations and health in ``targets``."""

    def register(group: Any, asked: list[dict[str, Any]]) -> None:
        for target in asked:
            port = int(target.get("Port") or group.port)
            targets.register(group, target["Id"], port)
            group.targets[target["Id"]] = {"Id": target["Id"], "Port": port}

    def deregister(group: Any, asked: list[dict[str, Any]]) -> None:
        for target in asked:
            targets.deregister(group, target["Id"])
            group.targets.pop(target["Id"], None)

    def status(group: Any, target_id: str, port: int, found: health.Health) -> Any:
        check_port = port if group.health_check_port == "traffic-port" else group.health_check_port
        return FakeHealthStatus(target_id, port, str(check_port), found.state, found.reason, found.description)

    def describe_target_health(elbv2: Any, arn: str, asked: list[dict[str, Any]]) -> list[Any]:
        group = elbv2.target_groups.get(arn)
        if group is None:
            raise TargetGroupNotFoundError
        if not asked:
            return [status(group, each.id, each.port, targets.state(group, each)) for each in targets.of(group)]
        answers = []
        for wanted in asked:
            known = targets.find(group, wanted["Id"])
            found = targets.state(group, known) if known else health.NOT_REGISTERED
            port = known.port if known else int(wanted.get("Port") or group.port)
            answers.append(status(group, wanted["Id"], port, found))
        return answers

    replace(FakeTargetGroup, "register", register)
    replace(FakeTargetGroup, "deregister", deregister)
    replace(ELBv2Backend, "describe_target_health", describe_target_health)
    # A terminated instance is deregistered by the next tick, which sees its state.
    replace(ELBv2Backend, "notify_terminate_instances", lambda _backend, _instance_ids: None)
