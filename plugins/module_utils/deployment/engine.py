# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""observe → plan → act, again and again until nothing is left to do."""

from __future__ import annotations

import collections
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError, LeaseLost
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.act import Actor
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.begin import begin, check_start, mine
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.forecast import forecast
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.command import run_command
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.herald import Herald
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.errors import GuardFired
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    Aborted,
    Deployed,
    GuardOrder,
    LedgerSeen,
    Observed,
    RolledBack,
    StackPhase,
    Wanted,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.observe import Observer
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan import plan
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan.shared import baseline
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import (
    Align,
    Await,
    ContinueUpdate,
    CreateColour,
    DeleteColour,
    Part,
    Plan,
    RestoreMinimum,
    Result,
    RunCommand,
    Shift,
    Step,
    TurnBack,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wait import Wait
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.watch import Watcher

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.ledger import Held
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.settings import Settings

MOST_REPEATS: t.Final = 3
"""A write that was made this often and is still planned does not do what it should."""

MOVES: t.Final = (Shift, DeleteColour, RestoreMinimum)
"""Steps that take traffic or servers from a colour: the facts behind them are looked at right before."""

MOST_SETS: t.Final = 200
"""The same for setting the listener: while an update under way is cancelled it may be set over again and again."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended: its plan's result, what was seen first and last (in a preview: what will be), what was done."""

    plan: Plan
    before: Observed
    after: Observed
    done: tuple[Step, ...]
    wanted: Wanted

    @property
    def failed(self) -> bool:
        """Whether it ended otherwise than the user wanted."""
        result, wanted = self.plan.result, self.wanted
        if result is Result.ROLLED_BACK:
            return isinstance(wanted, Deployed) and not wanted.rolls_back
        if result is Result.ABORTED:
            return not isinstance(wanted, Aborted)
        return result is Result.DIRTY


class Engine:
    """Brings one env to what is wanted.

    Args:
        clients: the way to AWS.
        settings: what a colour is made with, and how a swap is judged.
        observer: how the env is looked at.
        tell: is called with a line for a person whenever something changed.
    """

    def __init__(self, clients: Clients, settings: Settings, observer: Observer, tell: Callable[[str], None]) -> None:
        self._clients = clients
        self._settings = settings
        self._observer = observer
        self._actor = Actor(clients, settings)
        self._watcher = Watcher(clients, settings)
        self._herald = Herald(clients, settings.environment, observer, tell)
        self._tell = tell
        self._created: set[str] = set()

    def preview(self, wanted: Wanted) -> Outcome:
        """What a run would do, from what is there now. Reads only."""
        seen, decision = self._look(wanted)
        return Outcome(decision, seen, forecast(seen, decision.steps, wanted, clock.now()), (), wanted)

    def run(self, wanted: Wanted) -> Outcome:
        """Does what is left to do and returns when nothing is left.

        Raises:
            AwsError: a call failed for good; the same run goes on from where this one stopped.
            Refused: the env can't be brought there.
            LeaseLost: another controller is at work by now.
        """
        before, decision = self._look(wanted)
        begun = before.ledger.deployment
        if not decision.steps and not (begun and mine(begun, wanted)):
            self._herald.ended(before, decision)
            return Outcome(decision, before, before, (), wanted)
        try:
            return self._work(wanted, before)
        except LeaseLost:
            raise
        except (AwsError, Refused):
            self._give_up_lock()
            raise

    # ------------------------------------------------------------ the loop

    def _work(self, wanted: Wanted, before: Observed) -> Outcome:
        check_start(self._clients, self._settings, self._watcher, self._observer.stack, before, wanted)
        seen, decision = self._begin(before, wanted)
        self._herald.started(seen)
        promised = decision
        done: list[Step] = []
        waiting = Wait()
        while True:
            seen, decision = self._record(seen, decision, wanted)
            if not decision.steps:
                end = self._end(seen, decision, wanted, promised, bool(done))
                if end:
                    return Outcome(end, before, seen, tuple(done), wanted)
                seen, decision = self._look(wanted)
                continue
            step = decision.steps[0]
            if isinstance(step, Await):
                if waiting.too_long(step):
                    reason = f"waited {step.patience} until {step.what}, in vain: {step.seen or step.reason}"
                    seen, decision = self._in_vain(seen, wanted, reason)
                    continue
                self._herald.waiting(seen, decision, step)
                waiting.pause(step, hurry=bool(decision.turns_back))
                self._keep(seen, wanted)
                again = self._observer.again(self._said(seen), step, bool(decision.turns_back))
                seen, decision = self._decide(again, wanted)
                continue
            if isinstance(step, MOVES):
                seen, decision = self._decide(self._observer.fresh(seen, Part.EDGE, Part.TARGETS), wanted)
                if not decision.steps or _key(decision.steps[0]) != _key(step):
                    continue
            most = MOST_SETS if isinstance(step, TurnBack) else MOST_REPEATS
            if collections.Counter(map(_key, done))[_key(step)] >= most:
                reason = f"{step} was done {most} times, in vain ({step.reason}); look at the stacks"
                seen, decision = self._in_vain(seen, wanted, reason)
                continue
            self._herald.doing(seen, step)
            self._keep(seen, wanted)
            self._act(seen, step, wanted)
            done.append(step)
            promised = decision
            seen, decision = self._decide(self._observer.after(seen, step), wanted)

    def _begin(self, before: Observed, wanted: Wanted) -> tuple[Observed, Plan]:
        """Takes the lock. Where another had it meanwhile, nothing is begun yet: it is begun from what is there now."""
        held = begin(self._observer.ledger, before, wanted, self._settings, self._tell)
        if held.deployment and before.ledger.deployment is None:  # nobody else had the lock since the look before it
            return self._decide(replace(before, ledger=LedgerSeen(held.lease, held.deployment)), wanted)
        seen, decision = self._look(wanted)
        if held.deployment is None and decision.steps and isinstance(wanted, (Deployed, RolledBack)):
            begin(self._observer.ledger, seen, wanted, self._settings, self._tell)
            seen, decision = self._look(wanted)
        return seen, decision

    def _said(self, seen: Observed) -> Observed:
        """What others wrote into the deployment came with the last renewal of the lease."""
        held = self._observer.ledger.held
        if held is None or held.deployment is None:
            return seen
        return replace(seen, ledger=replace(seen.ledger, deployment=held.deployment))

    def _look(self, wanted: Wanted) -> tuple[Observed, Plan]:
        return self._decide(self._observer.everything(), wanted)

    def _decide(self, seen: Observed, wanted: Wanted) -> tuple[Observed, Plan]:
        edge = self._observer.stack
        seen = self._watcher.add(edge, seen, wanted)
        decision = plan(seen, wanted, clock.now(), frozenset(self._created))
        asked = self._watcher.before_end(edge, seen, decision)
        if asked is not seen:
            seen, decision = asked, plan(asked, wanted, clock.now(), frozenset(self._created))
        return seen, decision

    # ------------------------------------------------------------ steps

    def _act(self, seen: Observed, step: Step, wanted: Wanted) -> None:
        edge = self._observer.stack
        match step:
            case CreateColour() if isinstance(wanted, Deployed):
                self._created.add(self._actor.create_colour(edge, wanted.release, step))
            case RunCommand():
                self._run_command(seen, wanted)
            case Shift():
                if self._arm(seen, wanted):
                    self._actor.do(edge, seen, step)
                    self._herald.shifting(step)
            case TurnBack():
                self._turn_back(seen, step)
                self._write_down(seen, step.reason, wanted)
            case _:
                self._actor.do(edge, seen, step)
        if isinstance(step, ContinueUpdate):
            self._watcher.continued()
        self._watcher.did(step)

    def _turn_back(self, seen: Observed, step: TurnBack) -> None:
        """The listener in one call; where that is refused, by the edge's stack, which has rights of its own."""
        edge = self._observer.stack
        try:
            self._actor.do(edge, seen, step)
        except AwsError as error:
            if seen.edge.phase is not StackPhase.READY:
                raise
            self._tell(f"{self._settings.environment.env} | note: {error}; turning back by the edge's stack")
            self._actor.do(edge, seen, Align(step.to, step.reason))

    def _arm(self, seen: Observed, wanted: Wanted) -> bool:
        """Gives the guard its order right before a shift; False where it has already turned back."""
        begun = seen.ledger.deployment
        if not isinstance(wanted, Deployed) or begun is None or begun.previous is None:
            return True
        safe = {begun.previous: 100, begun.previous.other: 0}
        order = GuardOrder(begun.id, safe, self._watcher.guard_alarms(self._observer.stack, begun), armed=True)
        known = seen.ledger.guard
        if known and known.armed and known.deployment == begun.id and known.alarms == order.alarms:
            return True
        try:
            self._observer.ledger.arm(order)
        except GuardFired:
            return False
        return True

    def _run_command(self, seen: Observed, wanted: Wanted) -> None:
        command = self._settings.gates.command
        assert command
        access = self._watcher.preview_access(seen, self._herald.url(seen))
        verdict = run_command(command, access, self._tell, lambda: self._keep(seen, wanted))
        self._watcher.command_said(verdict)

    def _record(self, seen: Observed, decision: Plan, wanted: Wanted) -> tuple[Observed, Plan]:
        """Writes down that traffic goes back: after the listener was set, which comes first, and before all else."""
        if not decision.turns_back or (decision.steps and isinstance(decision.steps[0], TurnBack)):
            return seen, decision
        held = self._write_down(seen, decision.turns_back, wanted)
        if held is None:
            return seen, decision
        return self._decide(replace(seen, ledger=replace(seen.ledger, deployment=held.deployment)), wanted)

    def _write_down(self, seen: Observed, reason: str, wanted: Wanted) -> Held | None:
        """Why traffic goes back, so that it does so whatever is seen from now on; None where that is known already."""
        begun = seen.ledger.deployment
        if begun is None or begun.turned_back or not mine(begun, wanted):
            return None
        self._herald.turning_back(seen, reason)
        return self._observer.ledger.turn_back(reason)

    def _keep(self, seen: Observed, wanted: Wanted) -> None:
        """Renews the lease when it is time, and writes down a higher baseline at once.

        Raises:
            LeaseLost: the lock, or the process that started this one, is gone.
        """
        ledger = self._observer.ledger
        if ledger.fence.parent_is_gone():
            raise LeaseLost("the process that started this one is gone")
        begun = seen.ledger.deployment
        least = 0
        if begun and isinstance(wanted, Deployed):
            least = baseline(seen, begun.colour, wanted.capacity)
        if ledger.due() or (begun and least > begun.baseline):
            try:
                ledger.renew(least)
            except AwsError as error:  # the lease goes on to its end, and after that no write is sent
                self._tell(f"{self._settings.environment.env} | note: the lock was not renewed, and will be: {error}")

    # ------------------------------------------------------------ ends

    def _in_vain(self, seen: Observed, wanted: Wanted, reason: str) -> tuple[Observed, Plan]:
        """A step or a wait that leads nowhere: traffic goes back where it can, else a person must look."""
        begun = seen.ledger.deployment
        if isinstance(wanted, Deployed) and begun and begun.previous and not begun.turned_back:
            self._observer.ledger.turn_back(reason)
            return self._look(wanted)
        return seen, Plan(Result.DIRTY, reason)

    def _end(self, seen: Observed, decision: Plan, wanted: Wanted, promised: Plan, did: bool) -> Plan | None:
        """Ends the deployment in the ledger; None where the guard was quicker."""
        if did and decision.result is Result.NOTHING_TO_DO:
            decision = replace(promised, steps=(), proven=decision.proven)
        decision = self._herald.with_console(seen, decision)
        ledger = self._observer.ledger
        begun = ledger.held.deployment if ledger.held else None
        if begun and mine(begun, wanted) and decision.result is not Result.DIRTY:
            try:
                ledger.finish(decision.result.value, decision.reason.splitlines()[0])
            except GuardFired:
                return None
        else:
            self._give_up_lock()
        decision = replace(decision, proven=decision.proven and not self._watcher.unproven)
        self._herald.ended(seen, decision)
        return decision

    def _give_up_lock(self) -> None:
        """The next controller need not wait for the lease's end. Not a must: it ends by itself."""
        try:
            self._observer.ledger.release()
        except (AwsError, LeaseLost) as error:
            self._tell(f"{self._settings.environment.env} | note: the lock was not given back: {error}")


def _key(step: Step) -> tuple[type[Step], str]:
    return type(step), str(step)
