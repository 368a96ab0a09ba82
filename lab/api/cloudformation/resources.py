# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stack's resources on their way: interrupted by a cancelled operation, slowed or failed by a test.

Private to ministack 1.5.33: ``_provision_resource``, ``_update_resource`` and ``_delete_resource`` of
``provisioners``, and the names under which ``stacks`` has imported them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import TimeoutError as NotYet
from contextlib import contextmanager
from typing import Any

from ministack.core.responses import now_iso
from ministack.services import cloudformation
from ministack.services.cloudformation import provisioners, stacks

from lab.api.cloudformation.events import Events
from lab.api.cloudformation.interruption import HALF_MADE, HANDLED, HalfMade, Interrupted, cancelled, go_on
from lab.api.faults.registry import Fault, Faults
from lab.api.patching import replace

_LOOK_AGAIN_SECONDS = 0.05


class ToldToFail(Exception):
    """A test wants the resource to fail."""


def use_resources(faults: Faults, events: Events) -> None:
    """Put the lab between ministack's engine and its resources."""

    def provision(kind: str, logical_id: str, properties: Any, stack_name: str) -> Any:
        def make() -> Any:
            return original_provision(kind, logical_id, properties, stack_name)

        # An update of a type that can't be updated comes here from within itself.
        if HANDLED.get() == (stack_name, logical_id):
            return make()
        with _handling(stack_name, logical_id):
            try:
                events.begun(stack_name, logical_id, "CREATE")
                return _run(faults, "create", make)
            except HalfMade as error:
                _keep(stack_name, logical_id, kind, properties, error)
                raise

    def update(kind: str, physical_id: str, old: Any, new: Any, stack_name: str, *more: Any) -> Any:
        logical_id = more[0] if more else physical_id

        def change() -> Any:
            return original_update(kind, physical_id, old, new, stack_name, *more)

        if old == new:
            return change()
        with _handling(stack_name, logical_id):
            events.begun(stack_name, logical_id, "UPDATE", physical_id)
            changed = _run(faults, "update", change)
            if not _rolls_back(stack_name) and cancelled(cloudformation._stacks[stack_name]):
                raise Interrupted("Resource update cancelled")
            return changed

    def delete(
        kind: str, physical_id: str, properties: Any, stack_name: str | None = None, logical_id: str | None = None
    ) -> None:
        def remove() -> None:
            original_delete(kind, physical_id, properties, stack_name, logical_id)

        if stack_name is None or logical_id is None:
            remove()
            return
        with _handling(stack_name, logical_id):
            _run(faults, "delete", remove)

    original_provision = _replace("_provision_resource", provision)
    original_update = _replace("_update_resource", update)
    original_delete = _replace("_delete_resource", delete)


def _replace(name: str, replacement: Callable[..., Any]) -> Any:
    replace(stacks, name, replacement)
    return replace(provisioners, name, replacement)


@contextmanager
def _handling(stack_name: str, logical_id: str) -> Iterator[None]:
    token = HANDLED.set((stack_name, logical_id))
    try:
        yield
    finally:
        HANDLED.reset(token)


def _run(faults: Faults, action: str, work: Callable[[], Any]) -> Any:
    """Do the work on the resource that is handled, with the fault that it meets."""
    handled = HANDLED.get()
    assert handled
    stack_name, logical_id = handled
    if _rolls_back(stack_name):
        action = "rollback"
    stops = action in ("create", "update")
    if stops:
        go_on()
    fault = faults.of_resource(stack_name, logical_id, action)
    if fault and not fault.after:
        _meet(fault, stops)
    done = work()
    if fault and fault.after:
        try:
            _meet(fault, stops)
        except (ToldToFail, Interrupted) as error:
            if action == "create":
                raise HalfMade(str(error), *done) from None
            raise
    return done


def _meet(fault: Fault, stops: bool) -> None:
    if fault.effect == "fail_resource":
        raise ToldToFail(fault.error)
    deadline = None if fault.seconds is None else time.monotonic() + fault.seconds
    with fault.held():
        while deadline is None or time.monotonic() < deadline:
            if stops:
                go_on()
            try:
                fault.released.result(_LOOK_AGAIN_SECONDS)
            except NotYet:
                continue
            return


def _rolls_back(stack_name: str) -> bool:
    """Whether the stack, or the one that it is nested in, goes back."""
    stack = cloudformation._stacks.get(stack_name)
    while stack:
        if "ROLLBACK" in stack["StackStatus"]:
            return True
        stack = cloudformation._stacks.get(stack.get("_parent_stack_name", ""))
    return False


def _keep(stack_name: str, logical_id: str, kind: str, properties: Any, error: HalfMade) -> None:
    """Let the stack know a resource that exists although its creation has failed, so that it can be removed."""
    stack = cloudformation._stacks[stack_name]
    stack.setdefault(HALF_MADE, []).append(logical_id)
    stack["_resources"][logical_id] = {
        "PhysicalResourceId": error.physical_id,
        "ResourceType": kind,
        "ResourceStatus": "CREATE_FAILED",
        "ResourceStatusReason": str(error),
        "LogicalResourceId": logical_id,
        "Properties": properties,
        "Attributes": error.attributes,
        "Timestamp": now_iso(),
    }
