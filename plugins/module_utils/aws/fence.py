# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No write leaves a process that has lost its lease, or whose parent is gone."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import threading
import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import LeaseLost
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator

READS: t.Final = (
    "Describe",
    "Get",
    "List",
    "BatchGet",
    "TransactGet",
    "Query",
    "Scan",
    "Estimate",
    "Validate",
    "AssumeRole",
)
"""What the names of operations that change nothing begin with. What isn't known is a write: DetectStackDrift too."""

EVENTS: t.Final = frozenset({"Publish"})
"""Changes nothing of an env, so that it may be sent once the lock was given back; but not by one who lost it."""


class Fence:
    """Stops writes; reads pass always.

    Args:
        lease_end: gives the end of the lease in seconds of `clock.boottime`, None while none is held.
    """

    def __init__(self, lease_end: Callable[[], float | None]) -> None:
        self._lease_end = lease_end
        self._parent = _parent()
        self._own = _Own()

    def parent_is_gone(self) -> bool:
        """Whether the process that started this one has ended (Ansible's workers outlive a killed ansible-playbook)."""
        return os.getppid() != self._parent

    @contextlib.contextmanager
    def exempt(self, orphan: bool = False) -> Iterator[None]:
        """For this thread's calls inside, which are safe by a condition of their own: no lease is needed.

        Args:
            orphan: nor a parent.
        """
        before = self._own.lease, self._own.parent
        self._own.lease, self._own.parent = False, not orphan
        try:
            yield
        finally:
            self._own.lease, self._own.parent = before

    def check(self, operation: str) -> None:
        """Returns if the operation may be sent now.

        Args:
            operation: its name, as in ``CreateStack``.

        Raises:
            LeaseLost: it must not.
        """
        if operation.startswith(READS):
            return
        if self._own.parent and self.parent_is_gone():
            raise LeaseLost(f"the process that started this one (pid {self._parent}) is gone", operation)
        if not self._own.lease:
            return
        end = self._lease_end()
        if end is None:
            if operation not in EVENTS:
                raise LeaseLost("this run does not hold the deployment lock", operation)
        elif (late := clock.boottime() - end) >= 0:
            why = (
                f"the deployment lock's lease ran out {late:.1f} s ago, since this process stood still or had no answer"
            )
            raise LeaseLost(why, operation)


def _parent() -> int:
    """Who started this process. A worker of Ansible's knows it from its fork on: its parent may be gone by now."""
    started_by = multiprocessing.parent_process()
    return (started_by.pid if started_by else None) or os.getppid()


class _Own(threading.local):
    """What is checked in this thread."""

    lease = True
    parent = True
