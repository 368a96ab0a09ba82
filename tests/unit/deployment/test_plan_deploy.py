# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts → the steps of a deployment, as tables."""

from __future__ import annotations

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    Colour,
    ColourStack,
    Deployed,
    Edge,
    Observed,
    Result,
    StackPhase,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan import plan
from tests.unit.deployment.worlds import BLUE, GREEN, NOW, deployed, edge, stack, world

Case = tuple[Observed, Deployed, list[str]]


def steps(observed: Observed, wanted: Deployed, created: frozenset[str] = frozenset()) -> list[str]:
    return [str(step) for step in plan(observed, wanted, NOW, created).steps]


LIVE_R1 = stack(BLUE, "r1")

CASES: dict[str, Case] = {
    "the first release goes to blue": (
        world(edge()),
        deployed("r1"),
        ["create blue with 2 servers", "wait until 2 servers of blue are healthy", "shift all traffic to blue"],
    ),
    "the next goes to the idle colour": (
        world(edge(blue=100), LIVE_R1),
        deployed("r2"),
        ["create green with 2 servers", "wait until 2 servers of green are healthy", "shift all traffic to green"],
    ),
    "it starts with as many servers as the live colour wants now": (
        world(edge(blue=100), stack(BLUE, "r1", desired=3, healthy=3)),
        deployed("r2"),
        ["create green with 3 servers", "wait until 3 servers of green are healthy", "shift all traffic to green"],
    ),
    "but never with more than the env's maximum": (
        world(edge(blue=100), stack(BLUE, "r1", desired=9, healthy=9, maximum=9)),
        deployed("r2", maximum=4),
        ["create green with 4 servers", "wait until 4 servers of green are healthy", "shift all traffic to green"],
    ),
    "an older release makes room first": (
        world(edge(green=100), stack(BLUE, "r1"), stack(GREEN, "r2")),
        deployed("r3"),
        [
            "delete blue",
            "wait until blue is deleted",
            "create blue with 2 servers",
            "wait until 2 servers of blue are healthy",
            "shift all traffic to blue",
        ],
    ),
    "a colour that is being deleted is waited for": (
        world(edge(green=100), stack(BLUE, "r1", phase=StackPhase.DELETING), stack(GREEN, "r2")),
        deployed("r3"),
        [
            "wait until blue is deleted",
            "create blue with 2 servers",
            "wait until 2 servers of blue are healthy",
            "shift all traffic to blue",
        ],
    ),
    "killed while the colour was made: the same command waits for it": (
        world(edge(blue=100), LIVE_R1, stack(GREEN, "r2", 1, phase=StackPhase.BUSY)),
        deployed("r2"),
        ["wait until green is made", "wait until 2 servers of green are healthy", "shift all traffic to green"],
    ),
    "killed before the shift: the same command shifts": (
        world(edge(blue=100), LIVE_R1, stack(GREEN, "r2", 1)),
        deployed("r2"),
        ["shift all traffic to green"],
    ),
    "no traffic before every server is healthy": (
        world(edge(blue=100), LIVE_R1, stack(GREEN, "r2", 1, healthy=1)),
        deployed("r2"),
        ["wait until 2 servers of green are healthy", "shift all traffic to green"],
    ),
    "the live colour has grown meanwhile: the new one grows with it": (
        world(edge(blue=100), stack(BLUE, "r1", desired=4, healthy=4), stack(GREEN, "r2", 1)),
        deployed("r2"),
        ["scale green to 4 servers", "wait until 4 servers of green are healthy", "shift all traffic to green"],
    ),
    "a failed attempt of an earlier run is removed and made again": (
        world(edge(blue=100), LIVE_R1, stack(GREEN, "r2", 1, phase=StackPhase.BROKEN, status="ROLLBACK_COMPLETE")),
        deployed("r2"),
        [
            "delete green",
            "wait until green is deleted",
            "create green with 2 servers",
            "wait until 2 servers of green are healthy",
            "shift all traffic to green",
        ],
    ),
    "a release that was rolled back and is still warm gets traffic at once": (
        world(edge(blue=100), LIVE_R1, stack(GREEN, "r2", 30)),
        deployed("r2"),
        ["shift all traffic to green"],
    ),
    "split traffic is joined by one of its two releases": (
        world(edge(blue=50, green=50), LIVE_R1, stack(GREEN, "r2")),
        deployed("r2"),
        ["shift all traffic to green"],
    ),
    "an edge that is being updated is waited for": (
        world(edge(blue=100, phase=StackPhase.BUSY, status="UPDATE_IN_PROGRESS"), LIVE_R1, stack(GREEN, "r2", 1)),
        deployed("r2"),
        ["wait until shop-prod-edge is settled", "shift all traffic to green"],
    ),
}


@pytest.mark.parametrize(("observed", "wanted", "expected"), CASES.values(), ids=CASES.keys())
def test_steps(observed: Observed, wanted: Deployed, expected: list[str]) -> None:
    assert steps(observed, wanted) == expected


def test_the_release_that_serves_is_nothing_to_do() -> None:
    end = plan(world(edge(blue=100), LIVE_R1, answers={"r1": 12}), deployed("r1"), NOW)
    assert (end.steps, end.result, end.proven) == ((), Result.NOTHING_TO_DO, True)


def test_promise_3_a_shift_is_not_done_while_the_old_release_still_answers() -> None:
    seen = world(edge(green=100), LIVE_R1, stack(GREEN, "r2", 1), answers={"r1": 1, "r2": 11})
    assert steps(seen, deployed("r2")) == ["wait until every response names r2"]


def test_without_a_way_to_the_load_balancer_the_end_is_unproven() -> None:
    assert not plan(world(edge(blue=100), LIVE_R1), deployed("r1"), NOW).proven


def test_promise_6_a_colour_that_never_gets_healthy_gets_no_traffic() -> None:
    late = stack(GREEN, "r2", 11, healthy=0, unhealthy_because="i-1: Target.FailedHealthChecks, codes: [503]")
    end = plan(world(edge(blue=100), LIVE_R1, late), deployed("r2"), NOW, created=frozenset({late.stack_id}))
    assert (end.steps, end.result) == ((), Result.ABORTED)
    assert "0 of 2 servers of green" in end.reason
    assert "Target.FailedHealthChecks" in end.reason


def test_a_colour_that_this_run_could_not_make_ends_it_with_the_cause() -> None:
    broken = stack(
        GREEN, "r2", 1, phase=StackPhase.BROKEN, status="ROLLBACK_COMPLETE", failed_because="Group: no quota"
    )
    end = plan(world(edge(blue=100), LIVE_R1, broken), deployed("r2"), NOW, created=frozenset({broken.stack_id}))
    assert (end.steps, end.result) == ((), Result.ABORTED)
    assert "no quota" in end.reason


def test_split_traffic_that_the_release_can_not_take_needs_a_person() -> None:
    seen = world(edge(blue=50, green=50), LIVE_R1, stack(GREEN, "r2"))
    assert plan(seen, deployed("r3"), NOW).result is Result.DIRTY


@pytest.mark.parametrize("split", [edge(blue=50, green=50), edge(blue=1, green=99)])
@pytest.mark.parametrize("colour", [BLUE, GREEN])
def test_promise_5_split_traffic_never_goes_to_a_colour_that_is_too_small(split: Edge, colour: Colour) -> None:
    stacks: dict[Colour, ColourStack] = {BLUE: LIVE_R1, GREEN: stack(GREEN, "r2")}
    stacks[colour] = stack(colour, stacks[colour].release, healthy=1)
    seen = world(split, stacks[BLUE], stacks[GREEN])
    assert plan(seen, deployed(stacks[colour].release), NOW).result is Result.DIRTY


def test_an_edge_that_is_stuck_needs_a_person() -> None:
    stuck = edge(blue=100, phase=StackPhase.STUCK, status="UPDATE_ROLLBACK_FAILED")
    end = plan(world(stuck, LIVE_R1), deployed("r2"), NOW)
    assert (end.steps, end.result) == ((), Result.DIRTY)
    assert "UPDATE_ROLLBACK_FAILED" in end.reason


def test_every_step_has_a_reason() -> None:
    for observed, wanted, _expected in CASES.values():
        assert all(step.reason for step in plan(observed, wanted, NOW).steps)
