# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of a deployment as data: what is wanted."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import timedelta

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import ALL_TRAFFIC


@dataclass(frozen=True)
class Release:
    """A release as an image in this region."""

    name: str
    image: str
    architecture: str = ""
    declaration: str | None = ""
    """What its image's tags say of its configuration, as it is there; None where nobody has looked."""


@dataclass(frozen=True)
class Pins:
    """Which versions of its configuration a colour's servers read, whenever they start."""

    manifest: str
    """Names and versions, no values."""
    secrets: tuple[tuple[str, str], ...] = ()
    """Name and version of each secret, which has to be kept."""


CONFIGURATION: t.Final = "."
"""In an identity, before the digest of the configuration."""


def same_but_configuration(one: str, other: str) -> bool:
    """Whether two identities are of the same release and launch settings."""
    return one.partition(CONFIGURATION)[0] == other.partition(CONFIGURATION)[0]


@dataclass(frozen=True)
class Capacity:
    minimum: int
    maximum: int

    def clamp(self, wanted: int) -> int:
        return max(self.minimum, min(self.maximum, wanted))


@dataclass(frozen=True)
class Strategy:
    """How traffic moves to a colour."""

    name: str = "all_at_once"
    steps: tuple[int, ...] = (ALL_TRAFFIC,)
    """Percentages of the traffic, rising to 100."""
    bake_time: timedelta = timedelta(0)
    """How long each shift is watched, the last too."""


@dataclass(frozen=True)
class GateRules:
    """What plan() must know of the gates; how they are read is no business of its."""

    command: str = ""
    """The name of the command that must pass before any traffic."""
    approval: bool = False
    approval_deadline: timedelta = timedelta(hours=24)


@dataclass(frozen=True)
class Deployed:
    """Wanted: this release serves everything."""

    release: Release
    identity: str
    """Of a colour that is it. Without a configuration in it, any configuration's will do."""
    capacity: Capacity
    deadline: timedelta
    """How long a new colour may take to become healthy."""
    strategy: Strategy = Strategy()
    gates: GateRules = GateRules()
    accept_drift: bool = False
    may_skip: frozenset[str] = frozenset()
    """Resources of the edge that a stuck update may leave out."""
    rolls_back: bool = False
    """Whether it is the previous release that comes back anew, since its colour is gone."""
    pins: Pins | None = None
    """The configuration of a colour that is made; None until it is looked up, or where servers read the newest."""

    def is_it(self, identity: str) -> bool:
        """Whether a colour with this identity is what is wanted."""
        if CONFIGURATION in self.identity:
            return identity == self.identity
        return same_but_configuration(identity, self.identity)


@dataclass(frozen=True)
class RolledBack:
    """Wanted: the colour from before the last deployment serves everything again."""

    deadline: timedelta
    strategy: Strategy = Strategy()
    by: str = ""
    left: str = ""
    """The release that was left when the serving one was deployed anew; a second rollback must not go forward to it."""


@dataclass(frozen=True)
class Retired:
    """Wanted: the idle colour is gone, once its window has passed."""

    window: timedelta
    """For a colour that served before."""
    inspect_window: timedelta = timedelta(0)
    """For a colour that was turned back."""
    immediate: bool = False


@dataclass(frozen=True)
class Aborted:
    """Wanted: what is under way ends, with traffic where it was before."""

    by: str


Wanted: t.TypeAlias = "Deployed | RolledBack | Retired | Aborted"
