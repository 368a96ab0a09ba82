# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an env will look like when steps have been done: the "after" of a diff in check mode."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    ColourStack,
    Observed,
    StackPhase,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import (
    Align,
    CreateColour,
    DeleteColour,
    HoldMinimum,
    RestoreMinimum,
    Shift,
    Step,
    TurnBack,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import (
    Deployed,
    Wanted,
)

if t.TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


def forecast(seen: Observed, steps: Iterable[Step], wanted: Wanted, now: datetime) -> Observed:
    """The env after the steps, if each does what it should."""
    edge, colours = seen.edge, dict(seen.colours)
    for step in steps:
        match step:
            case CreateColour() if isinstance(wanted, Deployed):
                colours[step.colour] = _made(seen, step, wanted, now)
            case DeleteColour():
                colours[step.colour] = None
            case HoldMinimum() | RestoreMinimum():
                stack = colours[step.colour]
                more = max(step.minimum, stack.desired) if stack else 0
                colours[step.colour] = replace(stack, desired=more, minimum=step.minimum) if stack else None
            case Shift() | TurnBack() | Align():
                edge = replace(edge, weights=step.weights, asked=step.weights, swapped_at=now)
            case _:
                pass  # it changes nothing that a diff shows
    return Observed(edge, colours)


def _made(seen: Observed, step: CreateColour, wanted: Deployed, now: datetime) -> ColourStack:
    return ColourStack(
        colour=step.colour,
        name=f"{seen.edge.name.removesuffix('-edge')}-{step.colour}",
        stack_id="",
        phase=StackPhase.READY,
        status="CREATE_COMPLETE",
        created_at=now,
        release=wanted.release.name,
        image=wanted.release.image,
        identity=wanted.identity,
        desired=step.desired,
        minimum=step.desired,
        maximum=wanted.capacity.maximum,
        healthy=step.desired,
    )
