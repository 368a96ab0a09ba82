# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""observe → plan → act, again and again until nothing is left to do."""

from __future__ import annotations

import collections
import typing as t
from dataclasses import replace

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError, LeaseLost
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.act import Actor
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.begin import check_start, mine
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.configuration.pins import MayNotRead, pin
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.forecast import forecast
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.command import run_command
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.herald import Herald
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.hold import Hold
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.judge import Judge
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.errors import GuardFired
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    LedgerSeen,
    Observed,
    StackPhase,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.outcome import Outcome
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan import plan
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan.deploy import makes_colour
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import (
    Align,
    Await,
    CreateColour,
    DeleteColour,
    Part,
    Plan,
    RestoreMinimum,
    Result,
    ResumeReplacing,
    RunCommand,
    Shift,
    Step,
    TurnBack,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wait import Wait
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import (
    Deployed,
    RolledBack,
    Wanted,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.watch import Watcher, preview_access

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.observe import Observer
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.settings import Settings

MOST_REPEATS: t.Final = 3
"""A write that was made this often and is still planned does not do what it should."""

MOST_SETS: t.Final = 200
"""The same for setting the listener: while an update under way is cancelled it may be set over again and again."""

AT_THE_END: t.Final = (ResumeReplacing, RestoreMinimum)
"""Steps of a release that serves well: what they can't do is no reason to turn back."""

MOVES: t.Final = (Shift, DeleteColour, RestoreMinimum)
"""Steps that take traffic or servers from a colour: the facts behind them are looked at right before."""


class Engine:
    """Brings one env to what is wanted.

    Args:
        clients: the way to AWS.
        settings: what a colour is made with, and how a swap is judged.
        observer: how the env is looked at.
        wanted: what the run is for.
        tell: is called with a line for a person whenever something changed.
    """

    def __init__(
        self,
        clients: Clients,
        settings: Settings,
        observer: Observer,
        wanted: Wanted,
        tell: Callable[[str], None],
    ) -> None:
        self._clients = clients
        self._settings = settings
        self._observer = observer
        self._wanted = wanted
        self._tell = tell
        self._actor = Actor(clients, settings)
        self._judge = Judge(clients, settings)
        self._watcher = Watcher(settings, self._judge)
        self._herald = Herald(clients, settings.environment, observer, tell)
        self._hold = Hold(observer, settings, wanted, self._herald.note)
        self._created: set[str] = set()
        self._done: list[Step] = []

    def preview(self) -> Outcome:
        """What a run would do, from what is there now. Reads only."""
        seen, decision = self._look()
        try:
            seen, decision = self._pinned(seen, decision)
        except MayNotRead as error:  # people who only look need no right to read secrets
            self._tell(f"{self._settings.environment.env} | {error}")
        after = forecast(seen, decision.steps, self._wanted, clock.now())
        return Outcome(decision, seen, after, (), self._wanted)

    def run(self) -> Outcome:
        """Does what is left to do and returns when nothing is left.

        Raises:
            AwsError: a call failed for good; the same run goes on from where this one stopped.
            Refused: the env can't be brought there.
            LeaseLost: another controller is at work by now.
        """
        before, decision = self._look()
        begun = before.ledger.deployment
        if not decision.steps and not (begun and mine(begun, self._wanted)):
            self._herald.ended(before, decision)
            return Outcome(decision, before, before, (), self._wanted)
        try:
            edge, note = self._observer.stack, self._herald.note
            check_start(self._clients, self._settings, self._judge, edge, before, self._wanted, note)
            before, decision = self._pinned(before, decision)
            seen, end = self._work(*self._begin(before))
        except (AwsError, Refused, LeaseLost):
            self._hold.give_back()
            raise
        return Outcome(end, before, seen, tuple(self._done), self._wanted)

    def _pinned(self, before: Observed, decision: Plan) -> tuple[Observed, Plan]:
        """A colour that is to be made gets its configuration; with another one than an older colour's it is another."""
        wanted = self._wanted
        if not (isinstance(wanted, Deployed) and decision.steps and makes_colour(before, wanted)):
            return before, decision
        self._wanted = pin(self._clients, self._settings, wanted, self._tell)
        return (before, decision) if self._wanted is wanted else self._decide(before)

    def _begin(self, before: Observed) -> tuple[Observed, Plan]:
        """Takes the lock. Where another had it meanwhile, nothing is begun yet: it is begun from what is there now."""
        held = self._hold.take(before, self._wanted)
        if held.deployment and before.ledger.deployment is None:  # nobody else had the lock since the look before it
            begun = LedgerSeen(held.lease, held.deployment)
            return self._decide(replace(before, ledger=begun))
        seen, decision = self._look()
        if held.deployment is None and decision.steps and isinstance(self._wanted, (Deployed, RolledBack)):
            self._hold.take(seen, self._wanted)
            seen, decision = self._look()
        return seen, decision

    # ------------------------------------------------------------ the loop

    def _work(self, seen: Observed, decision: Plan) -> tuple[Observed, Plan]:
        self._herald.started(seen)
        waiting, promised = Wait(), decision
        while True:
            if decision.turns_back and not _first(decision, TurnBack):
                seen, decision = self._write_down(seen, decision)
            step = decision.steps[0] if decision.steps else None
            if step is None:
                if end := self._end(seen, decision, promised):
                    return seen, end
                seen, decision = self._look()
            elif isinstance(step, Await):
                seen, decision = self._wait(waiting, seen, decision, step)
            elif reason := self._repeats(step):
                seen, decision = self._in_vain(seen, reason, isinstance(step, AT_THE_END))
            else:
                promised = decision
                seen, decision = self._do(seen, step)

    def _look(self) -> tuple[Observed, Plan]:
        return self._decide(self._observer.everything())

    def _decide(self, seen: Observed) -> tuple[Observed, Plan]:
        edge, created = self._observer.stack, frozenset(self._created)
        begun = seen.ledger.deployment
        if isinstance(self._wanted, Deployed) and begun and mine(begun, self._wanted):
            self._wanted = replace(self._wanted, identity=begun.identity)  # what is under way comes to its end
        seen = self._watcher.add(edge, seen, self._wanted)
        decision = plan(seen, self._wanted, clock.now(), created)
        asked = self._watcher.before_end(edge, seen, decision)
        return asked, decision if asked is seen else plan(asked, self._wanted, clock.now(), created)

    def _wait(self, waiting: Wait, seen: Observed, decision: Plan, step: Await) -> tuple[Observed, Plan]:
        if waiting.too_long(step):
            reason = f"waited {step.patience} until {step.what}, in vain: {step.seen or step.reason}"
            return self._in_vain(seen, reason)
        self._herald.waiting(seen, step)
        waiting.pause(step, hurry=bool(decision.turns_back))
        self._hold.keep(seen)
        return self._decide(self._observer.again(self._hold.heard(seen), step, bool(decision.turns_back)))

    def _do(self, seen: Observed, step: Step) -> tuple[Observed, Plan]:
        if isinstance(step, MOVES):
            seen, decision = self._decide(self._observer.fresh(seen, Part.EDGE, Part.TARGETS))
            if not decision.steps or _key(decision.steps[0]) != _key(step):
                return seen, decision
        self._herald.doing(seen, step)
        self._hold.keep(seen)
        try:
            self._act(seen, step)
        except GuardFired:
            return self._decide(self._observer.read(seen, Part.TRAFFIC))
        self._done.append(step)
        self._watcher.did(step)
        return self._decide(self._observer.after(self._hold.heard(seen), step))

    def _act(self, seen: Observed, step: Step) -> None:
        edge = self._observer.stack
        match step:
            case CreateColour() if isinstance(self._wanted, Deployed):
                pinned = pin(self._clients, self._settings, self._wanted, self._tell)
                self._wanted = replace(pinned, identity=self._wanted.identity)
                self._created.add(self._actor.create_colour(edge, self._wanted, step))
            case RunCommand():
                self._run_command(seen)
            case Shift():
                self._hold.arm(seen, self._judge)
                self._actor.do(edge, seen, step)
                self._herald.shifting(step)
            case TurnBack():
                self._turn_back(seen, step)
            case _:
                self._actor.do(edge, seen, step)

    def _run_command(self, seen: Observed) -> None:
        if command := self._settings.gates.command:
            access = preview_access(seen, self._herald.url(seen))
            verdict = run_command(command, access, self._tell, lambda: self._hold.keep(seen))
            self._watcher.command_said(verdict)

    # ------------------------------------------------------------ turning back

    def _turn_back(self, seen: Observed, step: TurnBack) -> None:
        """The listener in one call; where that is refused, by the edge's stack, which has rights of its own. What for
        is written down after that, and before all else."""
        edge = self._observer.stack
        try:
            self._actor.do(edge, seen, step)
        except AwsError as error:
            if seen.edge.phase is not StackPhase.READY:
                raise
            self._herald.note(f"{error}; turning back by the edge's stack")
            self._actor.do(edge, seen, Align(step.to, step.reason))
        if self._hold.write_down(seen, step.reason):
            self._herald.turning_back(seen, step.reason)

    def _write_down(self, seen: Observed, decision: Plan) -> tuple[Observed, Plan]:
        if not self._hold.write_down(seen, decision.turns_back):
            return seen, decision
        self._herald.turning_back(seen, decision.turns_back)
        return self._decide(self._hold.heard(seen))

    def _repeats(self, step: Step) -> str:
        """Why a step is not done once more; empty where it is."""
        most = MOST_SETS if isinstance(step, TurnBack) else MOST_REPEATS
        if collections.Counter(map(_key, self._done))[_key(step)] < most:
            return ""
        return f"{step} was done {most} times, in vain ({step.reason}); look at the stacks"

    def _in_vain(self, seen: Observed, reason: str, at_the_end: bool = False) -> tuple[Observed, Plan]:
        """A step or a wait that leads nowhere: traffic goes back where it can, else a person must look."""
        begun = self._hold.heard(seen).ledger.deployment
        can = isinstance(self._wanted, Deployed) and begun and begun.previous and not at_the_end
        if can and self._hold.write_down(seen, reason):
            self._herald.turning_back(seen, reason)
            return self._look()
        return seen, Plan(Result.DIRTY, reason)

    def _end(self, seen: Observed, decision: Plan, promised: Plan) -> Plan | None:
        """Ends the deployment in the ledger; None where the guard was quicker."""
        if self._done and decision.result is Result.NOTHING_TO_DO:
            decision = replace(promised, steps=(), proven=decision.proven)
        decision = self._herald.with_console(seen, decision)
        try:
            self._hold.end(decision)
        except GuardFired:
            return None
        decision = replace(decision, proven=decision.proven and not self._watcher.unproven)
        self._herald.ended(seen, decision)
        return decision


def _first(decision: Plan, kind: type[Step]) -> bool:
    return bool(decision.steps) and isinstance(decision.steps[0], kind)


def _key(step: Step) -> tuple[type[Step], str]:
    return type(step), str(step)
