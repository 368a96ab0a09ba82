# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be asked of a stack in which state, and that a request with the same token is the same request.

Private to ministack 1.5.33: ``handlers._ACTION_HANDLERS`` and ``_resolve_stack``, ``helpers._error``, ``_p`` and
``_xml``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import handlers, helpers

from lab.api.cloudformation.interruption import DELETE_REQUESTED

Parameters = dict[str, Any]
Handler = Callable[[Parameters], Any]

_MAY_BE_UPDATED = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE")
_WITH_TOKEN = ("CreateStack", "UpdateStack", "CancelUpdateStack", "ContinueUpdateRollback", "ExecuteChangeSet")
_ANSWERS = "_lab_answers"


def use_operations() -> None:
    """Put AWS's refusals before ministack's operations."""
    actions: dict[str, Handler] = cloudformation._ACTION_HANDLERS
    for name in ("UpdateStack", "CreateChangeSet", "ExecuteChangeSet"):
        actions[name] = _unless_busy(name, actions[name])
    actions["CreateStack"] = _unless_there(actions["CreateStack"])
    actions["DeleteStack"] = _deleting(actions["DeleteStack"])
    for name in _WITH_TOKEN:
        actions[name] = _once(name, actions[name])


def _unless_busy(action: str, handler: Handler) -> Handler:
    def handle(parameters: Parameters) -> Any:
        stack = _find(parameters)
        status = stack["StackStatus"] if stack else "DELETE_COMPLETE"
        free = (*_MAY_BE_UPDATED, "DELETE_COMPLETE", *(() if action == "UpdateStack" else ("REVIEW_IN_PROGRESS",)))
        if stack and status not in free:
            return helpers._error(
                "ValidationError", f"Stack:{stack['StackId']} is in {status} state and can not be updated."
            )
        return handler(parameters)

    return handle


def _unless_there(handler: Handler) -> Handler:
    """A stack that was rolled back must be deleted before another one can have its name."""

    def handle(parameters: Parameters) -> Any:
        stack = _find(parameters)
        if stack and stack["StackStatus"] == "ROLLBACK_COMPLETE":
            return helpers._error("AlreadyExistsException", f"Stack [{stack['StackName']}] already exists")
        return handler(parameters)

    return handle


def _deleting(handler: Handler) -> Handler:
    def handle(parameters: Parameters) -> Any:
        stack = _find(parameters)
        status = stack["StackStatus"] if stack else ""
        if stack and status.startswith("UPDATE_") and status.endswith("_IN_PROGRESS"):
            return helpers._error(
                "ValidationError", f"Stack [{stack['StackId']}] cannot be deleted while in status {status}"
            )
        if not stack or not status.endswith("_IN_PROGRESS") or status == "REVIEW_IN_PROGRESS":
            return handler(parameters)
        if status == "DELETE_IN_PROGRESS":
            return helpers._xml(200, "DeleteStackResponse", "")
        if stack.get("EnableTerminationProtection"):
            return handler(parameters)
        # Its creation stops before the next resource; then it is deleted.
        stack[DELETE_REQUESTED] = True
        stack["StackStatus"] = "DELETE_IN_PROGRESS"
        return helpers._xml(200, "DeleteStackResponse", "")

    return handle


def _once(action: str, handler: Handler) -> Handler:
    """A request with the token of the stack's last one is that request, sent again: it gets the same answer."""

    def handle(parameters: Parameters) -> Any:
        token = helpers._p(parameters, "ClientRequestToken")
        stack = _find(parameters)
        if token and stack and stack["StackStatus"] != "DELETE_COMPLETE":
            known, answer = stack.get(_ANSWERS, {}).get(action, ("", None))
            if known == token:
                return answer
        answer = handler(parameters)
        stack = _find(parameters)
        if token and stack and answer[0] == 200:
            stack.setdefault(_ANSWERS, {})[action] = (token, answer)
        return answer

    return handle


def _find(parameters: Parameters) -> dict[str, Any] | None:
    found: dict[str, Any] | None = handlers._resolve_stack(helpers._p(parameters, "StackName"))
    return found
