# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Environments to plan from, in few words."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    Capacity,
    Colour,
    ColourStack,
    Deployed,
    Edge,
    Observed,
    Release,
    StackPhase,
)

BLUE, GREEN = Colour.BLUE, Colour.GREEN
NOW = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
DEADLINE = timedelta(minutes=10)


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
) -> Observed:
    return Observed(seen, {BLUE: blue, GREEN: green}, answers)


def deployed(release: str, minimum: int = 2, maximum: int = 4) -> Deployed:
    return Deployed(Release(release, f"ami-{release}"), f"id-{release}", Capacity(minimum, maximum), DEADLINE)
