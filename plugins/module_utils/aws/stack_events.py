# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a stack tells of its operation: events as they come, the cause of a failure, what a rollback is stuck on.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackEvents.html
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError, aws_call, one_line

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from mypy_boto3_cloudformation.type_defs import StackEventTypeDef

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients

NESTED_STACK: t.Final = "AWS::CloudFormation::Stack"

BEGINNINGS: t.Final = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS")
"""A stack's own statuses that an operation begins with; a rollback is a part of the operation that it undoes."""

_CANCELLED: t.Final = re.compile(r"resource \w+ cancell?ed\.?", re.IGNORECASE)
_STACK_ARN: t.Final = re.compile(r"arn:[a-z-]+:cloudformation:[^:\s]+:[^:\s]*:stack/[\w-]+/[\w-]+")
_NAMED: t.Final = re.compile(r"\[([^\]]*)\]")

NO_CAUSE: t.Final = "no failed resource is named in its events"


@dataclass(frozen=True)
class StackEvent:
    """Something that happened to a stack or to one of its resources."""

    id: str
    at: datetime
    stack_id: str
    name: str
    """The resource's logical id; the stack's name where it happened to the stack itself."""
    kind: str
    """The resource's type, as in ``AWS::AutoScaling::AutoScalingGroup``."""
    physical_id: str
    status: str
    reason: str

    @property
    def of_stack(self) -> bool:
        """Whether it happened to the stack itself."""
        return self.physical_id == self.stack_id

    @property
    def stack(self) -> str:
        """The name of the stack."""
        return self.stack_id.rpartition(":stack/")[2].partition("/")[0]

    @property
    def failed(self) -> bool:
        return self.status.endswith("_FAILED")

    @property
    def cancelled(self) -> bool:
        """Whether it was stopped only since something else had failed."""
        return self.failed and bool(_CANCELLED.fullmatch(self.reason))

    @property
    def begins(self) -> bool:
        """Whether an operation of the stack began with it."""
        return self.of_stack and self.status in BEGINNINGS


def line(event: StackEvent) -> str:
    """The event for a person, who knows which stack it is about. AWS gives reasons for much that goes well; only a
    failure's is shown."""
    said = event.status if event.of_stack else f"{event.name} {event.status}"
    return f"{said}: {event.reason}" if event.failed and event.reason and not event.cancelled else said


def current_operation(newest_first: Iterable[StackEvent]) -> list[StackEvent]:
    """The events of the newest operation, the oldest first. No more events are taken than that needs."""
    found: list[StackEvent] = []
    for event in newest_first:
        found.append(event)
        if event.begins:
            break
    return found[::-1]


def find_cause(read: Callable[[str], Iterable[StackEvent]], stack_id: str, until: datetime | None = None) -> str:
    """Why a stack's newest operation failed: the first failed resource and AWS's words for it, down to the nested
    stack that it lies in. What was cancelled since then is a consequence.

    Args:
        read: gives a stack's events by its id, the newest first.
        stack_id: whose.
        until: what happened later is left out.

    Raises:
        AwsError: the events can't be read; where only a nested stack's can't, its parent's words stand in.
    """
    events = current_operation(event for event in read(stack_id) if until is None or event.at <= until)
    first = next((e for e in events if e.failed and not e.of_stack and not e.cancelled), None)
    if first is None:
        return next((f"the stack itself: {e.reason}" for e in events if e.of_stack and e.failed and e.reason), NO_CAUSE)
    nested = _nested_stack(first)
    # The nested stack is rolled back or deleted by its parent after that; so the look at it ends there.
    deeper = _nested_cause(read, nested, first.at) if nested else NO_CAUSE
    if deeper != NO_CAUSE:
        return f"{first.name}, {deeper}"
    return f"{first.name} ({first.kind}): {first.reason or 'AWS gives no reason'}"


def _nested_cause(read: Callable[[str], Iterable[StackEvent]], stack_id: str, until: datetime) -> str:
    try:
        return find_cause(read, stack_id, until)
    except AwsError:
        return NO_CAUSE


def _nested_stack(event: StackEvent) -> str:
    """The id of the nested stack that an event is about, empty where it is about none that exists."""
    if event.kind != NESTED_STACK:
        return ""
    found = _STACK_ARN.search(event.physical_id) or _STACK_ARN.search(event.reason)
    return found[0] if found and found[0] != event.stack_id else ""


def stuck_resources(events: Iterable[StackEvent]) -> tuple[str, ...]:
    """The logical ids that the message of an UPDATE_ROLLBACK_FAILED names, and that ContinueUpdateRollback may skip.

    Args:
        events: of the current operation, the oldest first.

    Returns:
        Nothing where the stack is not in that state.
    """
    own = [event for event in events if event.of_stack]
    if not own or own[-1].status != "UPDATE_ROLLBACK_FAILED":
        return ()
    named = _NAMED.search(own[-1].reason)
    return tuple(name.strip() for name in named[1].split(",") if name.strip()) if named else ()


class StackFollower:
    """A stack's events, each told once.

    Args:
        clients: the way to AWS.
        stack_id: the stack's id; a name would mean another stack once this one is deleted and made again.
    """

    def __init__(self, clients: Clients, stack_id: str) -> None:
        self._clients = clients
        self._stack_id = stack_id
        self._told: set[str] = set()
        self.status = ""
        """The stack's own status as the newest event of its own shows it; empty before the first look."""

    def news(self) -> list[StackEvent]:
        """The events since the last look, the oldest first; at the first look those of the current operation. One
        call, as long as less than a page of events came since then.

        Raises:
            AwsError: the events can't be read; the next look makes up for it.
        """
        new: list[StackEvent] = []
        for event in read_events(self._clients, self._stack_id):
            if event.id in self._told:
                break
            new.append(event)
            if not self._told and event.begins:
                break
        new.reverse()
        self._told.update(event.id for event in new)
        self.status = next((event.status for event in reversed(new) if event.of_stack), self.status)
        return new


def operation_events(clients: Clients, stack_id: str) -> list[StackEvent]:
    """The events of a stack's newest operation, the oldest first."""
    return current_operation(read_events(clients, stack_id))


def cause_of(clients: Clients, stack_id: str) -> str:
    """Why a stack's newest operation failed; see `find_cause`."""
    return find_cause(lambda each: read_events(clients, each), stack_id)


def read_events(clients: Clients, stack_id: str) -> Iterator[StackEvent]:
    """A stack's events, the newest first; a page is fetched when the one before is used up."""
    token = ""
    while True:
        page, token = _page(clients, stack_id, token)
        yield from (_event(each) for each in page)
        if not token:
            return


@aws_call("read the events of the stack {}")
def _page(clients: Clients, stack_id: str, token: str) -> tuple[list[StackEventTypeDef], str]:
    more: t.Any = {"NextToken": token} if token else {}
    answer = clients.cloudformation.describe_stack_events(StackName=stack_id, **more)
    return answer["StackEvents"], answer.get("NextToken", "")


def _event(each: StackEventTypeDef) -> StackEvent:
    return StackEvent(
        id=each["EventId"],
        at=each["Timestamp"],
        stack_id=each["StackId"],
        name=each.get("LogicalResourceId", "?"),
        kind=each.get("ResourceType", "?"),
        physical_id=each.get("PhysicalResourceId", ""),
        status=each.get("ResourceStatus", ""),
        reason=one_line(each.get("ResourceStatusReason", "")),
    )
