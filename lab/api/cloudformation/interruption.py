# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a stack's operation still goes on, and what is left of a resource where it doesn't."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from ministack.services import cloudformation

#: A stack's marks: it is to be deleted as soon as its creation has stopped; resources that exist but have failed.
DELETE_REQUESTED, HALF_MADE = "_lab_delete_requested", "_lab_half_made"
#: Name of the stack and logical id of the resource that is worked on.
HANDLED: ContextVar[tuple[str, str] | None] = ContextVar("HANDLED", default=None)


class Interrupted(Exception):
    """The operation that the resource belongs to was cancelled."""


class HalfMade(Exception):
    """A resource exists, but its creation has failed.

    Attributes:
        physical_id: by which it can be deleted.
        attributes: for ``Fn::GetAtt``.
    """

    def __init__(self, reason: str, physical_id: str, attributes: dict[str, str]) -> None:
        super().__init__(reason)
        self.physical_id = physical_id
        self.attributes = attributes


def cancelled(stack: Any) -> bool:
    """Whether CancelUpdateStack was called for the update that is under way."""
    return bool(stack.get("_cancel_requested"))


def go_on() -> None:
    """Let the resource that is worked on be worked on.

    Raises:
        Interrupted: its stack, or one above it, was cancelled or is to be deleted.
    """
    handled = HANDLED.get()
    stack = cloudformation._stacks.get(handled[0]) if handled else None
    while stack:
        if stack["StackStatus"] == "UPDATE_IN_PROGRESS" and cancelled(stack):
            raise Interrupted("Resource update cancelled")
        if stack.get(DELETE_REQUESTED):
            raise Interrupted("Resource creation cancelled")
        stack = cloudformation._stacks.get(stack.get("_parent_stack_name", ""))
