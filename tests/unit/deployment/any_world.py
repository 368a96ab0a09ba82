# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Any env and any wish, likely or not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    Colour,
    ColourStack,
    Deployment,
    Edge,
    GateState,
    GuardOrder,
    LedgerSeen,
    Observed,
    Preview,
    StackPhase,
    Verdict,
    Watch,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import (
    Aborted,
    GateRules,
    Retired,
    RolledBack,
    Strategy,
    Wanted,
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
def any_worlds(draw: st.DrawFn) -> Observed:
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


GATES = st.builds(GateRules, st.sampled_from(["", "smoke"]), st.booleans(), st.just(timedelta(minutes=30)))
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


@st.composite
def likely_worlds(draw: st.DrawFn) -> Observed:
    """What a run usually meets: r1 serves from blue, and r2 is nowhere yet, or on its way somewhere."""
    green = draw(st.sampled_from([0, 0, 10, 50, 100]))
    wants = draw(st.integers(1, 4))
    begun_r2 = begun("r2", baseline=wants) if green or draw(st.booleans()) else None
    sizes = [wants, wants, wants, wants - 1, 0]
    serving, fresh = draw(st.sampled_from(sizes)), draw(st.sampled_from(sizes))
    new = stack(GREEN, "r2", draw(st.integers(0, 9)), desired=wants, minimum=wants, healthy=fresh)
    new = replace(new, ailing=draw(st.integers(0, wants - fresh)), replaces_unhealthy=draw(st.booleans()))
    old = stack(BLUE, "r1", desired=wants, minimum=1, healthy=serving)
    preview = Preview(GREEN, "aa") if begun_r2 and draw(st.booleans()) else None
    guard = GuardOrder(begun_r2.id, {BLUE: 100, GREEN: 0}, ("errors",), armed=True) if begun_r2 and green else None
    return world(
        edge(100 - green, green, preview=preview),
        replace(old, original_minimum=draw(st.sampled_from([None, 1]))),
        new if begun_r2 and (green or draw(st.booleans())) else None,
        ledger=LedgerSeen(deployment=begun_r2, guard=guard),
        watch=draw(WATCHES),
    )


LIKELY_WISHES: st.SearchStrategy[Wanted] = st.one_of(
    st.builds(deployed, st.just("r2"), st.just(1), st.just(4), strategy=STRATEGIES, gates=GATES),
    WISHES,
)

LIVES = st.tuples(likely_worlds(), LIKELY_WISHES) | st.tuples(any_worlds(), WISHES)
