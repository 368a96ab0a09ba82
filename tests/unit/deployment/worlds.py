# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Environments to plan from, in few words."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    Colour,
    ColourStack,
    Deployment,
    Edge,
    GateState,
    GuardOrder,
    LedgerSeen,
    Observed,
    Preview,
    StackPhase,
    Verdict,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan import plan
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import (
    Capacity,
    Deployed,
    Release,
    Strategy,
    Wanted,
)

BLUE, GREEN = Colour.BLUE, Colour.GREEN
NOW = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
DEADLINE = timedelta(minutes=10)
CANARY = Strategy("canary", (10, 50, 100), timedelta(minutes=5))
PREVIEW = Preview(GREEN, "c0ffee")


def edge(blue: int = 0, green: int = 0, **changed: t.Any) -> Edge:
    facts: dict[str, t.Any] = {
        "name": "shop-prod-edge",
        "phase": StackPhase.READY,
        "status": "UPDATE_COMPLETE",
        "address": "127.0.0.1",
        "port": 80,
        "tls": False,
        "weights": {BLUE: blue, GREEN: green},
        "swapped_at": NOW - timedelta(minutes=5),
        "asked": {BLUE: blue, GREEN: green},
    }
    return Edge(**{**facts, **changed})


def stack(colour: Colour, release: str, age_minutes: float = 60, **changed: t.Any) -> ColourStack:
    facts: dict[str, t.Any] = {
        "colour": colour,
        "name": f"shop-prod-{colour}",
        "stack_id": f"{colour}-{release}",
        "phase": StackPhase.READY,
        "status": "CREATE_COMPLETE",
        "created_at": NOW - timedelta(minutes=age_minutes),
        "release": release,
        "image": f"ami-{release}",
        "identity": f"id-{release}",
        "group": f"group-{colour}-{release}",
        "desired": 2,
        "minimum": 2,
        "maximum": 4,
        "healthy": 2,
    }
    return ColourStack(**{**facts, **changed})


def world(
    seen: Edge,
    blue: ColourStack | None = None,
    green: ColourStack | None = None,
    answers: dict[str, int] | None = None,
    **more: t.Any,
) -> Observed:
    return Observed(seen, {BLUE: blue, GREEN: green}, answers, **more)


def deployed(release: str, minimum: int = 2, maximum: int = 4, **more: t.Any) -> Deployed:
    return Deployed(Release(release, f"ami-{release}"), f"id-{release}", Capacity(minimum, maximum), DEADLINE, **more)


def begun(release: str, colour: Colour = GREEN, previous: Colour | None = BLUE, **changed: t.Any) -> Deployment:
    """A deployment of a release that has not ended."""
    facts: dict[str, t.Any] = {
        "id": "20260102-115500-ab12",
        "release": release,
        "image": f"ami-{release}",
        "identity": f"id-{release}",
        "colour": colour,
        "previous": previous,
        "previous_release": "r1",
        "started_at": NOW - timedelta(minutes=5),
        "by": "ann@ci pid 1",
        "baseline": 2,
    }
    return Deployment(**{**facts, **changed})


def ledger(deployment: Deployment | None = None, guard: GuardOrder | None = None) -> LedgerSeen:
    return LedgerSeen(deployment=deployment, guard=guard)


def order(deployment: Deployment, **changed: t.Any) -> GuardOrder:
    """What the guard was told for a deployment; it has fired if `fired_at` is given."""
    safe = {deployment.colour: 0, deployment.colour.other: 100}
    facts: dict[str, t.Any] = {"deployment": deployment.id, "safe": safe, "alarms": ("errors",), "armed": True}
    return GuardOrder(**{**facts, **changed})


def verdict(state: GateState, gate: str = "alarms", words: str = "shop-5xx is in ALARM") -> Verdict:
    return Verdict(gate, state, words, NOW)


def steps(observed: Observed, wanted: Wanted, created: frozenset[str] = frozenset()) -> list[str]:
    """What a plan says, in words."""
    return [str(step) for step in plan(observed, wanted, NOW, created).steps]


def shares(blue: int, green: int, old: ColourStack, new: ColourStack, **more: t.Any) -> Observed:
    """An env whose traffic is under way from blue (r1) to green (r2)."""
    preview = PREVIEW if green < 100 else None
    return world(edge(blue, green, preview=preview), old, new, **{"ledger": ledger(begun("r2")), **more})
