# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stack events as AWS has them: none for what an update leaves alone, CREATE for what it adds.

Private to ministack 1.5.33: ``stacks._add_event``, which says UPDATE_IN_PROGRESS and UPDATE_COMPLETE of every
resource of an updated stack.
"""

from __future__ import annotations

from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import stacks

from lab.api.patching import replace

_STACK = "AWS::CloudFormation::Stack"
_BEGINS, _ENDS = "UPDATE_IN_PROGRESS", ("UPDATE_COMPLETE", "UPDATE_FAILED")


class Events:
    """Holds an update's first event of a resource back until something is done to it."""

    def __init__(self) -> None:
        #: By stack's and resource's name: its type, and what is done to it ("" while that is nothing).
        self._held: dict[tuple[str, str], tuple[str, str]] = {}
        self._add: Any = None

    def use(self) -> None:
        """Put this between ministack's engine and its table of events."""

        def add(
            stack_id: str, stack_name: str, logical_id: str, kind: str, status: str, reason: str = "",
            physical_id: str = "", detailed_status: str = "",
        ) -> None:  # fmt: skip
            key = (stack_name, logical_id)
            if status == _BEGINS and not reason and not physical_id and logical_id != stack_name:
                self._held[key] = (kind, "")
                return
            if status in _ENDS and key in self._held:
                _, done = self._held.pop(key)
                if not done and status == "UPDATE_COMPLETE":
                    return
                if not done:
                    self._add(stack_id, stack_name, logical_id, kind, _BEGINS)
                status = f"{done or 'UPDATE'}_{status.rsplit('_', 1)[1]}"
            if not physical_id:
                physical_id = _physical_id(stack_name, logical_id)
            self._add(stack_id, stack_name, logical_id, kind, status, reason, physical_id, detailed_status)

        self._add = replace(stacks, "_add_event", add)

    def begun(self, stack_name: str, logical_id: str, action: str, physical_id: str = "") -> None:
        """Something is done to a resource: ``action`` is CREATE or UPDATE."""
        key = (stack_name, logical_id)
        if key in self._held:
            kind, _ = self._held[key]
            self._held[key] = (kind, action)
            stack_id = cloudformation._stacks[stack_name]["StackId"]
            self._add(stack_id, stack_name, logical_id, kind, f"{action}_IN_PROGRESS", "", physical_id)

    def of_stack(self, stack: Any, status: str, reason: str = "") -> None:
        """An event of a stack itself."""
        self._add(stack["StackId"], stack["StackName"], stack["StackName"], _STACK, status, reason, stack["StackId"])

    def initiated(self, stack_name: str, logical_id: str, physical_id: str) -> None:
        """The event that names a new nested stack, so that its own events can be read while it is made."""
        stack_id = cloudformation._stacks[stack_name]["StackId"]
        reason = "Resource creation Initiated"
        self._add(stack_id, stack_name, logical_id, _STACK, "CREATE_IN_PROGRESS", reason, physical_id)


def _physical_id(stack_name: str, logical_id: str) -> str:
    known = cloudformation._stacks.get(stack_name, {}).get("_resources", {}).get(logical_id, {})
    return str(known.get("PhysicalResourceId", ""))
