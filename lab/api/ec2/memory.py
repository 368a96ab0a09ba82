# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which instances the API knows: found by their id at once, and forgotten about an hour after they were terminated.

moto keeps them for ever and looks through copies of all of them, so that a lab that launched thousands became slow.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/how-ec2-instance-termination-works.html

Private to moto 5.2.5: ``InstanceBackend.get_instance_by_id``, ``reservations`` and ``tags``.
"""

from __future__ import annotations

import time
from typing import Any

from moto.ec2.models.instances import InstanceBackend

from lab.api.ec2.instances import TERMINATED
from lab.api.patching import replace

KEPT_SECONDS = 3600.0
"""Of AWS's time."""


class Memory:
    """The instances that are remembered.

    Args:
        kept: for so many seconds after their termination.
    """

    def __init__(self, kept: float) -> None:
        self._kept = kept
        self._by_id: dict[str, Any] = {}
        self._over: dict[str, float] = {}

    def find(self, backend: Any, instance_id: str) -> Any:
        """An instance; None where there is none."""
        if instance_id not in self._by_id:
            self._by_id = {one.id: one for known in backend.reservations.values() for one in known.instances}
        return self._by_id.get(instance_id)

    def tick(self, backend: Any) -> None:
        """Forget those that have been terminated for long enough. A reservation goes as a whole."""
        now = time.monotonic()
        for name, reservation in list(backend.reservations.items()):
            if any(one.state_code != TERMINATED for one in reservation.instances):
                continue
            if now - self._over.setdefault(name, now) < self._kept:
                continue
            del backend.reservations[name], self._over[name]
            for one in reservation.instances:
                self._by_id.pop(one.id, None)
                backend.tags.pop(one.id, None)


def use_memory(memory: Memory) -> None:
    """Let moto's look-ups of an instance by its id go there."""

    def get_instance_by_id(backend: Any, instance_id: str) -> Any:
        return memory.find(backend, instance_id)

    replace(InstanceBackend, "get_instance_by_id", get_instance_by_id)
