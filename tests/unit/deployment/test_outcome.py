# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a run ended as the user wanted, by what was wanted and how it ended."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.outcome import Outcome
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import Plan, Result
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import (
    Aborted,
    Retired,
    RolledBack,
    Wanted,
)
from tests.unit.deployment.worlds import DEADLINE, deployed, edge, world

WISHES: dict[str, tuple[Wanted, set[Result]]] = {
    "deployed": (deployed("r2"), {Result.ROLLED_BACK, Result.ABORTED, Result.DIRTY}),
    "deployed anew to roll back": (deployed("r1", rolls_back=True), {Result.ABORTED, Result.DIRTY}),
    "rolled back": (RolledBack(DEADLINE), {Result.ABORTED, Result.DIRTY}),
    "retired": (Retired(timedelta(0)), {Result.ABORTED, Result.DIRTY}),
    "aborted": (Aborted("ann"), {Result.DIRTY}),
}


@pytest.mark.parametrize("result", Result)
@pytest.mark.parametrize(("wanted", "failures"), WISHES.values(), ids=WISHES.keys())
def test_promise_7_a_run_that_ends_otherwise_than_wanted_has_failed(
    wanted: Wanted, failures: set[Result], result: Result
) -> None:
    seen = world(edge())
    assert Outcome(Plan(result, "why"), seen, seen, (), wanted).failed is (result in failures)


def test_a_rollback_that_ends_a_deployment_before_it_had_traffic_is_what_was_wanted() -> None:
    seen = world(edge())
    end = Plan(Result.ABORTED, "ann asked for it", turns_back="ann asked for it")
    assert not Outcome(end, seen, seen, (), RolledBack(DEADLINE)).failed
