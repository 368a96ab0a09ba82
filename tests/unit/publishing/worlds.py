# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release in two regions, in the shapes that a publication goes through."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ansible_collections.immutable.ec2.plugins.module_utils.publishing.model import (
    Image,
    Observed,
    Pointer,
    Validation,
    Wanted,
)

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
MADE = datetime(2026, 1, 1, tzinfo=UTC)
HOME, AWAY = "eu-west-1", "us-east-1"
DAYS = timedelta(days=180)

WANTED = Wanted(
    app="shop",
    release="r2",
    regions=(HOME, AWAY),
    channel="main",
    validation=Validation("t3.small", "private_ip", "admin", ()),
    deprecate_after=DAYS,
)
BAKED = Image("ami-2", created=MADE, tags={"publication": "pending"})
"""As Packer leaves it."""
VALIDATED = replace(BAKED, tags={"publication": "pending", "validation": "passed"})
SETTLED = replace(VALIDATED, imdsv2=True, deprecated_at=MADE + DAYS)
PUBLISHED = replace(SETTLED, tags={"publication": "published", "validation": "passed"})


def seen(home: Image | None = BAKED, away: Image | None = None, named: str = "r1", **more: Any) -> Observed:
    """What there is; both regions' pointers name one release."""
    images = {region: image for region, image in ((HOME, home), (AWAY, away)) if image}
    pointers = more.pop("pointers", None) or {region: Pointer(named) for region in (HOME, AWAY)}
    return Observed(images, pointers, **more)
