# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What traffic met and what groups wanted, at every moment: each change of it is kept, in order.

``GET /_lab/journal?since=N``
    ``{"last": N, "entries": [...]}``. Each entry has ``number``, ``time`` (seconds since the epoch) and ``kind``. A
    ``listener``'s has its ARN as ``name``, and by target group's ARN ``weights`` and ``healthy`` (counts); a
    ``group``'s has ``min``, ``desired``, ``max`` and ``suspended`` (processes). ``gone`` is true where it is no longer
    there.

It is looked at with each step of the lab and right after each call that changes a listener or a group, so that nothing
between two steps is missed.

Private to moto 5.2.5: ``ELBv2Backend.modify_listener``, ``FakeAutoScalingGroup.update`` and
``AutoScalingBackend.delete_auto_scaling_group``.
"""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup
from moto.elbv2.models import ELBv2Backend

from lab.api.autoscaling.groups import groups
from lab.api.elbv2.actions import shares
from lab.api.elbv2.targets import Targets, backend
from lab.api.moto_bridge import LOCK
from lab.api.patching import replace

_KEPT = 50_000
_GONE = {"gone": True}

State = dict[str, Any]
Key = tuple[str, str]


class Journal:
    """Keeps the last changes. Numbers are never used twice, so that ``since`` stays true."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets
        self._last = 0
        self._known: dict[Key, State] = {}
        self._entries: deque[State] = deque(maxlen=_KEPT)

    def look(self) -> None:
        """Note what has changed."""
        with LOCK:
            now = self._listeners() | self._groups()
            for key, state in now.items():
                if self._known.get(key) != state:
                    self._note(key, state)
            for key in self._known.keys() - now.keys():
                self._note(key, _GONE)
            self._known = now

    def shown(self, since: int) -> dict[str, Any]:
        """The entries with a higher number than ``since``, and the last one's number."""
        with LOCK:
            return {"last": self._last, "entries": [entry for entry in self._entries if entry["number"] > since]}

    def _note(self, key: Key, state: State) -> None:
        self._last += 1
        kind, name = key
        self._entries.append({"number": self._last, "time": time.time(), "kind": kind, "name": name, **state})

    def _listeners(self) -> dict[Key, State]:
        found: dict[Key, State] = {}
        for balancer in backend().load_balancers.values():
            for listener in balancer.listeners.values():
                weights = {share.group: share.weight for action in listener.default_actions for share in shares(action)}
                healthy = {arn: self._healthy(arn) for arn in weights}
                found["listener", listener.arn] = {"weights": weights, "healthy": healthy}
        return found

    def _healthy(self, arn: str) -> int:
        group = backend().target_groups.get(arn)
        targets = self._targets.of(group) if group else []
        return sum(self._targets.state(group, target).state == "healthy" for target in targets)

    @staticmethod
    def _groups() -> dict[Key, State]:
        return {
            ("group", group.name): {
                "min": group.min_size,
                "desired": group.desired_capacity,
                "max": group.max_size,
                "suspended": sorted(group._suspended_processes),
            }
            for group in groups()
        }


def use_journal(journal: Journal) -> None:
    """Let the journal look right after each change. Call it after everything else that changes these methods."""
    for owner, name in (
        (ELBv2Backend, "modify_listener"),
        (FakeAutoScalingGroup, "update"),
        (AutoScalingBackend, "delete_auto_scaling_group"),
    ):
        _look_after(journal, owner, name)


def _look_after(journal: Journal, owner: type, name: str) -> None:
    def call(*arguments: Any, **named: Any) -> Any:
        answer = original(*arguments, **named)
        journal.look()
        return answer

    original = replace(owner, name, call)
