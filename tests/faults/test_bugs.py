# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the harness is worth: mistakes that are made on purpose come to light, and where none is made nothing does."""

from __future__ import annotations

import pytest

from tests.faults.bugs import BUGS
from tests.faults.campaign import run_points
from tests.faults.points import Call, Point
from tests.faults.world import Ground

NO_FAULT = Point("", None)
#: The preview's update is the first, the shifts to 10, 50 and 100 percent are the others.
SHIFTS = {share: Call("cloudformation", "UpdateStack", nth) for nth, share in enumerate((10, 50, 100), start=2)}
DIES_WHILE_SPLIT = Point("", SHIFTS[50], "kill worker before")
IS_LEFT_ALONE = Point("", SHIFTS[10], "kill parent after")
SHOWN = {
    "the guard is not armed": (DIES_WHILE_SPLIT, "traffic is split and the guard is not armed"),
    "the lease is not checked": (IS_LEFT_ALONE, "was sent after its parent had been killed"),
    "the minimum is not restored": (NO_FAULT, "not restored to 2"),
    "the minimum is not held": (NO_FAULT, "could shrink to 2 servers"),
    "the versions are not kept": (NO_FAULT, "no label keeps the version"),
    "the preview stays open": (NO_FAULT, "the preview is open"),
}


def test_every_bug_is_looked_for() -> None:
    assert SHOWN.keys() == BUGS.keys()


@pytest.mark.parametrize("bug", SHOWN)
def test_a_mistake_that_is_made_on_purpose_is_found(grounds: list[Ground], bug: str) -> None:
    point, words = SHOWN[bug]
    results = run_points(grounds[:1], [point], 1, bug=bug)
    assert not results.broken
    assert any(words in why for report in results.failed for why in report.violations), results.reports


def test_without_a_mistake_the_same_points_are_clean(grounds: list[Ground]) -> None:
    results = run_points(grounds, [DIES_WHILE_SPLIT, IS_LEFT_ALONE, NO_FAULT], 2)
    assert not results.broken
    assert not results.failed, results.failed
    assert [report.reached for report in results.reports] == [True] * 3
