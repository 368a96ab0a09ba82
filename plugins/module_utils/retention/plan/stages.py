# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which stage of its removal an image has come to: deprecated, disabled, deregistered. Pure."""

from __future__ import annotations

import typing as t
from datetime import timedelta

from ansible_collections.immutable.ec2.plugins.module_utils.retention.model import Image, Reason, Stages
from ansible_collections.immutable.ec2.plugins.module_utils.retention.words import Rule, Step

if t.TYPE_CHECKING:
    from datetime import datetime

AHEAD = timedelta(minutes=2)
"""How far ahead of now an image is deprecated: AWS takes no time in the past, and rounds to minutes."""
ORDER = (Step.DEPRECATE, Step.DISABLE, Step.DEREGISTER)


def next_step(image: Image, stages: Stages | None, now: datetime) -> tuple[Step, Reason | None]:
    """What is to be done now with an image that nothing keeps.

    Each stage follows the one before, never two in one run: an old image that nobody needs since yesterday is
    deprecated first, and spends in each stage the time that lies between the stages' ages. So whoever misses it has
    that long to bring it back.

    Args:
        image: with a creation date.
        stages: at which ages; None means that it is deregistered at once.
        now: the time that ages are measured at.

    Returns:
        The step, or `KEEP` and why it waits.
    """
    if stages is None:
        return Step.DEREGISTER, None
    reached, since = _reached(image, now)
    after = {Step.DEPRECATE: stages.deprecate, Step.DISABLE: stages.disable, Step.DEREGISTER: stages.deregister}
    later = ORDER[ORDER.index(reached) + 1 :] if reached else ORDER
    step = next((step for step in later if after[step] is not None), None)
    if step is None:
        return Step.KEEP, Reason(Rule.WAITING, f"{reached} since {_day(since)}; no stage follows")
    due = _due(image, step, after, reached, since)
    if now > due:
        return step, None
    stands = f"{reached} since {_day(since)}" if reached else "unneeded"
    return Step.KEEP, Reason(Rule.WAITING, f"{stands}; it will be {step} after {due:%Y-%m-%d %H:%M} UTC")


def _reached(image: Image, now: datetime) -> tuple[Step | None, datetime | None]:
    if image.state == "disabled":
        return Step.DISABLE, image.disabled
    if image.deprecated and image.deprecated <= now + AHEAD:
        return Step.DEPRECATE, image.deprecated
    return None, None


def _due(
    image: Image,
    step: Step,
    after: dict[Step, timedelta | None],
    reached: Step | None,
    since: datetime | None,
) -> datetime:
    age = t.cast("timedelta", after[step])
    due = t.cast("datetime", image.created) + age  # those without a date are exempt
    if reached and since and (before := after[reached]) is not None:
        due = max(due, since + age - before)
    return due


def _day(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d}" if time else "an unknown day"
