# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Any env, any wish, and a run of bad luck: the engine comes to an end, and hurts nobody on the way."""

from __future__ import annotations

import contextlib
import random
import typing as t
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock, proof
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import engine as rooms
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.engine import MOST_SETS, Engine
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    Colour,
    GateState,
    Observed,
    StackPhase,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import (
    Align,
    Await,
    CancelUpdate,
    ClosePreview,
    ContinueUpdate,
    CreateColour,
    DeleteColour,
    OpenPreview,
    Part,
    Shift,
    Step,
    TurnBack,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import Wanted
from tests.unit.deployment.any_world import LIVES
from tests.unit.deployment.memory import Env, Time
from tests.unit.deployment.test_engine import SETTINGS

MOST_LOOKS = 3_000
UPDATES = (OpenPreview, ClosePreview, Shift, Align, ContinueUpdate)


class Fate(Env):
    """An env in which operations take a while and may fail, servers come and go, and calls are refused."""

    def __init__(self, seen: Observed, wanted: Wanted, time: Time, seed: int, luck: float) -> None:
        super().__init__(seen, wanted, time)
        self.random = random.Random(seed)
        self.luck = luck
        self.under_way: Step | None = None
        self.asked_before = seen.edge.asked
        self.says = lambda _share: GateState.FAILED if self.bad() else GateState.PASSED

    def bad(self) -> bool:
        return self.random.random() < self.luck

    def everything(self) -> Observed:
        self.happens()
        return super().everything()

    def again(self, seen: Observed, step: Await, turning_back: bool) -> Observed:
        self.happens()
        return super().again(seen, step, turning_back)

    def read(self, seen: Observed, part: Part, *colours: Colour) -> Observed:
        self.happens()
        return super().read(seen, part, *colours)

    def do(self, edge: t.Any, seen: Observed, step: Step) -> None:
        if self.bad():
            raise AwsError(f"{step}", "refused")
        self.check(step)
        if isinstance(step, CancelUpdate):
            self.under_way = None
            self._edge(StackPhase.BUSY, "UPDATE_ROLLBACK_IN_PROGRESS", self.asked_before)
        elif isinstance(step, UPDATES):
            self.under_way, self.asked_before = step, self.seen.edge.asked
            asked = step.weights if isinstance(step, (Shift, Align)) else self.asked_before
            self._edge(StackPhase.BUSY, "UPDATE_IN_PROGRESS", asked)
        else:
            super().do(edge, seen, step)
            if isinstance(step, CreateColour) and (made := self.seen.colours[step.colour]):
                made = replace(made, phase=StackPhase.BUSY, status="CREATE_IN_PROGRESS", healthy=0)
                self.seen = replace(self.seen, colours={**self.seen.colours, step.colour: made})

    def check(self, step: Step) -> None:
        """The promises, by what is true at this moment."""
        if isinstance(step, DeleteColour):
            assert self.seen.edge.weights[step.colour] == 0
        if isinstance(step, (Shift, TurnBack, Align)):
            loser, winner = self.seen.colours[step.to.other], self.seen.colours[step.to]
            takes_all = step.weights[step.to.other] == 0 and self.seen.edge.share(step.to.other) > 0
            if takes_all and loser and loser.healthy:
                assert winner and winner.healthy, step
        begun = self.ledger.deployment
        if isinstance(step, Shift) and begun and begun.turned_back:
            assert step.to is not begun.colour

    def happens(self) -> None:
        """Time brings operations to an end, and changes."""
        self.looks += 1
        assert self.looks < MOST_LOOKS, "it does not come to an end"
        if self.seen.edge.phase is StackPhase.BUSY and self.random.random() < 0.5:
            self._settle()
        colours = {colour: self._lives(stack) for colour, stack in self.seen.colours.items()}
        self.seen = replace(self.seen, colours=colours)
        guard, begun = self.ledger.guard, self.ledger.deployment
        if guard and guard.armed and begun and guard.deployment == begun.id and self.bad():
            self.ledger.guard = replace(guard, armed=False, fired_at=self._time.now, fired_by="shop-5xx")
            self.seen = replace(self.seen, edge=replace(self.seen.edge, weights=guard.safe))

    def _settle(self) -> None:
        step, self.under_way = self.under_way, None
        if step is None:
            return self._edge(StackPhase.READY, "UPDATE_COMPLETE")
        if self.bad():
            return self._edge(StackPhase.STUCK, "UPDATE_ROLLBACK_FAILED", self.asked_before)
        if self.bad():
            return self._edge(StackPhase.READY, "UPDATE_ROLLBACK_COMPLETE", self.asked_before)
        super().do(self.stack, self.seen, step)
        return self._edge(StackPhase.READY, "UPDATE_COMPLETE")

    def _edge(self, phase: StackPhase, status: str, asked: Mapping[Colour, int] | None = None) -> None:
        edge = replace(self.seen.edge, phase=phase, status=status, asked=asked or self.seen.edge.asked)
        self.seen = replace(self.seen, edge=edge)

    def _lives(self, stack: t.Any) -> t.Any:
        if stack is None:
            return None
        if stack.phase is StackPhase.DELETING:
            return None if self.random.random() < 0.5 else stack
        if stack.phase is StackPhase.BUSY and self.random.random() < 0.5:
            broken = replace(stack, phase=StackPhase.BROKEN, status="ROLLBACK_COMPLETE")
            return broken if self.bad() else replace(stack, phase=StackPhase.READY, status="CREATE_COMPLETE")
        if self.bad() and self.bad():
            ill = self.random.randint(0, stack.desired)
            return replace(stack, healthy=stack.desired - ill, ailing=ill)
        if self.bad() and self.bad():
            return replace(stack, desired=min(stack.desired + 1, stack.maximum))
        if stack.phase is StackPhase.READY and stack.healthy < stack.desired and self.random.random() < 0.3:
            return replace(stack, healthy=stack.healthy + 1, ailing=0)
        return stack


class FastTime(Time):
    """A sleep takes a minute for each of its seconds."""

    def sleep(self, seconds: float) -> None:
        self.passes(seconds * 60)


def lives(seen: Observed, wanted: Wanted, seed: int, luck: float, curse: tuple[type, ...]) -> None:
    """Runs the same command again and again, as a user would, the last time without bad luck."""
    time = FastTime()
    env = Fate(seen, wanted, time, seed, luck)
    env.useless = curse
    nothing: t.Any = None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rooms, "Actor", lambda *_made: env)
        patch.setattr(rooms, "Judge", lambda *_made: env)
        patch.setattr(rooms, "check_start", lambda *_asked: None)
        patch.setattr(rooms, "run_command", lambda *_run: env.verdicts(nothing, env.seen, Colour.BLUE, True)[0])
        patch.setattr(proof, "ask", (lambda *_asked, **_more: {"": 12}) if str in curse else env.answers)
        patch.setattr(clock, "now", lambda: time.now)
        patch.setattr(clock, "monotonic", lambda: time.seconds)
        patch.setattr(clock, "boottime", lambda: time.seconds)
        patch.setattr(clock, "sleep", time.sleep)
        for run in range(3):
            env.luck, env.looks = (luck, 0) if run < 2 else (0.0, 0)
            with contextlib.suppress(AwsError):
                engine = Engine(nothing, SETTINGS, t.cast(t.Any, env), wanted, env.told.append)
                outcome = engine.run()
                assert outcome.plan.reason
                assert len(outcome.done) < MOST_SETS
            assert env.ledger.held is None
            time.passes(60)


SEEDS = st.integers(0, 2**32)
LUCK = st.sampled_from([0.0, 0.0, 0.02, 0.1, 0.3])
CURSES: st.SearchStrategy[tuple[type, ...]] = st.sampled_from([(), (), (Shift,), (OpenPreview,), (Align,), (str,)])
"""What never takes effect; with `str` no response ever names a release."""
QUIET = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


@settings(max_examples=200, suppress_health_check=QUIET)
@given(LIVES, SEEDS, LUCK, CURSES)
def test_promise_3_every_run_ends_gives_the_lock_back_and_hurts_nobody(
    life: tuple[Observed, Wanted], seed: int, luck: float, curse: tuple[type, ...]
) -> None:
    lives(*life, seed, luck, curse)


@pytest.mark.long
@settings(max_examples=10_000, suppress_health_check=QUIET)
@given(LIVES, SEEDS, LUCK, CURSES)
def test_promise_3_so_do_ten_thousand(
    life: tuple[Observed, Wanted], seed: int, luck: float, curse: tuple[type, ...]
) -> None:
    lives(*life, seed, luck, curse)
