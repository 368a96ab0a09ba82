# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan is made of: steps, each with its reason, and the result they lead to."""

from __future__ import annotations

import enum
import typing as t
from dataclasses import dataclass, field
from datetime import timedelta

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import ALL_TRAFFIC, servers

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import Colour


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
class HoldMinimum:
    """Raises a colour's minimum, and with it its servers, until the deployment ends."""

    colour: Colour
    minimum: int
    reason: str

    def __str__(self) -> str:
        return f"hold {self.colour} at {servers(self.minimum)} at least"


@dataclass(frozen=True)
class RestoreMinimum:
    colour: Colour
    minimum: int
    reason: str

    def __str__(self) -> str:
        return f"restore the minimum of {self.colour} to {servers(self.minimum)}"


@dataclass(frozen=True)
class SuspendReplacing:
    colour: Colour
    reason: str

    def __str__(self) -> str:
        return f"keep unhealthy servers of {self.colour}"


@dataclass(frozen=True)
class ResumeReplacing:
    colour: Colour
    reason: str

    def __str__(self) -> str:
        return f"replace unhealthy servers of {self.colour} again"


@dataclass(frozen=True)
class OpenPreview:
    colour: Colour
    reason: str

    def __str__(self) -> str:
        return f"open the preview of {self.colour}"


@dataclass(frozen=True)
class ClosePreview:
    reason: str

    def __str__(self) -> str:
        return "close the preview"


@dataclass(frozen=True)
class RunCommand:
    name: str
    reason: str

    def __str__(self) -> str:
        return f"run the command {self.name}"


@dataclass(frozen=True)
class Shift:
    """An update of the edge that gives a colour its share of the traffic."""

    to: Colour
    reason: str
    share: int = ALL_TRAFFIC

    @property
    def weights(self) -> Mapping[Colour, int]:
        return {self.to: self.share, self.to.other: ALL_TRAFFIC - self.share}

    def __str__(self) -> str:
        part = "all traffic" if self.share == ALL_TRAFFIC else f"{self.share} % of the traffic"
        return f"shift {part} to {self.to}"


@dataclass(frozen=True)
class TurnBack:
    """Sets the listener itself, in one call."""

    to: Colour
    reason: str

    @property
    def weights(self) -> Mapping[Colour, int]:
        return {self.to: ALL_TRAFFIC, self.to.other: 0}

    def __str__(self) -> str:
        return f"turn all traffic back to {self.to}"


@dataclass(frozen=True)
class CancelUpdate:
    reason: str

    def __str__(self) -> str:
        return "cancel the edge's update"


@dataclass(frozen=True)
class Align:
    """An update of the edge after the listener was set: its parameters say then what the listener does."""

    to: Colour
    reason: str

    @property
    def weights(self) -> Mapping[Colour, int]:
        return {self.to: ALL_TRAFFIC, self.to.other: 0}

    def __str__(self) -> str:
        return f"bring the edge's stack into line: all traffic to {self.to}"


@dataclass(frozen=True)
class ContinueUpdate:
    """Lets a stuck update of the edge go on."""

    skip: tuple[str, ...]
    reason: str

    def __str__(self) -> str:
        return f"continue the edge's update{' without ' + ', '.join(self.skip) if self.skip else ''}"


class Part(enum.Enum):
    """What a wait looks at; the rest of the world is read again when it has changed."""

    EDGE = "edge"
    STACK = "stack"
    TARGETS = "targets"
    TRAFFIC = "traffic"


@dataclass(frozen=True)
class Await:
    """Nothing to do but look again: AWS, the servers, or a person are at work."""

    what: str
    reason: str
    patience: timedelta = timedelta(hours=1)
    """How long this may take before it counts as failed. CloudFormation's own time-outs are shorter."""
    part: Part = Part.TRAFFIC
    colour: Colour | None = None
    left: timedelta | None = None
    """What is left of a time that is known beforehand."""
    seen: str = ""
    """Figures that change at every look, and are no news."""

    def __str__(self) -> str:
        return f"wait until {self.what}"


Step: t.TypeAlias = (
    "CreateColour | DeleteColour | HoldMinimum | RestoreMinimum | SuspendReplacing | ResumeReplacing | OpenPreview"
    " | ClosePreview | RunCommand | Shift | TurnBack | CancelUpdate | Align | ContinueUpdate | Await"
)


class Result(enum.StrEnum):
    """How a run can end."""

    DEPLOYED = "deployed"
    ROLLED_BACK = "rolled_back"
    RETIRED = "retired"
    ABORTED = "aborted"
    NOTHING_TO_DO = "nothing_to_do"
    DIRTY = "dirty"


@dataclass(frozen=True)
class Plan:
    """What is left to do, in order, and what it leads to.

    Without steps the run is at its end: `result` and `reason` say how. `proven` is False where no response could be
    asked for through the load balancer. `turns_back` says why traffic goes back, where it does.
    """

    result: Result
    reason: str
    steps: tuple[Step, ...] = field(default=())
    proven: bool = True
    turns_back: str = ""
