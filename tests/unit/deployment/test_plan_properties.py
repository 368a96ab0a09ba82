# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Any env, any wish: what a plan never does."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given, settings

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    Colour,
    GateState,
    Observed,
    StackPhase,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan import plan
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan.shared import needed
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import (
    Align,
    Await,
    ClosePreview,
    CreateColour,
    DeleteColour,
    HoldMinimum,
    OpenPreview,
    Plan,
    RestoreMinimum,
    Result,
    ResumeReplacing,
    Shift,
    Step,
    SuspendReplacing,
    TurnBack,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import (
    Deployed,
    Wanted,
)
from tests.unit.deployment.any_world import LIVES
from tests.unit.deployment.worlds import NOW

Promise = Callable[[Observed, Wanted, Plan], None]


def promise_5_a_colour_with_traffic_is_never_deleted(seen: Observed, _wanted: Wanted, made: Plan) -> None:
    weights = dict(seen.edge.weights)
    for step in made.steps:
        weights = dict(step.weights) if isinstance(step, (Shift, TurnBack, Align)) else weights
        assert not isinstance(step, DeleteColour) or weights[step.colour] == 0


def promise_5_the_last_colour_that_serves_keeps_its_traffic(seen: Observed, _wanted: Wanted, made: Plan) -> None:
    """A step that takes all traffic from a colour with healthy servers gives it to one that has some too."""
    step = made.steps[0] if made.steps else None
    if isinstance(step, (Shift, TurnBack, Align)):
        for colour, weight in step.weights.items():
            loser, winner = seen.colours[colour], seen.colours[colour.other]
            if weight == 0 and seen.edge.share(colour) > 0 and loser and loser.healthy:
                assert winner is not None and winner.healthy > 0 and winner.phase is not StackPhase.DELETING


def promise_2_a_shift_goes_to_a_colour_with_enough_healthy_servers(seen: Observed, wanted: Wanted, made: Plan) -> None:
    step = made.steps[0] if made.steps else None
    if isinstance(step, Shift):
        to, other, begun = seen.colours[step.to], seen.colours[step.to.other], seen.ledger.deployment
        assert to is not None
        live = other.desired if other and seen.edge.weights[other.colour] else 0
        most = min(to.maximum, wanted.capacity.maximum if isinstance(wanted, Deployed) else to.maximum)
        assert to.healthy >= needed(min(max(live, begun.baseline if begun else 0), most), step.share)


def promise_6_a_failed_gate_never_lets_more_traffic_through(seen: Observed, wanted: Wanted, made: Plan) -> None:
    failed = any(verdict.state is GateState.FAILED for verdict in seen.watch.verdicts)
    if failed and seen.ledger.deployment and isinstance(wanted, Deployed):
        assert not any(isinstance(step, Shift) for step in made.steps)


def promise_6_an_undecided_gate_never_lets_the_next_shift_through(seen: Observed, wanted: Wanted, made: Plan) -> None:
    begun = seen.ledger.deployment
    undecided = any(verdict.state is not GateState.PASSED for verdict in seen.watch.verdicts)
    if undecided and begun and isinstance(wanted, Deployed) and seen.edge.share(begun.colour) > 0:
        assert not made.steps or not isinstance(made.steps[0], Shift)


def promise_6_what_was_turned_back_stays_so(seen: Observed, wanted: Wanted, made: Plan) -> None:
    begun, guard = seen.ledger.deployment, seen.ledger.guard
    back = begun and (
        begun.turned_back or begun.abort_by or (guard and guard.fired_at and isinstance(wanted, Deployed))
    )
    if begun and back:
        assert not any(isinstance(step, (Shift, TurnBack)) and step.weights[begun.colour] for step in made.steps)


def promise_4_another_deployment_is_left_alone(seen: Observed, wanted: Wanted, made: Plan) -> None:
    begun = seen.ledger.deployment
    if begun and isinstance(wanted, Deployed) and begun.identity != wanted.identity:
        assert made.result in (Result.ABORTED, Result.DIRTY)
        assert all(isinstance(step, Await) or "continue" in str(step) for step in made.steps)


def no_step_undoes_another(_seen: Observed, _wanted: Wanted, made: Plan) -> None:
    for one, later in itertools.combinations(made.steps, 2):
        assert (one, later) not in _contradictions(one, later), f"{one}, then {later}"


def _contradictions(one: Step, later: Step) -> list[tuple[Step, Step]]:
    pair = [(one, later)]
    same = getattr(one, "colour", 1) is getattr(later, "colour", 2)
    opposite = {SuspendReplacing: ResumeReplacing, HoldMinimum: RestoreMinimum, CreateColour: DeleteColour}
    for kind, contrary in [*opposite.items(), *((value, key) for key, value in opposite.items())]:
        if same and isinstance(one, kind) and isinstance(later, contrary) and kind is not DeleteColour:
            return pair
    if isinstance(one, ClosePreview) and isinstance(later, OpenPreview):
        return pair
    if isinstance(one, (Shift, TurnBack, Align)) and isinstance(later, (Shift, TurnBack, Align)):
        rises = isinstance(one, Shift) and isinstance(later, Shift) and later.share > one.share
        return [] if one.to is later.to and (rises or not isinstance(one, Shift)) else pair
    return []


def writes_wait_for_a_busy_edge_unless_users_are_hurt(seen: Observed, _wanted: Wanted, made: Plan) -> None:
    if seen.edge.phase is StackPhase.BUSY and made.steps:
        assert isinstance(made.steps[0], (Await, TurnBack)) or str(made.steps[0]) == "cancel the edge's update"


def promise_7_every_end_and_every_step_has_a_reason(_seen: Observed, _wanted: Wanted, made: Plan) -> None:
    assert made.reason
    assert all(step.reason and "\n" not in step.reason for step in made.steps)


def a_colour_is_made_only_where_there_is_none(seen: Observed, _wanted: Wanted, made: Plan) -> None:
    there = {colour for colour in Colour if seen.colours[colour]}
    for step in made.steps:
        if isinstance(step, Await) and step.what.endswith("is deleted") and step.colour:
            there.discard(step.colour)
        if isinstance(step, CreateColour):
            assert step.colour not in there


PROMISES: tuple[Promise, ...] = (
    promise_2_a_shift_goes_to_a_colour_with_enough_healthy_servers,
    promise_4_another_deployment_is_left_alone,
    promise_5_a_colour_with_traffic_is_never_deleted,
    promise_5_the_last_colour_that_serves_keeps_its_traffic,
    promise_6_a_failed_gate_never_lets_more_traffic_through,
    promise_6_an_undecided_gate_never_lets_the_next_shift_through,
    promise_6_what_was_turned_back_stays_so,
    promise_7_every_end_and_every_step_has_a_reason,
    no_step_undoes_another,
    writes_wait_for_a_busy_edge_unless_users_are_hurt,
    a_colour_is_made_only_where_there_is_none,
)


def keeps_all(seen: Observed, wanted: Wanted) -> None:
    """All promises of one plan, since making up an env takes longer than looking at it."""
    made = plan(seen, wanted, NOW)
    for promise in PROMISES:
        promise(seen, wanted, made)


@settings(max_examples=600)
@given(LIVES)
def test_whatever_is_seen_and_wanted(life: tuple[Observed, Wanted]) -> None:
    keeps_all(*life)


@pytest.mark.long
@settings(max_examples=10_000)
@given(LIVES)
def test_whatever_is_seen_and_wanted_ten_thousand_times(life: tuple[Observed, Wanted]) -> None:
    keeps_all(*life)
