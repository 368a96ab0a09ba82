# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A deployment's changes of phase, as messages on the edge's topic; docs/reference/events.md has their schema."""

from __future__ import annotations

import enum
import json
import typing as t
from dataclasses import dataclass
from datetime import UTC

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.aws.sns import publish_message
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.words import plain

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import Colour
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import Result

SCHEMA: t.Final = 1
"""Grows when a field changes its meaning or goes; a new field leaves it as it is."""

LONGEST_REASON: t.Final = 500
LONGEST_SUBJECT: t.Final = 100  # https://docs.aws.amazon.com/sns/latest/api/API_Publish.html


class Phase(enum.StrEnum):
    """What has just come true of a deployment."""

    STARTED = "started"
    READY = "ready"
    """The new colour is healthy."""
    SHIFTED = "shifted"
    TURNING_BACK = "turning_back"
    ENDED = "ended"


@dataclass(frozen=True)
class Event:
    """One change of phase."""

    app: str
    env: str
    deployment: str
    phase: Phase
    release: str
    previous_release: str
    """Empty for an env's first deployment."""
    colour: Colour
    """Where the release goes."""
    weights: Mapping[Colour, int]
    """What the listener does now."""
    by: str
    at: datetime
    url: str
    """The load balancer's."""
    reason: str = ""
    """Only its first line is sent: what a server wrote to its log stays out of messages."""
    result: Result | None = None
    """Only with `Phase.ENDED`."""


def to_message(event: Event) -> str:
    """The event as JSON text."""
    reason = plain(event.reason.splitlines()[0]) if event.reason else ""
    return json.dumps(
        {
            "schema": SCHEMA,
            "app": event.app,
            "env": event.env,
            "deployment": event.deployment,
            "phase": event.phase.value,
            "release": event.release,
            "previous_release": event.previous_release or None,
            "colour": event.colour.value,
            "weights": {colour.value: weight for colour, weight in sorted(event.weights.items())},
            "result": event.result.value if event.result else None,
            "reason": reason[:LONGEST_REASON],
            "by": event.by,
            "at": event.at.astimezone(UTC).isoformat(timespec="seconds"),
            "url": event.url,
        }
    )


def to_subject(event: Event) -> str:
    """What a mail about the event has as its subject: ASCII, one line."""
    text = f"{event.app} {event.env}: {event.result or event.phase} {event.release}"
    return plain(text).encode("ascii", "replace").decode("ascii")[:LONGEST_SUBJECT]


def publish(clients: Clients, topic: str, event: Event, warn: Callable[[str], None]) -> None:
    """Sends the event to the edge's topic. One that can't be sent is a warning: nobody's deployment ends for it.

    Args:
        clients: the way to AWS.
        topic: the topic's ARN; empty where the edge has none yet.
        event: what to say.
        warn: is called with one line when the event could not be sent.

    Raises:
        LeaseLost: this controller may not write any more; whatever else stops a write before it is sent goes through.
    """
    if not topic:
        return
    attributes = {"app": event.app, "env": event.env, "phase": event.phase.value}
    try:
        publish_message(clients, topic, to_subject(event), to_message(event), attributes)
    except AwsError as error:
        warn(f"the event {event.phase} was not sent; the deployment goes on. {error}")
