# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of a deployment as data: what was observed, what is wanted, what is to be done."""

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
class Edge:
    """The stack with the load balancer, as it was seen."""

    name: str
    phase: StackPhase
    status: str
    address: str
    port: int
    tls: bool
    weights: Mapping[Colour, int]
    """What the listener does, which is what counts, not what the stack's parameters say."""
    swapped_at: datetime | None

    @property
    def live(self) -> Colour | None:
        """The colour that serves; None before the first deployment and while traffic is split."""
        serving = [colour for colour, weight in self.weights.items() if weight > 0]
        return serving[0] if len(serving) == 1 else None

    @property
    def split(self) -> bool:
        return all(weight > 0 for weight in self.weights.values())


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
    desired: int = 0
    minimum: int = 0
    maximum: int = 0
    healthy: int = 0
    unhealthy_because: str = ""
    """The first reason AWS gives for a target that isn't healthy."""
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
class Observed:
    """Everything that plan() knows of the world."""

    edge: Edge
    colours: Mapping[Colour, ColourStack | None]
    answers: Mapping[str, int] | None = None
    """Release → number of responses through the load balancer that named it; None where none was asked for or came."""
    ledger: LedgerSeen = LedgerSeen()


@dataclass(frozen=True)
class Release:
    """A release as an image in this region."""

    name: str
    image: str


@dataclass(frozen=True)
class Capacity:
    minimum: int
    maximum: int

    def clamp(self, wanted: int) -> int:
        return max(self.minimum, min(self.maximum, wanted))


@dataclass(frozen=True)
class Deployed:
    """Wanted: this release serves everything."""

    release: Release
    identity: str
    capacity: Capacity
    deadline: timedelta
    """How long a new colour may take to become healthy."""


@dataclass(frozen=True)
class RolledBack:
    """Wanted: the colour from before the last deployment serves everything again."""

    deadline: timedelta


@dataclass(frozen=True)
class Retired:
    """Wanted: the idle colour is gone, once its rollback window has passed."""

    window: timedelta
    immediate: bool = False


Wanted: t.TypeAlias = "Deployed | RolledBack | Retired"


# ---------------------------------------------------------------- steps: what act() can do


@dataclass(frozen=True)
class CreateColour:
    colour: Colour
    desired: int
    reason: str

    def __str__(self) -> str:
        return f"create {self.colour} with {servers(self.desired)}"


@dataclass(frozen=True)
class DeleteColour:
    colour: Colour
    reason: str

    def __str__(self) -> str:
        return f"delete {self.colour}"


@dataclass(frozen=True)
class Scale:
    colour: Colour
    desired: int
    reason: str

    def __str__(self) -> str:
        return f"scale {self.colour} to {servers(self.desired)}"


@dataclass(frozen=True)
class Shift:
    to: Colour
    reason: str

    @property
    def weights(self) -> Mapping[Colour, int]:
        return {self.to: ALL_TRAFFIC, self.to.other: 0}

    def __str__(self) -> str:
        return f"shift all traffic to {self.to}"


@dataclass(frozen=True)
class Await:
    """Nothing to do but look again: AWS, or the servers, are at work."""

    what: str
    reason: str
    patience: timedelta = timedelta(hours=1)
    """How long this may take before a person is asked to look. CloudFormation's own time-outs are shorter."""

    def __str__(self) -> str:
        return f"wait until {self.what}"


Step: t.TypeAlias = "CreateColour | DeleteColour | Scale | Shift | Await"


class Result(enum.StrEnum):
    """How a run can end."""

    DEPLOYED = "deployed"
    ROLLED_BACK = "rolled_back"
    RETIRED = "retired"
    ABORTED = "aborted"
    NOTHING_TO_DO = "nothing_to_do"
    DIRTY = "dirty"

    @property
    def is_failure(self) -> bool:
        return self in (Result.ABORTED, Result.DIRTY)


@dataclass(frozen=True)
class Plan:
    """What is left to do, in order, and what it leads to.

    Without steps the run is at its end: `result` and `reason` say how. `proven` is False where no response could be
    asked for through the load balancer.
    """

    result: Result
    reason: str
    steps: tuple[Step, ...] = field(default=())
    proven: bool = True
