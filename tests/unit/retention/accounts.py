# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images and references in few words, for the tables and the properties."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta

from ansible_collections.immutable.ec2.plugins.module_utils.retention.model import (
    Image,
    Plan,
    Policy,
    Reference,
    References,
    Snapshot,
    Unread,
)
from ansible_collections.immutable.ec2.plugins.module_utils.retention.words import Place

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SHOP = {"app": "shop", "stage": "app"}


def image(image_id: str, age: float | None = 0, base: str = "", **facts: t.Any) -> Image:
    """An image of the app, `age` days old (None: without a creation date), built from `base`."""
    tags = {**SHOP, **facts.pop("tags", {})} | ({"base_image": base} if base else {})
    created = None if age is None else NOW - timedelta(days=age)
    facts = {"region": "eu-west-1", "snapshots": (Snapshot(f"snap-{image_id}", 8),), **facts}
    return Image(id=image_id, name=f"shop-{image_id}", owner="1", created=created, tags=tags, **facts)


def aged(*ages: float) -> list[Image]:
    """Images a, b, c … of these ages in days."""
    return [image(chr(ord("a") + number), age) for number, age in enumerate(ages)]


def used(*image_ids: str) -> References:
    """One instance for each image."""
    return References(tuple(Reference(image_id, f"instance i-{image_id} (running)") for image_id in image_ids))


def unread(place: Place, region: str = "eu-west-1", image_id: str = "") -> References:
    return References(unread=(Unread(place, region, "AccessDenied: no", image_id),))


def removed(plan: Plan) -> set[str]:
    return {decision.image.id for decision in plan.decisions if decision.removed}


def newest(count: int, **more: t.Any) -> Policy:
    return Policy(newest=count, **more)
