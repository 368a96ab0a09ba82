# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the load balancers shall do, as facts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Share:
    """A target group's weight in a forward action."""

    group: str
    weight: int


@dataclass(frozen=True)
class Frontend:
    """A listener: its requests are shared out by weight; where every weight is 0 they get 503."""

    listener: str
    address: str
    port: int
    shares: tuple[Share, ...]


@dataclass(frozen=True)
class Member:
    """A target that gets requests."""

    id: str
    address: str
    port: int


@dataclass(frozen=True)
class Backend:
    """A target group and those of its targets that get requests."""

    group: str
    members: tuple[Member, ...]


@dataclass(frozen=True)
class Balancing:
    """Everything that HAProxy shall do.

    Attributes:
        frontends: the listeners.
        backends: the target groups that they name.
        relay: an address and port whose connections go to the API on loopback, or None.
    """

    frontends: tuple[Frontend, ...] = ()
    backends: tuple[Backend, ...] = ()
    relay: tuple[str, int] | None = None
