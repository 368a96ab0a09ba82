# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""observe → plan → act, again and again until nothing is left to do."""

from __future__ import annotations

import collections
import time
import typing as t
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ansible_collections.immutable.ec2.plugins.module_utils.deployment import act, proof
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.forecast import forecast
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    Await,
    CreateColour,
    DeleteColour,
    Deployed,
    Observed,
    Plan,
    Result,
    Scale,
    Shift,
    Step,
    Wanted,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.observe import observe
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan import plan
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.report import Reporter

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.settings import Settings

FIRST_PAUSE_SECONDS: t.Final = 0.5
LONGEST_PAUSE_SECONDS: t.Final = 5.0
"""Between two looks at a thing that is under way: soon at first, then less often, so that long work costs few calls."""

MOST_REPEATS: t.Final = 3
"""A write that was made this often and is still planned does not do what it should."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended: its plan's result, what was seen first and last (in a preview: what will be), what was done."""

    plan: Plan
    before: Observed
    after: Observed
    done: tuple[Step, ...]


class Engine:
    """Brings one env to what is wanted.

    Args:
        clients: the way to AWS.
        settings: what a colour is made with.
        tell: is called with a line for a person whenever something changed.
    """

    def __init__(self, clients: Clients, settings: Settings, tell: Callable[[str], None]) -> None:
        self.clients = clients
        self.settings = settings
        self.report = Reporter(settings.environment.env, tell)
        self._created: set[str] = set()

    def preview(self, wanted: Wanted) -> Outcome:
        """What a run would do, from what is there now. Reads only."""
        seen, decision = self._decide(wanted)
        return Outcome(decision, seen, forecast(seen, decision.steps, wanted, datetime.now(UTC)), ())

    def run(self, wanted: Wanted) -> Outcome:
        """Does what is left to do and returns when nothing is left.

        Raises:
            AwsError: a call failed for good; the same run goes on from where this one stopped.
            Refused: the env can't be brought there.
        """
        before, decision = self._decide(wanted)
        promised, seen = decision, before
        done: list[Step] = []
        waiting = _Wait()
        while decision.steps:
            step = decision.steps[0]
            if isinstance(step, Await):
                if waiting.too_long(step):
                    reason = f"waited {step.patience} until {step.what}, in vain: {step.reason}"
                    return Outcome(Plan(Result.DIRTY, reason), before, seen, tuple(done))
                self.report.waiting(step)
                waiting.pause(step)
            else:
                if collections.Counter(map(_key, done))[_key(step)] >= MOST_REPEATS:
                    reason = f"{step} was done {MOST_REPEATS} times, in vain ({step.reason}); look at the stacks"
                    return Outcome(Plan(Result.DIRTY, reason), before, seen, tuple(done))
                self.report.doing(step)
                self._act(step, wanted)
                done.append(step)
                promised = decision
            seen, decision = self._decide(wanted)
        if done and decision.result is Result.NOTHING_TO_DO:
            decision = replace(promised, steps=(), proven=decision.proven)
        self.report.ended(decision)
        return Outcome(decision, before, seen, tuple(done))

    def _decide(self, wanted: Wanted) -> tuple[Observed, Plan]:
        seen, now = observe(self.clients, self.settings.environment), datetime.now(UTC)
        decision = plan(seen, wanted, now, frozenset(self._created))
        # Users' answers are asked for where it matters: before the end, and before anything is deleted.
        if seen.edge.live and (not decision.steps or isinstance(decision.steps[0], DeleteColour)):
            seen = replace(seen, answers=proof.ask(seen.edge, self.settings.health_path))
            decision = plan(seen, wanted, now, frozenset(self._created))
        return seen, decision

    def _act(self, step: Step, wanted: Wanted) -> None:
        environment = self.settings.environment
        match step:
            case CreateColour() if isinstance(wanted, Deployed):
                self._created.add(act.create_colour(self.clients, self.settings, wanted.release, step))
            case DeleteColour():
                act.delete_colour(self.clients, environment, step.colour)
            case Scale():
                act.scale(self.clients, environment, step)
            case Shift():
                act.shift(self.clients, environment, step, datetime.now(UTC))
            case _:
                raise TypeError(f"no way to {step}")


def _key(step: Step) -> tuple[type[Step], str]:
    return type(step), str(step)


class _Wait:
    """How long the present wait has been going on, and when to look again."""

    def __init__(self) -> None:
        self._what = ""
        self._reason = ""
        self._since = 0.0
        self._pause = FIRST_PAUSE_SECONDS

    def too_long(self, step: Await) -> bool:
        if step.what != self._what:
            self._what, self._since = step.what, time.monotonic()
        return time.monotonic() - self._since > step.patience.total_seconds()

    def pause(self, step: Await) -> None:
        changed = step.reason != self._reason
        self._reason = step.reason
        self._pause = FIRST_PAUSE_SECONDS if changed else min(self._pause * 1.5, LONGEST_PAUSE_SECONDS)
        time.sleep(self._pause)
