# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stacks' events in few words: a story is a line per event, the oldest first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.aws.stack_events import NESTED_STACK, StackEvent

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)


def arn(stack: str) -> str:
    return f"arn:aws:cloudformation:eu-west-1:000000000000:stack/{stack}/5b1c8e60-0000-11f0-8000-0a0000000000"


def story(stack: str, text: str) -> list[StackEvent]:
    """Events, the oldest first.

    Each line of the text is ``SECOND NAME STATUS reason``; ``.`` as the name means the stack itself, and a name with
    ``>`` a nested stack, as in ``Network>shop-network``; nothing behind it: one whose id the event doesn't say.
    """
    return [_event(stack, *line.split(maxsplit=3)) for line in text.splitlines() if line.strip()]


def _event(stack: str, second: str, name: str, status: str, reason: str = "") -> StackEvent:
    name, is_nested, nested = name.partition(">")
    own = name == "."
    kind = NESTED_STACK if own or is_nested else "AWS::EC2::Thing"
    physical = arn(stack) if own else arn(nested) if nested else "" if is_nested else f"id-of-{name}"
    return StackEvent(
        id=f"{stack}-{name}-{second}-{status}",
        at=NOON + timedelta(seconds=int(second)),
        stack_id=arn(stack),
        name=stack if own else name,
        kind=kind,
        physical_id=physical,
        status=status,
        reason=reason,
    )


def reader(stories: Mapping[str, str]) -> Callable[[str], list[StackEvent]]:
    """Reads the events of these stacks, the newest first; those of others can't be read."""
    known = {arn(stack): story(stack, text)[::-1] for stack, text in stories.items()}

    def read(stack_id: str) -> list[StackEvent]:
        if stack_id not in known:
            raise AwsError(f"read the events of the stack {stack_id}", "AccessDenied")
        return known[stack_id]

    return read
