# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run's hold on its env: the lock, the guard's order, what is written down of the deployment."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError, LeaseLost
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.begin import begin, mine
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    ALL_TRAFFIC,
    GuardOrder,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan.shared import baseline
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import Plan, Result
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import Deployed

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.judge import Judge
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.ledger import Held
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import Observed
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.observe import Observer
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.settings import Settings
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import Wanted


class Hold:
    """What one run does with the ledger.

    Args:
        observer: knows the env's ledger.
        settings: whose env it is, and how long the lock is waited for.
        wanted: what the run is for.
        note: is called with a line for a person.
    """

    def __init__(self, observer: Observer, settings: Settings, wanted: Wanted, note: Callable[[str], None]) -> None:
        self._observer = observer
        self._settings = settings
        self._wanted = wanted
        self._note = note
        self._order: GuardOrder | None = None

    def take(self, seen: Observed, wanted: Wanted) -> Held:
        """Takes the lock, and begins the deployment if nobody held the lock since it was looked for."""
        return begin(self._observer.ledger, seen, wanted, self._settings, self._note)

    def keep(self, seen: Observed) -> None:
        """Renews the lease when it is time, and writes down a higher baseline at once.

        Raises:
            LeaseLost: the lock, or the process that started this one, is gone.
        """
        ledger, begun, least = self._observer.ledger, seen.ledger.deployment, 0
        if ledger.fence.parent_is_gone():
            raise LeaseLost("the process that started this one is gone")
        if begun and isinstance(self._wanted, Deployed):
            least = baseline(seen, begun.colour, self._wanted.capacity)
        if ledger.due() or (begun and least > begun.baseline):
            try:
                ledger.renew(least)
            except AwsError as error:  # the lease goes on to its end, and after that no write is sent
                self._note(f"the lock was not renewed, and will be: {error}")

    def heard(self, seen: Observed) -> Observed:
        """What was seen, with what this run and others wrote into the deployment, as the last renewal showed it."""
        held = self._observer.ledger.held
        if held is None or held.deployment is None:
            return seen
        known = seen.ledger.guard
        guard = known if known and known.deployment == held.deployment.id else self._order or known
        return replace(seen, ledger=replace(seen.ledger, deployment=held.deployment, guard=guard))

    def arm(self, seen: Observed, judge: Judge) -> None:
        """Gives the guard its order, right before a shift.

        Raises:
            GuardFired: it has already turned back.
        """
        begun = seen.ledger.deployment
        if not isinstance(self._wanted, Deployed) or begun is None or begun.previous is None:
            return
        safe = {begun.previous: ALL_TRAFFIC, begun.previous.other: 0}
        order = GuardOrder(begun.id, safe, judge.guard_alarms(self._observer.stack, begun), armed=True)
        known = seen.ledger.guard
        if not (known and known.armed and known.deployment == begun.id and known.alarms == order.alarms):
            self._observer.ledger.arm(order)
            self._order = order

    def write_down(self, seen: Observed, reason: str) -> bool:
        """Why traffic goes back, so that it does so whatever is seen from now on; False where that is known already."""
        begun = self.heard(seen).ledger.deployment
        if begun is None or begun.turned_back or not mine(begun, self._wanted):
            return False
        self._observer.ledger.turn_back(reason)
        return True

    def end(self, decision: Plan) -> None:
        """Ends the deployment, or gives the lock back where none was begun or a person must look.

        Raises:
            GuardFired: it was to end well, and the guard has turned traffic back.
        """
        ledger = self._observer.ledger
        begun = ledger.held.deployment if ledger.held else None
        if begun and mine(begun, self._wanted) and decision.result is not Result.DIRTY:
            ledger.finish(decision.result.value, decision.reason.splitlines()[0])
        else:
            self.give_back()

    def give_back(self) -> None:
        """The next controller need not wait for the lease's end. Not a must: it ends by itself."""
        try:
            self._observer.ledger.release()
        except (AwsError, LeaseLost) as error:
            self._note(f"the lock was not given back: {error}")
