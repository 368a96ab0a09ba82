# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nested stacks: the event of the stack above names them, and why they failed.

Private to ministack 1.5.33: ``provisioners._RESOURCE_HANDLERS``, a stack's ``_parent_stack_name``.
"""

from __future__ import annotations

from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import provisioners, stacks

from lab.api.cloudformation.events import Events
from lab.api.cloudformation.interruption import HANDLED, HalfMade
from lab.api.patching import replace

_TYPE = "AWS::CloudFormation::Stack"


def use_nested_stacks(events: Events) -> None:
    """Put the lab around ministack's nested stacks."""
    handlers = provisioners._RESOURCE_HANDLERS[_TYPE]
    original_create, original_update = handlers["create"], handlers["update"]

    def add(stack_id: str, stack_name: str, logical_id: str, kind: str, status: str, *more: Any, **named: Any) -> None:
        below(stack_id, stack_name, logical_id, kind, status, *more, **named)
        above, handled = cloudformation._stacks[stack_name].get("_parent_stack_name"), HANDLED.get()
        if above and handled and handled[0] == above and logical_id == stack_name and status == "CREATE_IN_PROGRESS":
            events.initiated(*handled, stack_id)

    def create(logical_id: str, properties: Any, above: str) -> Any:
        before = set(cloudformation._stacks)
        try:
            return original_create(logical_id, properties, above)
        except Exception:
            made = [cloudformation._stacks[name] for name in cloudformation._stacks if name not in before]
            child = next((stack for stack in made if stack.get("_parent_stack_name") == above), None)
            if child is None:
                raise
            reason = _failed(events, child, "create", "CREATE_FAILED")
            text = f"Embedded stack {child['StackId']} was not successfully created: {reason}"
            raise HalfMade(text, child["StackId"], {}) from None

    def update(physical_id: str, old: Any, new: Any, above: str) -> Any:
        try:
            return original_update(physical_id, old, new, above)
        except Exception:
            child = next((each for each in cloudformation._stacks.values() if each["StackId"] == physical_id), None)
            if child is None or child["StackStatus"] != "UPDATE_FAILED":
                raise
            reason = _failed(events, child, "update", "UPDATE_FAILED")
            raise ValueError(
                f"Embedded stack {physical_id} was not successfully updated. "
                f"Currently in {child['StackStatus']} with reason: {reason}"
            ) from None

    below = replace(stacks, "_add_event", add)
    handlers["create"], handlers["update"] = create, update


def _failed(events: Events, child: Any, verb: str, status: str) -> str:
    """Say in the nested stack's own events that it has failed; returns the reason."""
    found = [
        event["LogicalResourceId"]
        for event in cloudformation._stack_events[child["StackId"]]
        if event["ResourceStatus"].endswith("_FAILED")
    ]
    reason = f"The following resource(s) failed to {verb}: [{', '.join(dict.fromkeys(found))}]. "
    child["StackStatusReason"] = reason
    events.of_stack(child, status, reason)
    return reason
