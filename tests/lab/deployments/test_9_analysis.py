# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad releases that only figures show: the analysis turns them back in the first step. Begun in test_2."""

from __future__ import annotations

import pytest

from tests.lab.deployments.background import Analysed
from tests.lab.deployments.seen import is_as_before
from tests.lab.shop import Shop


@pytest.mark.parametrize(
    ("name", "figures"), [("errors", "gate analysis failed: errors: "), ("slow", "gate analysis failed: p95 ")]
)
def test_promise_6_a_release_that_is_worse_than_the_live_one_is_turned_back(
    shop: Shop, analysed: dict[str, Analysed], name: str, figures: str
) -> None:
    case = analysed[name]
    ended = case.end()
    assert ended.result == "rolled_back", ended.said
    assert figures in ended.reason
    assert [step for step in ended.steps if step.startswith("shift")] == ["shift 20 % of the traffic to green"]
    is_as_before(case.env, ended, shop.first, f"r-{name}")
