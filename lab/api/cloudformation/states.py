# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The states of a stack as AWS has them, where ministack's engine takes a shorter way.

What an operation goes through: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html.
Private to ministack 1.5.33: ``stacks._deploy_stack_async``, ``_roll_back_operation``, ``_delete_stack_async``,
``_resolve_stack_outputs``, ``_sends_back_failed_update``, ``_runs_on_worker_thread``, and the names under which
``handlers`` and ``changesets`` have imported them; a stack's ``_cancel_requested`` and ``_cancel_token``.
"""

from __future__ import annotations

from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import changesets, handlers, provisioners, stacks

from lab.api.cloudformation import nested, operations
from lab.api.cloudformation.events import Events
from lab.api.cloudformation.interruption import DELETE_REQUESTED, HALF_MADE, cancelled
from lab.api.cloudformation.resources import use_resources
from lab.api.faults.registry import Faults
from lab.api.patching import replace


def use_states(faults: Faults) -> None:
    """Let stacks take AWS's states, and their resources meet their faults; call after the types are provided."""
    events = Events()
    events.use()
    use_resources(faults, events)
    nested.use_nested_stacks(events)
    operations.use_operations()
    _use_deployments()
    _use_cleanup(events)
    _use_threads(faults)
    _use_reverts()


def _use_deployments() -> None:
    async def deploy(stack_name: str, stack_id: str, *arguments: Any, **named: Any) -> None:
        await original(stack_name, stack_id, *arguments, **named)
        if cloudformation._stacks[stack_name].pop(DELETE_REQUESTED, False):
            await stacks._delete_stack_async(stack_name, stack_id)

    async def roll_back(stack_name: str, stack_id: str, stack: Any, operation: Any, reason_override: str = "") -> None:
        # What exists although its creation failed is removed like what was created.
        operation["created"] += [each for each in stack.pop(HALF_MADE, []) if each not in operation["created"]]
        if cancelled(stack):
            operation["cancelled"] = True
            stack.pop("_cancel_requested")
            stacks.CLIENT_REQUEST_TOKEN.set(stack.pop("_cancel_token", ""))
        if not stack.get(DELETE_REQUESTED):
            await original_roll_back(stack_name, stack_id, stack, operation, reason_override)

    original = replace(stacks, "_deploy_stack_async", deploy)
    original_roll_back = replace(stacks, "_roll_back_operation", roll_back)
    replace(handlers, "_deploy_stack_async", deploy)
    replace(changesets, "_deploy_stack_async", deploy)
    replace(handlers, "_roll_back_operation", roll_back)


def _use_cleanup(events: Events) -> None:
    """Once its resources are updated, a stack removes what is no longer wanted, and can't be cancelled any more."""

    def resolve(*arguments: Any) -> Any:
        *_, stack_name, _stack_id = arguments
        stack = cloudformation._stacks[stack_name]
        if cancelled(stack):
            raise ValueError("User Initiated")
        resolved = original(*arguments)
        if stack["StackStatus"] == "UPDATE_IN_PROGRESS":
            stack["StackStatus"] = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
            events.of_stack(stack, stack["StackStatus"])
        return resolved

    original = replace(stacks, "_resolve_stack_outputs", resolve)


def _use_threads(faults: Faults) -> None:
    """A resource that may be made slow waits off the event loop."""
    own_choice = stacks._runs_on_worker_thread
    stacks._runs_on_worker_thread = lambda name: faults.any_of_resources or own_choice(name)


def _use_reverts() -> None:
    """The resource whose update failed is sent back too: it may have changed before it failed."""
    own_choice = stacks._sends_back_failed_update
    known = provisioners._RESOURCE_HANDLERS
    stacks._sends_back_failed_update = lambda name: "update" in known.get(name, {}) or own_choice(name)
