# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image that nothing keeps → the stage that is due, with exact ages."""

from __future__ import annotations

import typing as t
from datetime import timedelta

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.retention.model import Stages
from ansible_collections.immutable.ec2.plugins.module_utils.retention.plan.stages import AHEAD, next_step
from ansible_collections.immutable.ec2.plugins.module_utils.retention.words import Rule, Step
from tests.unit.retention.accounts import NOW, image

ALL = Stages(timedelta(days=30), timedelta(days=60), timedelta(days=90))
ONLY_DISABLED = Stages(disable=timedelta(days=60))
SECOND = 1 / 86_400


def since(days: float) -> t.Any:
    return NOW - timedelta(days=days)


DUE: dict[str, tuple[float, dict[str, t.Any], Stages | None, Step]] = {
    "no stages": (0, {}, None, Step.DEREGISTER),
    "exactly 30 days old": (30, {}, ALL, Step.KEEP),
    "a second older": (30 + SECOND, {}, ALL, Step.DEPRECATE),
    "old, but never deprecated": (400, {}, ALL, Step.DEPRECATE),
    "deprecated, exactly 60 days old": (60, {"deprecated": since(30)}, ALL, Step.KEEP),
    "deprecated, a second older": (60 + SECOND, {"deprecated": since(30 + SECOND)}, ALL, Step.DISABLE),
    "old, deprecated for exactly 30 days": (400, {"deprecated": since(30)}, ALL, Step.KEEP),
    "old, deprecated for longer": (400, {"deprecated": since(30 + SECOND)}, ALL, Step.DISABLE),
    "to be deprecated in future": (400, {"deprecated": since(-1)}, ALL, Step.DEPRECATE),
    "deprecated by a run a moment ago": (31, {"deprecated": since(-AHEAD / timedelta(days=1))}, ALL, Step.KEEP),
    "disabled for exactly 30 days": (400, {"state": "disabled", "disabled": since(30)}, ALL, Step.KEEP),
    "disabled for longer": (400, {"state": "disabled", "disabled": since(30 + SECOND)}, ALL, Step.DEREGISTER),
    "one stage only, not due": (60, {}, ONLY_DISABLED, Step.KEEP),
    "one stage only, due": (61, {}, ONLY_DISABLED, Step.DISABLE),
    "no stage follows": (400, {"state": "disabled", "disabled": since(300)}, ONLY_DISABLED, Step.KEEP),
    "deregistered without the stages before": (91, {}, Stages(deregister=timedelta(days=90)), Step.DEREGISTER),
}


@pytest.mark.parametrize("case", DUE)
def test_the_stage_that_is_due(case: str) -> None:
    age, facts, stages, step = DUE[case]
    due, waits = next_step(image("a", age, **facts), stages, NOW)
    assert due is step
    assert (waits is not None and waits.rule is Rule.WAITING) is (step is Step.KEEP)


def test_whoever_waits_says_for_what() -> None:
    _step, waits = next_step(image("a", 40, deprecated=since(8)), ALL, NOW)
    assert waits and waits.text == "deprecated since 2026-02-21; it will be disabled after 2026-03-23 12:00 UTC"
