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
class Forward:
    """A forward action: requests are shared out by weight; where every weight is 0 they get 503.

    Attributes:
        shares: the target groups.
        sticky_seconds: how long a client goes on to the target group that it once came to, whatever the weights;
            0 for not at all.
    """

    shares: tuple[Share, ...] = ()
    sticky_seconds: int = 0


@dataclass(frozen=True)
class Condition:
    """What a rule asks of a request: one of the values fits.

    Attributes:
        field: ``http-header``, ``host-header`` or ``path-pattern``.
        values: with ``*`` for any characters and ``?`` for any one.
        header: name of the header, for ``http-header``.
    """

    field: str
    values: tuple[str, ...]
    header: str = ""


@dataclass(frozen=True)
class Rule:
    """Requests that fit every condition go where the rule says."""

    id: str
    conditions: tuple[Condition, ...]
    forward: Forward


@dataclass(frozen=True)
class Frontend:
    """A listener: the first of its rules that fits decides, and its default action where none does."""

    listener: str
    address: str
    port: int
    default: Forward
    rules: tuple[Rule, ...] = ()

    @property
    def groups(self) -> set[str]:
        """Every target group that one of its actions names."""
        actions = (self.default, *(rule.forward for rule in self.rules))
        return {share.group for action in actions for share in action.shares}


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
