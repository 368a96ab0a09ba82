# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts → the steps where the edge is busy, stuck or changed by hand, as tables."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    Edge,
    StackPhase,
    Watch,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan import plan
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import Await, Part, Result
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import (
    Aborted,
    Retired,
    Wanted,
)
from tests.unit.deployment.worlds import (
    BLUE,
    CANARY,
    GREEN,
    NOW,
    PREVIEW,
    begun,
    deployed,
    edge,
    ledger,
    shares,
    stack,
    steps,
    world,
)

OLD = stack(BLUE, "r1")
NEW = stack(GREEN, "r2", 10, replaces_unhealthy=False)
SWAP = [
    "open the preview of green",
    "wait until the preview of green answers",
    "shift all traffic to green",
]


def stuck(status: str = "UPDATE_ROLLBACK_FAILED") -> Edge:
    return edge(blue=100, phase=StackPhase.STUCK, status=status, stuck=("Topic", "Guard"))


def continued(times: int) -> Watch:
    return Watch(continued=times)


BOTH = frozenset({"Guard", "Topic", "Rule"})
ONE = frozenset({"Topic"})


@pytest.mark.parametrize(
    ("watch", "may_skip", "first"),
    [
        (continued(0), frozenset(), "continue the edge's update"),
        (continued(0), BOTH, "continue the edge's update"),
        (continued(1), BOTH, "continue the edge's update without Guard, Topic"),
    ],
    ids=["as it is", "without leaving anything out at first", "then without what the file allows"],
)
def test_promise_3_a_stuck_update_of_the_edge_goes_on(watch: Watch, may_skip: frozenset[str], first: str) -> None:
    assert steps(world(stuck(), OLD, NEW, watch=watch), deployed("r2", may_skip=may_skip)) == [first, *SWAP]


@pytest.mark.parametrize(
    ("seen", "watch", "may_skip"),
    [
        (stuck(), continued(1), frozenset()),
        (stuck(), continued(1), ONE),
        (stuck(), continued(2), BOTH),
        (stuck("UPDATE_FAILED"), continued(0), BOTH),
    ],
    ids=["nothing may be left out", "not all of it may", "it was tried without", "it can't go on at all"],
)
def test_promise_7_a_stuck_edge_that_needs_a_person_says_what_to_do(
    seen: Edge, watch: Watch, may_skip: frozenset[str]
) -> None:
    end = plan(world(seen, OLD, NEW, watch=watch), deployed("r2", may_skip=may_skip), NOW)
    assert (end.steps, end.result) == ((), Result.DIRTY)
    assert f"the stack shop-prod-edge is {seen.status} (Topic, Guard)" in end.reason
    assert "edge_may_skip in the env's file name Topic, Guard" in end.reason


@pytest.mark.parametrize("wanted", [Aborted("ann"), Retired(timedelta(0))], ids=["aborted", "retired"])
def test_only_a_deployment_may_leave_something_out(wanted: Wanted) -> None:
    seen = world(stuck(), OLD, NEW, ledger=ledger(), watch=continued(1))
    assert plan(seen, wanted, NOW).result is Result.DIRTY


@pytest.mark.parametrize("phase", [StackPhase.BROKEN, StackPhase.DELETING])
def test_an_edge_that_can_only_go_needs_a_person(phase: StackPhase) -> None:
    seen = edge(blue=100, phase=phase, status="DELETE_FAILED")
    assert plan(world(seen, OLD), deployed("r2"), NOW).result is Result.DIRTY


# ---------------------------------------------------------------- busy


@pytest.mark.parametrize("status", ["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"])
def test_somebody_elses_update_of_the_edge_is_waited_for(status: str) -> None:
    seen = edge(blue=100, phase=StackPhase.BUSY, status=status)
    assert steps(world(seen, OLD, NEW), deployed("r2")) == ["wait until shop-prod-edge is settled", *SWAP]


def test_the_wait_looks_at_the_edge_alone_and_says_its_status() -> None:
    seen = edge(blue=100, phase=StackPhase.BUSY, status="UPDATE_IN_PROGRESS")
    step = plan(world(seen, OLD, NEW), deployed("r2"), NOW).steps[0]
    assert isinstance(step, Await)
    assert (step.part, step.reason) == (Part.EDGE, "its status is UPDATE_IN_PROGRESS")


def test_promise_3_even_an_end_waits_for_a_busy_edge() -> None:
    seen = edge(blue=100, phase=StackPhase.BUSY, status="UPDATE_IN_PROGRESS")
    assert steps(world(seen, OLD, answers={"r1": 12}), deployed("r1")) == ["wait until shop-prod-edge is settled"]


# ---------------------------------------------------------------- changed by hand


WEIGHTS = edge(100, 0, asked={BLUE: 0, GREEN: 100})
RULE = edge(100, 0, foreign_rules=("rule 5 (path-pattern)",))
NO_DRIFT = "was changed by hand"


@pytest.mark.parametrize(
    ("seen", "what"),
    [
        (WEIGHTS, "the listener has blue 100, green 0, its stack says blue 0, green 100"),
        (RULE, "rule 5 (path-pattern)"),
    ],
    ids=["weights", "rules"],
)
def test_what_was_changed_by_hand_is_shown_and_refused(seen: Edge, what: str) -> None:
    end = plan(world(seen, OLD, NEW), deployed("r2"), NOW)
    assert (end.steps, end.result) == ((), Result.ABORTED)
    assert f"shop-prod-edge was changed by hand ({what}); undo that, or run again with accept_drift: true" in end.reason


@pytest.mark.parametrize("seen", [WEIGHTS, RULE], ids=["weights", "rules"])
def test_unless_the_file_accepts_it(seen: Edge) -> None:
    assert steps(world(seen, OLD, NEW), deployed("r2", accept_drift=True)) == SWAP


@pytest.mark.parametrize("seen", [WEIGHTS, RULE], ids=["weights", "rules"])
def test_or_nothing_is_to_be_done(seen: Edge) -> None:
    assert plan(world(seen, OLD, NEW, {"r1": 12}), deployed("r1"), NOW).result is Result.NOTHING_TO_DO


def test_this_runs_own_shift_is_none() -> None:
    assert steps(world(WEIGHTS, OLD, NEW, watch=Watch(shifted=True)), deployed("r2")) == SWAP


@pytest.mark.parametrize("seen", [WEIGHTS, RULE], ids=["weights", "rules"])
def test_promise_3_what_is_under_way_comes_to_its_end_all_the_same(seen: Edge) -> None:
    assert steps(world(seen, OLD, NEW, ledger=ledger(begun("r2"))), deployed("r2")) == SWAP


def test_promise_3_a_rule_made_by_hand_does_not_leave_traffic_split() -> None:
    split = shares(90, 10, OLD, NEW, watch=Watch(proven_at=NOW - timedelta(hours=1)))
    foreign = edge(90, 10, foreign_rules=("rule 5 (path-pattern)",), preview=PREVIEW)
    seen = world(foreign, OLD, NEW, ledger=split.ledger, watch=split.watch)
    assert steps(seen, deployed("r2", strategy=CANARY))[0] == "shift 50 % of the traffic to green"


def test_an_edge_under_way_is_waited_for_before_it_is_called_changed() -> None:
    seen = edge(100, 0, asked={BLUE: 0, GREEN: 100}, phase=StackPhase.BUSY, status="UPDATE_IN_PROGRESS")
    assert steps(world(seen, OLD, NEW), deployed("r2"))[0] == "wait until shop-prod-edge is settled"
