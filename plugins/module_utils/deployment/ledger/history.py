# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The deployments that have ended."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import Colour, Deployment

if t.TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


@dataclass(frozen=True)
class Record:
    """One deployment (or rollback) that has ended."""

    id: str
    kind: str
    release: str
    image: str
    colour: Colour
    previous_release: str
    strategy: str
    by: str
    started_at: datetime
    ended_at: datetime
    result: str
    reason: str


def record(deployment: Deployment, result: str, reason: str, now: datetime) -> Record:
    """What is remembered of a deployment that ends now."""
    return Record(
        id=deployment.id,
        kind=deployment.kind,
        release=deployment.release,
        image=deployment.image,
        colour=deployment.colour,
        previous_release=deployment.previous_release,
        strategy=deployment.strategy,
        by=deployment.by,
        started_at=deployment.started_at,
        ended_at=now,
        result=result,
        reason=reason,
    )


def left_behind(records: Sequence[Record], serving: str) -> str:
    """The release that was rolled back by deploying the serving one anew; "" where the serving one came otherwise.

    Args:
        records: newest first.
        serving: the release that serves now.
    """
    came = next((each for each in records if each.release == serving and each.kind == "deploy"), None)
    return came.previous_release if came and came.result == "rolled_back" else ""


def deployed_before(records: Sequence[Record], release: str) -> Record | None:
    """The deployment of the release that served before this one was deployed; None if no one knows.

    Its own record names it: what was deployed in between may have been rolled back. A release that came back by a
    rollback counts from when it was first deployed: what it replaced is not "before" it.

    Args:
        records: newest first.
        release: the one that serves now.
    """
    deployed = [each for each in records if each.result == "deployed" and each.kind == "deploy"]
    own = next((number for number, each in enumerate(deployed) if each.release == release != each.previous_release), -1)
    named = deployed[own].previous_release if own >= 0 else ""
    others = (each for each in deployed[own + 1 :] if each.release != release)
    return next((each for each in others if named in ("", each.release)), None)
