# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A request as HAProxy's log tells of it. Pure; the line's format is in lab.loadbalancer.render."""

from __future__ import annotations

from dataclasses import dataclass

_FIELDS = 8
_NO_SERVER = "<NOSRV>"


@dataclass(frozen=True)
class Request:
    """One request that has ended.

    Attributes:
        ended: seconds since the epoch.
        listener: its listener, under HAProxy's name.
        group: its target group, under HAProxy's name.
        target_chosen: whether there was a target to send it to.
        connected: whether a connection to that target was there or could be made.
        answered: whether the response came from the target.
        status: of the response, whoever gave it; -1 where the client went away before.
        seconds: from the request's end to the response's headers; None without them.
    """

    ended: float
    listener: str
    group: str
    target_chosen: bool
    connected: bool
    answered: bool
    status: int
    seconds: float | None


def parse(line: str) -> Request | None:
    """The request that a log line tells of, or None for another line."""
    fields = line.split(" ", _FIELDS)
    if len(fields) <= _FIELDS or not fields[0].isdecimal():
        return None
    ended, listener, group, server, status, end, milliseconds, answered, _request = fields
    return Request(
        ended=int(ended) / 1000,
        listener=listener,
        group=group,
        target_chosen=server != _NO_SERVER,
        # The session ended while it was being connected, on the server's side (S) or after its time (s).
        connected=end[:2] not in ("SC", "sC"),
        answered=answered == "1",
        status=int(status),
        seconds=int(milliseconds) / 1000 if answered == "1" else None,
    )
