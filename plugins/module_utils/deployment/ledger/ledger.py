# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of an env that holds the deployment lock, the guard's order and the history of deployments."""

from __future__ import annotations

import contextlib
import secrets
import typing as t
from dataclasses import dataclass
from datetime import timedelta

from ansible_collections.immutable.ec2.plugins.module_utils.aws.dynamodb import ConditionFailed
from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import LeaseLost
from ansible_collections.immutable.ec2.plugins.module_utils.aws.fence import Fence
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger import history, items, writes
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.errors import (
    GuardFired,
    LockHeld,
    taken_by,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.open import OpenLedger
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.table import Table

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.history import Record
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import Deployment, GuardOrder, Lease

LEASE: t.Final = timedelta(seconds=60)
POLL_SECONDS: t.Final = 5.0


@dataclass(frozen=True)
class Held:
    """The lock is ours: with this lease, and for this deployment if one is unfinished."""

    lease: Lease
    deployment: Deployment | None


class Ledger(OpenLedger):
    """One controller's hand on the ledger. From its making on, the clients' writes need the lock (see `Fence`).

    Args:
        clients: the way to AWS.
        table: the table's name, from the edge's outputs.
        holder: who this is, for the others (`holder.name`).
        lease: how long the lock holds without being renewed.
    """

    def __init__(self, clients: Clients, table: str, holder: str, lease: timedelta = LEASE) -> None:
        self.holder = holder
        self._lease = lease
        self._token = secrets.token_hex(8)
        self._began = 0.0
        self.held: Held | None = None
        self.fence = Fence(self._lease_end)
        super().__init__(Table(clients, table, self.fence))
        clients.fence(self.fence)

    def acquire(self, what: str, deployment: Deployment | None) -> Held:
        """Takes the lock, and in the same write begins the deployment (or goes on with it).

        Where another has held the lock since this one last read, the lock is taken and nothing begun: what the
        deployment was made of is out of date. Then `Held.deployment` is None: observe again, and acquire again.

        Args:
            what: what will be done, for whoever meets the lock.
            deployment: to begin; None to work on whatever is unfinished.

        Raises:
            LockHeld: another holds the lock, or another deployment is unfinished.
            Refused: this machine's clock is wrong.
            AwsError: the table can't be written; whether the lock was taken is not known.
        """
        self._table.require_right_clock()
        began, now = clock.boottime(), clock.now()
        ask = writes.Claim(self._token, self.holder, what, now, now + self._lease)
        write = writes.acquire(ask, deployment, self._known_fence)
        try:
            return self._hold(began, self._table.update(write))
        except ConditionFailed as error:
            seen = items.ledger_seen([{**error.failed[0], "sk": "lock"}], self._table.name)
            over = seen.lease is None or writes.takeable(seen.lease, now)
            if over and deployment and (seen.deployment is None or seen.deployment.id == deployment.id):
                return self.acquire(what, None)
            raise LockHeld(None if over else seen.lease, seen.deployment) from error

    def wait_for(
        self, what: str, deployment: Deployment | None, patience: timedelta, tell: Callable[[str], None]
    ) -> Held:
        """`acquire`, again and again while another holds the lock.

        Args:
            what, deployment: as for `acquire`.
            patience: how long; zero asks once.
            tell: is called once with each holder and what it does.

        Raises:
            LockHeld: still held after that time; or another deployment is unfinished and nobody works on it.
            Refused, AwsError: as `acquire`.
        """
        deadline = clock.boottime() + patience.total_seconds()
        told = None
        while True:
            try:
                return self.acquire(what, deployment)
            except LockHeld as held:
                left = deadline - clock.boottime()
                if held.lease is None or left <= 0:
                    raise
                if told != (held.lease.holder, held.lease.what):
                    told = (held.lease.holder, held.lease.what)
                    tell(f"waiting up to {left:.0f} s for the deployment lock: {held}")
                clock.sleep(min(POLL_SECONDS, left))

    def adopt(self, mine: writes.Mine) -> Held:
        """Goes on with the lock that another process of the same run took, and renews it.

        Args:
            mine: that one's `mine`.

        Raises:
            LeaseLost: it has been given back, or another has taken it.
            AwsError: no answer.
        """
        self._token = mine.token
        return self._renew(mine)

    def due(self) -> bool:
        """Whether it is time to `renew`: a third of the lease has passed."""
        return self.held is not None and clock.boottime() >= self._began + self._lease.total_seconds() / 3

    def renew(self, baseline: int | None = None) -> Held:
        """Makes the lease as long as at first, and sees what others wrote into the deployment (approval, abort).

        Args:
            baseline: how many servers the live colour wants; the highest stays.

        Raises:
            LeaseLost: another has taken the lock.
            AwsError: no answer; the lease goes on to its end, so this may be tried again.
        """
        return self._renew(self.mine, baseline=baseline or 0)

    def turn_back(self, reason: str) -> Held:
        """Writes down that and why the deployment's traffic goes back; the first reason stays. Renews too.

        Raises:
            LeaseLost, AwsError: as `renew`.
        """
        return self._renew(self.mine, turned_back=reason)

    def _renew(self, mine: writes.Mine, baseline: int = 0, turned_back: str = "") -> Held:
        deployment = self.held.deployment if self.held else None
        began, now = clock.boottime(), clock.now()
        if deployment is None or baseline <= deployment.baseline:
            baseline = 0
        deployment_id = deployment.id if deployment else ""
        write = writes.renew(mine, now + self._lease, deployment_id, baseline, turned_back)
        try:
            return self._hold(began, self._table.update(write))
        except ConditionFailed as error:
            raise self._overtaken(error) from error

    def release(self) -> None:
        """Gives the lock back if it is still ours; an unfinished deployment stays, and anyone can go on with it.

        Raises:
            AwsError: no answer; the lease ends by itself.
        """
        if self.held is None:
            return
        mine, self.held = self.mine, None
        with contextlib.suppress(ConditionFailed):  # another has it: there is nothing to give back
            self._table.update(writes.release(mine), orphan=True)

    def finish(self, result: str, reason: str) -> Record:
        """Ends the deployment, in one transaction: the lock is free, the guard without an order, the history has it.

        Raises:
            GuardFired: it was to end well, and the guard has turned traffic back.
            LeaseLost: another has taken the lock. Nothing was changed.
            AwsError: no answer.
        """
        mine = self.mine
        deployment = self.held.deployment if self.held else None
        if deployment is None:
            raise ValueError("no deployment was begun that could end")
        ended = history.record(deployment, result, reason, clock.now())
        try:
            self._table.transact(*writes.finish(mine, ended, forward=not deployment.turned_back))
        except ConditionFailed as error:
            raise self._overtaken(error) from error
        self.held = None
        return ended

    def arm(self, order: GuardOrder) -> None:
        """Gives the guard its order, right before a shift.

        Raises:
            GuardFired: it has already turned this deployment back.
            LeaseLost, AwsError: as `finish`.
        """
        try:
            self._table.transact(writes.holding(self.mine), writes.arm(order, clock.now()))
        except ConditionFailed as error:
            raise self._overtaken(error) from error

    def disarm(self) -> None:
        """Takes back this deployment's order, if there is one; whether the guard fired can still be read.

        Raises:
            LeaseLost, AwsError: as `arm`.
        """
        mine = self.mine
        if self.held is None or self.held.deployment is None:
            return
        try:
            self._table.transact(writes.holding(mine), writes.disarm(self.held.deployment.id))
        except ConditionFailed as error:
            if 0 in error.failed:
                raise self._overtaken(error) from error

    def _lease_end(self) -> float | None:
        return None if self.held is None else self._began + self._lease.total_seconds()

    @property
    def mine(self) -> writes.Mine:
        """What shows that the lock is held here.

        Raises:
            LeaseLost: it isn't.
        """
        if self.held is None:
            raise LeaseLost("this run does not hold the deployment lock")
        return writes.Mine(self._token, self.held.lease.fence)

    def _hold(self, began: float, lock: Mapping[str, t.Any]) -> Held:
        """What was written. The lease counts from before the call, so that it ends here before it ends for others."""
        lease = t.cast("Lease", items.lease(lock, self._table.name))  # just written
        self._began, self._known_fence = began, lease.fence
        self.held = Held(lease, items.deployment(lock, self._table.name))
        return self.held

    def _overtaken(self, error: ConditionFailed) -> LeaseLost | GuardFired:
        """Whether the lock, which is the first that each write asks about, or the guard's order was not as expected."""
        if 0 not in error.failed:
            return GuardFired(items.guard_order(error.failed[1], self._table.name))
        self.held = None
        return taken_by(items.lease(error.failed[0], self._table.name))
