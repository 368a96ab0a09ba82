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
    Aborted,
    Colour,
    ColourStack,
    Deployed,
    Deployment,
    Edge,
    GateRules,
    GateState,
    GuardOrder,
    LedgerSeen,
    Observed,
    Preview,
    Retired,
    RolledBack,
    StackPhase,
    Strategy,
    Verdict,
    Wanted,
    Watch,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan import plan
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import (
    Align,
    Await,
    CancelUpdate,
    ClosePreview,
    ContinueUpdate,
    CreateColour,
    DeleteColour,
    OpenPreview,
    Result,
    ResumeReplacing,
    RunCommand,
    Shift,
    Step,
    SuspendReplacing,
    TurnBack,
)
from tests.unit.deployment.worlds import BLUE, DEADLINE, GREEN, NOW, begun, deployed, edge, stack, world

WEIGHTS = st.sampled_from([(0, 0), (100, 0), (0, 100), (75, 25), (50, 50), (1, 999)])
RELEASES = st.sampled_from(["r1", "r2", "r3"])
STRATEGIES = st.sampled_from(
    [Strategy(), Strategy("canary", (5, 50, 100), timedelta(minutes=5)), Strategy("linear", (50, 100))]
)
STATUSES = {
    StackPhase.READY: "UPDATE_COMPLETE",
    StackPhase.BUSY: "UPDATE_IN_PROGRESS",
    StackPhase.STUCK: "UPDATE_ROLLBACK_FAILED",
}
MOST_ROUNDS = 40


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
        minimum=draw(st.integers(1, desired)),
        healthy=draw(st.integers(0, desired)),
        ailing=draw(st.integers(0, 1)),
        maximum=draw(st.integers(desired, 8)),
        original_minimum=draw(st.none() | st.integers(1, 3)),
        replaces_unhealthy=draw(st.booleans()),
    )


@st.composite
def edges(draw: st.DrawFn) -> Edge:
    phase = draw(st.sampled_from(StackPhase))
    asked = dict(zip((BLUE, GREEN), draw(WEIGHTS), strict=True))
    weights = draw(WEIGHTS)
    return edge(
        *weights,
        phase=phase,
        status=STATUSES.get(phase, "CREATE_FAILED"),
        asked=asked if draw(st.booleans()) else dict(zip((BLUE, GREEN), weights, strict=True)),
        preview=draw(st.none() | st.builds(Preview, st.sampled_from(Colour), st.just("aa"))),
        foreign_rules=draw(st.sampled_from([(), ("rule 5 (path-pattern)",)])),
        stuck=draw(st.sampled_from([(), ("Topic",)])),
    )


@st.composite
def deployments(draw: st.DrawFn) -> Deployment | None:
    colour = draw(st.sampled_from(Colour))
    return draw(
        st.none()
        | st.builds(
            begun,
            RELEASES,
            st.just(colour),
            st.sampled_from([None, colour.other]),
            kind=st.sampled_from(["deploy", "rollback"]),
            baseline=st.integers(0, 6),
            turned_back=st.sampled_from(["", "gate alarms failed"]),
            abort_by=st.sampled_from(["", "bob"]),
            approved_by=st.sampled_from(["", "eve"]),
        )
    )


@st.composite
def ledgers(draw: st.DrawFn) -> LedgerSeen:
    deployment = draw(deployments())
    if deployment is None or draw(st.booleans()):
        return LedgerSeen(deployment=deployment)
    safe = {deployment.colour: 0, deployment.colour.other: 100}
    fired = draw(st.booleans())
    guard = GuardOrder(deployment.id, safe, ("errors",), not fired, NOW if fired else None, "errors" if fired else "")
    return LedgerSeen(deployment=deployment, guard=guard)


VERDICTS = st.builds(Verdict, st.just("alarms"), st.sampled_from(GateState), st.just("said"), st.just(NOW))
WATCHES = st.builds(
    Watch,
    proven_at=st.sampled_from([None, NOW, NOW - timedelta(hours=1)]),
    preview_shown=st.booleans(),
    command=st.none() | VERDICTS,
    verdicts=st.tuples(VERDICTS) | st.just(()),
    shifted=st.booleans(),
    continued=st.integers(0, 3),
)


@st.composite
def worlds(draw: st.DrawFn) -> Observed:
    answers = draw(st.none() | st.dictionaries(RELEASES, st.integers(1, 12), min_size=1))
    return world(
        draw(edges()),
        draw(stacks(BLUE)),
        draw(stacks(GREEN)),
        answers,
        ledger=draw(ledgers()),
        watch=draw(WATCHES),
        idle_requests=draw(st.integers(0, 1)),
    )


GATES = st.builds(GateRules, st.sampled_from(["", "smoke"]), st.booleans())
WISHES: st.SearchStrategy[Wanted] = st.one_of(
    st.builds(
        deployed,
        RELEASES,
        st.integers(1, 3),
        st.integers(3, 6),
        strategy=STRATEGIES,
        gates=GATES,
        accept_drift=st.booleans(),
        may_skip=st.sampled_from([frozenset(), frozenset({"Topic"})]),
    ),
    st.builds(RolledBack, st.just(DEADLINE), STRATEGIES, st.just("ann")),
    st.builds(Retired, st.just(timedelta(minutes=10)), st.just(timedelta(hours=1)), st.booleans()),
    st.just(Aborted("ann")),
)


def after(weights: dict[Colour, int], step: Step) -> dict[Colour, int]:
    return dict(step.weights) if isinstance(step, (Shift, TurnBack, Align)) else weights


@settings(max_examples=300)
@given(worlds(), WISHES)
def test_promise_5_a_colour_with_traffic_is_never_deleted(seen: Observed, wanted: Wanted) -> None:
    weights = dict(seen.edge.weights)
    for step in plan(seen, wanted, NOW).steps:
        weights = after(weights, step)
        if isinstance(step, DeleteColour):
            assert weights[step.colour] == 0


@settings(max_examples=300)
@given(worlds(), WISHES)
def test_promise_5_traffic_is_never_taken_from_the_only_colour_that_can_serve(seen: Observed, wanted: Wanted) -> None:
    """The next step may give everything only to a colour that has a healthy server, or that shares the traffic now."""
    steps = plan(seen, wanted, NOW).steps
    if steps and isinstance(steps[0], (Shift, TurnBack, Align)):
        for colour, weight in steps[0].weights.items():
            if weight == 100 and seen.edge.share(colour) < 100:
                to, other = seen.colours[colour], seen.colours[colour.other]
                assert to is not None
                assert to.healthy > 0 or seen.edge.share(colour) > 0 or other is None or other.healthy == 0


@settings(max_examples=300)
@given(worlds(), WISHES)
def test_promise_2_a_shift_goes_to_a_colour_with_enough_healthy_servers(seen: Observed, wanted: Wanted) -> None:
    steps = plan(seen, wanted, NOW).steps
    if steps and isinstance(steps[0], Shift):
        to, other = seen.colours[steps[0].to], seen.colours[steps[0].to.other]
        assert to is not None
        needed = other.desired if other and seen.edge.weights[other.colour] else 0
        most = wanted.capacity.maximum if isinstance(wanted, Deployed) else to.maximum
        assert to.healthy * 100 >= min(needed, to.maximum, most) * steps[0].share


@settings(max_examples=300)
@given(worlds(), WISHES)
def test_promise_6_a_failed_gate_never_lets_more_traffic_through(seen: Observed, wanted: Wanted) -> None:
    failed = [verdict for verdict in seen.watch.verdicts if verdict.state is GateState.FAILED]
    deployment = seen.ledger.deployment
    if failed and deployment and isinstance(wanted, Deployed):
        assert not any(isinstance(step, Shift) for step in plan(seen, wanted, NOW).steps)


@settings(max_examples=300)
@given(worlds(), WISHES)
def test_promise_6_what_the_guard_turned_back_stays_so(seen: Observed, wanted: Wanted) -> None:
    deployment, guard = seen.ledger.deployment, seen.ledger.guard
    if deployment and guard and guard.fired_at and deployment.kind == "deploy":
        for step in plan(seen, wanted, NOW).steps:
            assert not isinstance(step, Shift)


@settings(max_examples=300)
@given(worlds(), WISHES)
def test_promise_3_it_ends_in_a_bounded_number_of_steps(seen: Observed, wanted: Wanted) -> None:
    """Each first step is done, and planned again from what it leads to; waits come true."""
    steps: tuple[Step, ...] = ()
    for _ in range(MOST_ROUNDS):
        end = plan(seen, wanted, NOW)
        steps = end.steps
        if not steps:
            return
        seen = come_true(seen, steps[0], wanted)
    raise AssertionError(f"still planning after {MOST_ROUNDS} rounds: {steps}")


@settings(max_examples=300)
@given(worlds(), WISHES)
def test_a_plan_without_steps_is_an_end_with_a_reason(seen: Observed, wanted: Wanted) -> None:
    end = plan(seen, wanted, NOW)
    assert end.reason
    assert end.steps or end.result in Result
    assert not any("\n" in step.reason for step in end.steps)


def come_true(seen: Observed, step: Step, wanted: Wanted) -> Observed:
    """The world after a step: what it does is done, operations end well, deleted stacks go, servers become healthy,
    requests show the weights, gates pass, people say go."""
    done = forecast(seen, (step,), wanted, NOW)
    weights = done.edge.weights
    shows = step.__class__ in (Shift, TurnBack, Align)
    facts = {"phase": StackPhase.READY} if seen.edge.phase is StackPhase.BUSY else {}
    if isinstance(step, ContinueUpdate):
        facts = {"phase": StackPhase.READY}
    if isinstance(step, TurnBack):
        facts |= {"asked": seen.edge.asked}
    now = replace(done.edge, status="UPDATE_COMPLETE" if facts else seen.edge.status, weights=weights, **facts)
    if isinstance(step, (OpenPreview, ClosePreview)):
        now = replace(now, preview=Preview(step.colour, "bb") if isinstance(step, OpenPreview) else None)
    if isinstance(step, Align) or (isinstance(step, Shift) and step.share == 100):
        now = replace(now, preview=None)
    passed = Verdict("alarms", GateState.PASSED, "said", NOW)
    failed = any(verdict.state is GateState.FAILED for verdict in seen.watch.verdicts)
    watch = replace(
        seen.watch,
        proven_at=NOW - timedelta(hours=1) if isinstance(step, Await) else None if shows else seen.watch.proven_at,
        preview_shown=isinstance(step, Await) or (seen.watch.preview_shown and not isinstance(step, OpenPreview)),
        command=passed if isinstance(step, RunCommand) else None if isinstance(step, OpenPreview) else seen.watch.command,
        verdicts=seen.watch.verdicts if failed else (),
        shifted=seen.watch.shifted or isinstance(step, Shift),
        continued=seen.watch.continued + isinstance(step, ContinueUpdate),
    )
    deployment = seen.ledger.deployment
    if deployment is None and isinstance(wanted, Deployed) and isinstance(step, (CreateColour, Shift, OpenPreview)):
        to = step.to if isinstance(step, Shift) else step.colour
        deployment = begun(wanted.release.name, to, seen.edge.live)
    if deployment and isinstance(step, (TurnBack, CancelUpdate)) and not deployment.turned_back:
        deployment = replace(deployment, turned_back="as planned")
    if deployment and isinstance(step, Await):
        deployment = replace(deployment, approved_by="eve")
    colours = {colour: settle(there, step) for colour, there in done.colours.items()}
    serving = {there.release: 12 for colour, there in colours.items() if there and weights[colour] > 0}
    return Observed(now, colours, serving, replace(seen.ledger, deployment=deployment), watch)


def settle(there: ColourStack | None, step: Step) -> ColourStack | None:
    if there is None or there.phase is StackPhase.DELETING:
        return None
    if isinstance(step, (SuspendReplacing, ResumeReplacing)) and step.colour is there.colour:
        there = replace(there, replaces_unhealthy=isinstance(step, ResumeReplacing))
    if step.__class__.__name__ == "RestoreMinimum" and getattr(step, "colour", None) is there.colour:
        there = replace(there, original_minimum=None)
    phase = StackPhase.READY if there.phase is StackPhase.BUSY else there.phase
    return replace(there, phase=phase, healthy=there.desired, ailing=0)
