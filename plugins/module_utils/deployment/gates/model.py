# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What gates look at, as data."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

if t.TYPE_CHECKING:
    from datetime import datetime

ALARMS: t.Final = "alarms"
ANALYSIS: t.Final = "analysis"
COMMAND: t.Final = "command"
APPROVAL: t.Final = "approval"


@dataclass(frozen=True)
class AlarmState:
    """A CloudWatch alarm, metric or composite, as it was seen."""

    name: str
    value: str
    """``OK``, ``ALARM`` or ``INSUFFICIENT_DATA``."""
    reason: str
    """Why, in CloudWatch's words, on one line."""
    missing_data: str
    """How it treats missing data (``notBreaching``, ``breaching``, ``ignore``, ``missing``); empty for a composite."""
    since: datetime
    """Since when it has had this state."""


@dataclass(frozen=True)
class Metrics:
    """What a colour did in some minutes, as the load balancer counted it."""

    requests: int
    target_5xx: int
    """Responses of its servers with 500 and more."""
    connection_errors: int
    """Connections to its servers that failed; the load balancer answers 502 itself, and counts that for no colour."""
    p95: float | None
    """Seconds within which 95 of 100 responses came; None where none came."""
    unanswered: int = 0
    """Requests that the load balancer answered with a 5xx of its own since its servers did not, for whatever reason:
    a failed connection, one that was closed before the response, or a response that took too long."""

    @property
    def errors(self) -> int:
        """Never more than there were requests: a request may try several connections.

        A failed connection is an unanswered request too, unless another try went well.
        """
        return min(self.requests, self.target_5xx + max(self.connection_errors, self.unanswered))

    @property
    def error_rate(self) -> float:
        return self.errors / self.requests if self.requests else 0.0


@dataclass(frozen=True)
class PreviewAccess:
    """The way to the new colour before it has traffic."""

    url: str
    header: str
    secret: str = field(repr=False)
