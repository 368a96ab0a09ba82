# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known after a step without a look at AWS."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import StackPhase
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.observe import Observer
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import Align, ClosePreview, Shift, Step
from tests.unit.deployment.worlds import BLUE, GREEN, edge, world

SPLIT = {BLUE: 50, GREEN: 50}
NOBODY: t.Any = None


@pytest.mark.parametrize(
    ("step", "asked"),
    [
        (Align(BLUE, "why"), {BLUE: 100, GREEN: 0}),
        (Shift(GREEN, "why", 60), {BLUE: 40, GREEN: 60}),
        (ClosePreview("why"), SPLIT),
    ],
    ids=str,
)
def test_an_update_that_was_just_begun_is_known_with_what_it_asks_for(step: Step, asked: t.Any) -> None:
    before = world(edge(50, 50, asked=SPLIT))
    after = Observer(NOBODY, NOBODY, NOBODY).after(before, step).edge
    assert (after.phase, after.status, after.asked) == (StackPhase.BUSY, "UPDATE_IN_PROGRESS", asked)
    assert after.weights == before.edge.weights
