# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts → the steps while traffic moves to a release, as tables."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    GateState,
    Observed,
    StackPhase,
    Watch,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan import plan
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan.shared import needed
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan.shifts import shown
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import Await, Result
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import (
    Deployed,
    GateRules,
    Strategy,
)
from tests.unit.deployment.worlds import (
    BLUE,
    CANARY,
    DEADLINE,
    GREEN,
    NOW,
    begun,
    deployed,
    edge,
    ledger,
    shares,
    stack,
    steps,
    verdict,
    world,
)

OLD = stack(BLUE, "r1")
NEW = stack(GREEN, "r2", 10)
PROVEN = Watch(proven_at=NOW - timedelta(minutes=5))
LINEAR = Strategy("linear", (40, 80, 100))


def proven(minutes: float, *states: GateState) -> Watch:
    """Requests have shown the weights for so long, and gates say this."""
    return Watch(proven_at=NOW - timedelta(minutes=minutes), verdicts=tuple(verdict(state) for state in states))


STEPS: dict[str, tuple[Observed, Deployed, list[str]]] = {
    "promise 3: a share counts when requests show it": (
        shares(90, 10, OLD, NEW),
        deployed("r2", strategy=CANARY),
        [
            "wait until requests show 10 % on green",
            "shift 50 % of the traffic to green",
            "wait until 50 % was watched for 5m",
            "shift all traffic to green",
        ],
    ),
    "then its bake time": (
        shares(90, 10, OLD, NEW, watch=proven(4)),
        deployed("r2", strategy=CANARY),
        [
            "wait until 10 % was watched for 5m",
            "shift 50 % of the traffic to green",
            "wait until 50 % was watched for 5m",
            "shift all traffic to green",
        ],
    ),
    "then the next": (
        shares(90, 10, OLD, NEW, watch=proven(5)),
        deployed("r2", strategy=CANARY),
        ["shift 50 % of the traffic to green", "wait until 50 % was watched for 5m", "shift all traffic to green"],
    ),
    "gates that passed let it go on": (
        shares(50, 50, OLD, NEW, watch=proven(5, GateState.PASSED)),
        deployed("r2", strategy=CANARY),
        ["shift all traffic to green"],
    ),
    "promise 6: an undecided gate holds it": (
        shares(50, 50, OLD, NEW, watch=proven(60, GateState.PASSED, GateState.UNDECIDED)),
        deployed("r2", strategy=CANARY),
        ["wait until alarms can say", "shift all traffic to green"],
    ),
    "promise 6: so does one that can't be read": (
        shares(50, 50, OLD, NEW, watch=proven(60, GateState.UNREADABLE)),
        deployed("r2", strategy=CANARY),
        ["wait until alarms can say", "shift all traffic to green"],
    ),
    "a gate need not decide before its bake time is over": (
        shares(50, 50, OLD, NEW, watch=proven(1, GateState.UNDECIDED)),
        deployed("r2", strategy=CANARY),
        ["wait until 50 % was watched for 5m", "shift all traffic to green"],
    ),
    "linear goes by equal parts": (
        shares(60, 40, OLD, NEW, watch=PROVEN),
        deployed("r2", strategy=LINEAR),
        ["shift 80 % of the traffic to green", "shift all traffic to green"],
    ),
    "a share between two of the file's goes on with the next higher": (
        shares(30, 70, OLD, NEW, watch=PROVEN),
        deployed("r2", strategy=CANARY),
        ["shift all traffic to green"],
    ),
    "a person is asked before the last shift": (
        shares(50, 50, OLD, NEW, watch=PROVEN),
        deployed("r2", strategy=CANARY, gates=GateRules(approval=True)),
        ["wait until a person says go", "shift all traffic to green"],
    ),
    "not before another": (
        shares(90, 10, OLD, NEW, watch=PROVEN),
        deployed("r2", strategy=CANARY, gates=GateRules(approval=True)),
        [
            "shift 50 % of the traffic to green",
            "wait until 50 % was watched for 5m",
            "wait until a person says go",
            "shift all traffic to green",
        ],
    ),
    "nor again once one has said go": (
        shares(50, 50, OLD, NEW, watch=PROVEN, ledger=ledger(begun("r2", approved_by="eve"))),
        deployed("r2", strategy=CANARY, gates=GateRules(approval=True)),
        ["shift all traffic to green"],
    ),
    "promise 2: the next share waits for its servers": (
        shares(
            50,
            50,
            stack(BLUE, "r1", desired=4, healthy=4, minimum=4),
            stack(GREEN, "r2", 10, desired=4, minimum=4, healthy=3),
            watch=PROVEN,
        ),
        deployed("r2", strategy=CANARY),
        ["wait until 4 servers of green are healthy", "shift all traffic to green"],
    ),
    "and needs no more than its part of them": (
        shares(
            90,
            10,
            stack(BLUE, "r1", desired=4, healthy=4, minimum=4),
            stack(GREEN, "r2", 10, desired=4, minimum=4, healthy=2),
            watch=PROVEN,
        ),
        deployed("r2", strategy=CANARY),
        ["shift 50 % of the traffic to green", "wait until 50 % was watched for 5m", "shift all traffic to green"],
    ),
    "promise 2: what the live colour grew to is held on both, also while a share is watched": (
        shares(90, 10, stack(BLUE, "r1", desired=4, healthy=4), NEW, watch=proven(1)),
        deployed("r2", strategy=CANARY),
        [
            "hold blue at 4 servers at least",
            "hold green at 4 servers at least",
            "wait until 10 % was watched for 5m",
            "shift 50 % of the traffic to green",
            "wait until 50 % was watched for 5m",
            "shift all traffic to green",
        ],
    ),
    "promise 2: also before requests showed it": (
        shares(50, 50, OLD, NEW, ledger=ledger(begun("r2", baseline=3))),
        deployed("r2", strategy=CANARY),
        [
            "hold blue at 3 servers at least",
            "hold green at 3 servers at least",
            "wait until requests show 50 % on green",
            "shift all traffic to green",
        ],
    ),
    "promise 2: and before the next shift": (
        shares(50, 50, OLD, NEW, watch=PROVEN, ledger=ledger(begun("r2", baseline=3))),
        deployed("r2", strategy=CANARY),
        ["hold blue at 3 servers at least", "hold green at 3 servers at least", "shift all traffic to green"],
    ),
    "all traffic is proven, watched and judged too": (
        shares(0, 100, OLD, NEW),
        deployed("r2", strategy=CANARY),
        ["wait until requests show 100 % on green"],
    ),
    "its bake time too": (
        shares(0, 100, OLD, NEW, watch=proven(1)),
        deployed("r2", strategy=CANARY),
        ["wait until 100 % was watched for 5m"],
    ),
    "its gates too": (
        shares(0, 100, OLD, NEW, watch=proven(5, GateState.UNDECIDED)),
        deployed("r2", strategy=CANARY),
        ["wait until alarms can say"],
    ),
    "at the end what was held is given back on the new colour; the old one keeps its size through its window": (
        shares(
            0,
            100,
            stack(BLUE, "r1", original_minimum=1),
            stack(GREEN, "r2", 10, original_minimum=1, replaces_unhealthy=False),
            watch=PROVEN,
        ),
        deployed("r2", strategy=CANARY),
        ["replace unhealthy servers of green again", "restore the minimum of green to 1 server"],
    ),
}


@pytest.mark.parametrize(("observed", "wanted", "expected"), STEPS.values(), ids=STEPS.keys())
def test_steps(observed: Observed, wanted: Deployed, expected: list[str]) -> None:
    assert steps(observed, wanted) == expected


def first_wait(observed: Observed, wanted: Deployed) -> Await:
    step = plan(observed, wanted, NOW).steps[0]
    assert isinstance(step, Await)
    return step


def test_the_time_left_of_a_bake_time_and_the_gates_figures_are_told() -> None:
    step = first_wait(shares(50, 50, OLD, NEW, watch=proven(4, GateState.PASSED)), deployed("r2", strategy=CANARY))
    assert (step.left, step.reason) == (timedelta(minutes=1), "alarms: shop-5xx is in ALARM")


def test_a_gate_that_can_not_say_has_as_long_as_a_person() -> None:
    seen = shares(50, 50, OLD, NEW, watch=proven(5, GateState.UNDECIDED))
    gates = GateRules(approval_deadline=timedelta(hours=2))
    assert first_wait(seen, deployed("r2", strategy=CANARY, gates=gates)).patience == timedelta(hours=2)


def test_servers_for_the_next_share_are_waited_for_as_long_as_the_file_says() -> None:
    few = stack(GREEN, "r2", 10, healthy=1)
    assert first_wait(shares(50, 50, OLD, few, watch=PROVEN), deployed("r2", strategy=CANARY)).patience == DEADLINE


def test_what_requests_showed_so_far_is_told() -> None:
    seen = shares(50, 50, OLD, NEW, answers={"r1": 12, "": 1})
    assert first_wait(seen, deployed("r2", strategy=CANARY)).seen == "seen: 1 × no release, 12 × r1"


def test_the_end_is_deployed_once_all_traffic_was_watched() -> None:
    end = plan(shares(0, 100, OLD, NEW, watch=PROVEN), deployed("r2", strategy=CANARY), NOW)
    assert (end.steps, end.result, end.proven) == ((), Result.DEPLOYED, True)


def test_promise_7_an_end_that_no_request_showed_says_so() -> None:
    watch = Watch(proven_at=NOW - timedelta(minutes=5), unproven=True)
    assert not plan(shares(0, 100, OLD, NEW, watch=watch), deployed("r2", strategy=CANARY), NOW).proven


@pytest.mark.parametrize(
    ("least", "share", "servers"),
    [(2, 100, 2), (3, 50, 2), (4, 50, 2), (4, 51, 3), (3, 1, 1), (10, 10, 1), (10, 11, 2), (0, 50, 0)],
)
def test_promise_2_servers_for_a_share_are_rounded_up(least: int, share: int, servers: int) -> None:
    assert needed(least, share) == servers


@pytest.mark.parametrize(
    ("green", "answers", "shows"),
    [
        (50, None, False),
        (50, {}, False),
        (50, {"r1": 6, "r2": 6}, True),
        (50, {"r1": 12}, False),
        (50, {"r2": 12}, False),
        (50, {"r1": 6, "r2": 5, "": 1}, False),
        (50, {"r1": 6, "r2": 5, "r0": 1}, False),
        (50, {"r1": 99, "r2": 1}, False),
        (10, {"r1": 11, "r2": 1}, True),
        (10, {"r1": 60, "r2": 60}, False),
        (100, {"r2": 12}, True),
        (100, {"r1": 1, "r2": 11}, False),
    ],
)
def test_promise_3_what_requests_must_show(green: int, answers: dict[str, int] | None, shows: bool) -> None:
    assert shown(world(edge(100 - green, green), OLD, NEW, answers), GREEN) is shows


# ---------------------------------------------------------------- traffic is split, and no record says why


def test_promise_3_a_lost_record_and_the_release_goes_on_from_its_share() -> None:
    assert steps(world(edge(90, 10), OLD, NEW, watch=PROVEN), deployed("r2", strategy=CANARY)) == [
        "shift 50 % of the traffic to green",
        "wait until 50 % was watched for 5m",
        "shift all traffic to green",
    ]


def test_promise_3_a_lost_record_and_the_older_release_takes_the_traffic_back() -> None:
    assert steps(world(edge(90, 10), OLD, NEW, watch=PROVEN), deployed("r1", strategy=CANARY)) == [
        "shift all traffic to blue"
    ]


def test_promise_1_a_lost_record_and_servers_that_fail_turn_it_back() -> None:
    ailing = stack(GREEN, "r2", 10, healthy=0, ailing=2)
    assert steps(world(edge(90, 10), OLD, ailing, watch=PROVEN), deployed("r2", strategy=CANARY)) == [
        "turn all traffic back to blue",
        "bring the edge's stack into line: all traffic to blue",
    ]


def test_split_traffic_that_the_release_can_not_take_needs_a_person() -> None:
    end = plan(world(edge(50, 50), OLD, NEW), deployed("r3"), NOW)
    assert (end.steps, end.result) == ((), Result.DIRTY)
    assert "traffic is split (blue 50, green 50) and r3 can't serve all of it" in end.reason


def test_a_colour_with_traffic_whose_stack_is_not_ready_needs_a_person() -> None:
    broken = stack(GREEN, "r2", 10, phase=StackPhase.DELETING)
    assert plan(shares(50, 50, OLD, broken, watch=PROVEN), deployed("r2"), NOW).result is Result.DIRTY


def test_promise_5_a_record_that_does_not_fit_gives_all_traffic_to_none_that_is_too_small() -> None:
    """The record says green, where another release is by now; the wanted one is nowhere."""
    seen = shares(50, 50, OLD, stack(GREEN, "r0", 10), watch=PROVEN)
    assert plan(seen, deployed("r2"), NOW).result is Result.DIRTY
