# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Any env, any wish: what a plan never does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.forecast import forecast
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    Colour,
    ColourStack,
    DeleteColour,
    Edge,
    Observed,
    Retired,
    RolledBack,
    Shift,
    StackPhase,
    Wanted,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan import plan
from tests.unit.deployment.worlds import BLUE, DEADLINE, GREEN, NOW, deployed, edge, stack, world

WEIGHTS = st.sampled_from([0, 1, 50, 100])
RELEASES = st.sampled_from(["r1", "r2", "r3"])
MOST_ROUNDS = 20


@st.composite
def stacks(draw: st.DrawFn, colour: Colour) -> ColourStack | None:
    if draw(st.booleans()):
        return None
    phase = draw(st.sampled_from(StackPhase))
    desired = draw(st.integers(1, 6))
    return stack(
        colour,
        draw(RELEASES),
        draw(st.integers(0, 100)),
        phase=phase,
        desired=desired,
        healthy=draw(st.integers(0, desired)),
        maximum=draw(st.integers(desired, 8)),
    )


@st.composite
def edges(draw: st.DrawFn) -> Edge:
    return edge(draw(WEIGHTS), draw(WEIGHTS), phase=draw(st.sampled_from(StackPhase)))


@st.composite
def worlds(draw: st.DrawFn) -> Observed:
    answers = draw(st.none() | st.dictionaries(RELEASES, st.integers(1, 12), min_size=1))
    return world(draw(edges()), draw(stacks(BLUE)), draw(stacks(GREEN)), answers)


WISHES: st.SearchStrategy[Wanted] = st.one_of(
    st.builds(deployed, RELEASES, st.integers(1, 3), st.integers(3, 6)),
    st.just(RolledBack(DEADLINE)),
    st.builds(Retired, st.just(timedelta(minutes=10)), st.booleans()),
)


@settings(max_examples=1000)
@given(worlds(), WISHES)
def test_promise_5_a_colour_with_traffic_is_never_deleted(seen: Observed, wanted: Wanted) -> None:
    weights = dict(seen.edge.weights)
    for step in plan(seen, wanted, NOW).steps:
        if isinstance(step, Shift):
            weights = dict(step.weights)
        if isinstance(step, DeleteColour):
            assert weights[step.colour] == 0


@settings(max_examples=1000)
@given(worlds(), WISHES)
def test_promise_2_traffic_never_goes_to_a_colour_with_too_few_healthy_servers(seen: Observed, wanted: Wanted) -> None:
    steps = plan(seen, wanted, NOW).steps
    if steps and isinstance(steps[0], Shift):
        to, other = seen.colours[steps[0].to], seen.colours[steps[0].to.other]
        assert to is not None
        assert to.healthy >= to.desired
        baseline = other.desired if other and seen.edge.weights[other.colour] else 0
        assert to.healthy >= min(baseline, to.maximum, getattr(getattr(wanted, "capacity", None), "maximum", 99))


@settings(max_examples=1000)
@given(worlds(), WISHES)
def test_promise_3_it_ends_in_a_bounded_number_of_steps(seen: Observed, wanted: Wanted) -> None:
    """Each first step is done, and planned again from what it leads to; waits come true."""
    for _ in range(MOST_ROUNDS):
        steps = plan(seen, wanted, NOW).steps
        if not steps:
            return
        seen = settle(forecast(seen, steps[:1], wanted, NOW))
    raise AssertionError(f"still planning after {MOST_ROUNDS} rounds: {steps}")


def settle(seen: Observed) -> Observed:
    """What time does: operations end well, deleted stacks are gone, servers become healthy."""
    ended = edge(*(seen.edge.weights[colour] for colour in Colour)) if seen.edge.phase is StackPhase.BUSY else seen.edge
    return Observed(ended, {colour: settle_colour(there) for colour, there in seen.colours.items()})


def settle_colour(there: ColourStack | None) -> ColourStack | None:
    if there is None or there.phase is StackPhase.DELETING:
        return None
    phase = StackPhase.READY if there.phase is StackPhase.BUSY else there.phase
    return replace(there, phase=phase, healthy=there.desired)
