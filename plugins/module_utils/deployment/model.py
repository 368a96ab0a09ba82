# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of a deployment as data: what was observed."""

from __future__ import annotations

import enum
import typing as t
from dataclasses import dataclass, field
from datetime import timedelta

if t.TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

ALL_TRAFFIC: t.Final = 100
"""The weight of a colour that serves everything; its share is its weight over the sum of both."""


def servers(count: int) -> str:
    """A number of servers in words."""
    return f"{count} server" if count == 1 else f"{count} servers"


class Colour(enum.StrEnum):
    """One of the two places a release can be served from."""

    BLUE = "blue"
    GREEN = "green"

    @property
    def other(self) -> Colour:
        return Colour.GREEN if self is Colour.BLUE else Colour.BLUE


class StackPhase(enum.Enum):
    """What a stack's status means for a deployment."""

    BUSY = "busy"
    """An operation is under way: wait."""
    READY = "ready"
    """It is as its template says."""
    DELETING = "deleting"
    """It will be gone: wait."""
    BROKEN = "broken"
    """It can only be deleted (and made again)."""
    STUCK = "stuck"
    """A person must look: its update could be neither finished nor undone."""


@dataclass(frozen=True)
class Preview:
    """The way to a colour without traffic: requests with a header of this value."""

    colour: Colour
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Edge:
    """The stack with the load balancer, as it was seen."""

    name: str
    phase: StackPhase
    status: str
    address: str
    port: int
    tls: bool
    weights: Mapping[Colour, int]
    """What the listener does, which is what counts."""
    swapped_at: datetime | None
    asked: Mapping[Colour, int] = field(default_factory=dict)
    """What the stack's parameters say."""
    preview: Preview | None = None
    foreign_rules: tuple[str, ...] = ()
    """Rules of the listener that the edge doesn't have, a few words each."""
    drain: timedelta = timedelta(0)
    """How long a leaving server may take to finish its requests."""
    stuck: tuple[str, ...] = ()
    """The resources that the message of a stuck update names."""

    @property
    def live(self) -> Colour | None:
        """The colour that serves; None before the first deployment and while traffic is split."""
        serving = [colour for colour, weight in self.weights.items() if weight > 0]
        return serving[0] if len(serving) == 1 else None

    @property
    def split(self) -> bool:
        return all(weight > 0 for weight in self.weights.values())

    def share(self, colour: Colour) -> int:
        """The percentage of the requests that a colour gets."""
        total = sum(self.weights.values())
        return round(100 * self.weights.get(colour, 0) / total) if total else 0

    @property
    def drifted(self) -> bool:
        """Whether the listener does something else than its stack says."""
        return any(self.asked.get(colour, 0) != self.weights.get(colour, 0) for colour in Colour)


@dataclass(frozen=True)
class ColourStack:
    """One colour's stack with its group and targets, as they were seen."""

    colour: Colour
    name: str
    stack_id: str
    phase: StackPhase
    status: str
    created_at: datetime
    release: str
    image: str
    identity: str
    group: str = ""
    """The name of its Auto Scaling group, once there is one."""
    desired: int = 0
    minimum: int = 0
    maximum: int = 0
    healthy: int = 0
    ailing: int = 0
    """Targets that the load balancer calls unhealthy."""
    unhealthy_because: str = ""
    """The first reason AWS gives for a target that isn't healthy."""
    unhealthy_server: str = ""
    """The id of that target's instance."""
    original_minimum: int | None = None
    """The minimum that is to be restored, while a deployment holds a higher one."""
    replaces_unhealthy: bool = True
    """Whether Auto Scaling replaces servers that fail."""
    failed_because: str = ""
    """The first failed resource of a broken stack."""


# ---------------------------------------------------------------- the ledger: lock, guard, history


@dataclass(frozen=True)
class Lease:
    """Who may write now, until when. `fence` grows with every new holder."""

    holder: str
    what: str
    since: datetime
    until: datetime
    fence: int


@dataclass(frozen=True)
class Deployment:
    """A deployment (or a rollback) that was begun and has not ended, as the ledger remembers it."""

    id: str
    release: str
    image: str
    identity: str
    colour: Colour
    """Where the release goes."""
    previous: Colour | None
    """The colour that served when it began, and that traffic goes back to; None for the first deployment."""
    previous_release: str
    started_at: datetime
    by: str
    kind: str = "deploy"
    """``deploy`` or ``rollback``."""
    strategy: str = "all_at_once"
    baseline: int = 0
    """The highest number of servers that the live colour wanted since the deployment began."""
    turned_back: str = ""
    """Why traffic goes back; empty while the deployment goes forward."""
    abort_by: str = ""
    """Who asked for its end."""
    approved_by: str = ""
    """Who said go."""


@dataclass(frozen=True)
class GuardOrder:
    """What the guard does when one of the alarms fires, and whether it did."""

    deployment: str
    safe: Mapping[Colour, int]
    alarms: tuple[str, ...]
    armed: bool
    fired_at: datetime | None = None
    fired_by: str = ""
    """The alarm that fired."""


@dataclass(frozen=True)
class LedgerSeen:
    """The ledger of an env as it was seen. All None: nothing is under way."""

    lease: Lease | None = None
    deployment: Deployment | None = None
    guard: GuardOrder | None = None


# ---------------------------------------------------------------- gates


class GateState(enum.StrEnum):
    """What a gate says."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"
    """Not enough was seen to say (too few requests, alarm without data, no answer of a person yet)."""
    UNREADABLE = "unreadable"
    """It could not be read: throttled, denied. It holds the deployment, and never passes."""


@dataclass(frozen=True)
class Verdict:
    """One gate's answer with its figures in words, as in "p95 0.21 s against 0.20 s (1.1 of at most 1.3)"."""

    gate: str
    state: GateState
    words: str
    since: datetime
    """Since when the gate has said this without a break."""


@dataclass(frozen=True)
class Watch:
    """What this run saw or did itself, and AWS can't tell."""

    proven_at: datetime | None = None
    """Since when requests have shown the weights that the listener has now."""
    unproven: bool = False
    """Whether the load balancer can't be reached from here."""
    preview_shown: bool = False
    """Whether requests with the preview's header reached the new release (or can't be made from here)."""
    command: Verdict | None = None
    verdicts: tuple[Verdict, ...] = ()
    """What the gates that watch traffic say now."""
    most_healthy: int = 0
    """The most servers of the new colour that were healthy at once since the last shift."""
    shifted: bool = False
    """Whether this run changed the weights."""
    continued: int = 0
    """How often this run let a stuck update continue."""


@dataclass(frozen=True)
class Observed:
    """Everything that plan() knows of the world."""

    edge: Edge
    colours: Mapping[Colour, ColourStack | None]
    answers: Mapping[str, int] | None = None
    """Release → number of responses since the last shift that named it; None where none came."""
    ledger: LedgerSeen = LedgerSeen()
    watch: Watch = Watch()
    idle_requests: int = 0
    """Requests that the colour without traffic got in the last minutes, by the load balancer's own count."""
