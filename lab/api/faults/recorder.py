# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls that were made, in order."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from lab.api.faults.identity import Identity

#: So many of the last calls are kept.
_KEPT = 20_000


@dataclass
class Call:
    """One call.

    Attributes:
        number: its place in the order in which calls came, from 1.
        identity: who called what.
        time: when it came, in seconds since the epoch.
        executed: whether the API has acted on it.
        status: HTTP status of the answer, or None while there is none, or where none was sent.
        fault: the effect that it met, or None.
    """

    number: int
    identity: Identity
    time: float = field(default_factory=time.time)
    executed: bool = False
    status: int | None = None
    fault: str | None = None

    def shown(self) -> dict[str, Any]:
        """As data for JSON."""
        called = self.identity
        return {
            "number": self.number,
            "time": self.time,
            "client": called.client,
            "service": called.service,
            "operation": called.operation,
            "writes": called.writes,
            "resource": called.resource,
            "executed": self.executed,
            "status": self.status,
            "fault": self.fault,
        }


class Recorder:
    """Keeps the last calls. Numbers are never used twice, so that ``since`` stays true."""

    def __init__(self) -> None:
        self._calls: deque[Call] = deque(maxlen=_KEPT)
        self._last = 0

    def begin(self, identity: Identity) -> Call:
        """A call has come."""
        self._last += 1
        call = Call(self._last, identity)
        self._calls.append(call)
        return call

    def shown(self, since: int, client: str | None) -> dict[str, Any]:
        """The calls with a higher number than ``since``, of one client or of all, and the last call's number."""
        chosen = [
            call.shown()
            for call in self._calls
            if call.number > since and (client is None or call.identity.client == client)
        ]
        return {"last": self._last, "calls": chosen}

    def clear(self) -> None:
        """Forget all calls."""
        self._calls.clear()
