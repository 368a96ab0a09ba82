# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the ledger refuses."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import LeaseLost
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused

if t.TYPE_CHECKING:
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import Deployment, GuardOrder, Lease


class LockHeld(Refused):
    """Someone else deploys, or began a deployment that has not ended.

    Args:
        lease: the other's, None where nobody works on the deployment.
        deployment: the unfinished one, if there is any.
    """

    def __init__(self, lease: Lease | None, deployment: Deployment | None) -> None:
        # Without either the lock would have been ours.
        super().__init__(_held(lease, deployment) if lease else _unfinished(t.cast("Deployment", deployment)))
        self.lease = lease
        self.deployment = deployment


class GuardFired(Exception):
    """The guard has turned traffic back, so the deployment can't go forward.

    Args:
        order: the guard's order as it was found.
    """

    def __init__(self, order: GuardOrder) -> None:
        super().__init__(f"the guard turned traffic back at {order.fired_at} because of the alarm {order.fired_by}")
        self.order = order


class NotSigned(Refused):
    """Nobody can say anything about this deployment any more.

    Args:
        deployment_id: which was meant.
        done: what was to be done with it, as in "approved".
        found: the unfinished deployment, if there is any.
    """

    def __init__(self, deployment_id: str, done: str, found: Deployment | None) -> None:
        if found is None:
            why = "no deployment is under way"
        elif found.id != deployment_id:
            why = f"the one under way is {found.id} (release {found.release}, begun by {found.by})"
        else:
            why = f"it is on its way back: {found.turned_back or f'{found.abort_by} asked for its end'}"
        super().__init__(f"deployment {deployment_id} can't be {done}: {why}; status.yml shows what is")


def taken_by(other: Lease | None) -> LeaseLost:
    """What one hears who no longer holds the lock.

    Args:
        other: the lease that was found instead.
    """
    who = f"{other.holder} took it at {other.since:%H:%M:%S} UTC ({other.what})" if other else "it was taken away"
    return LeaseLost(f"the deployment lock is no longer held here: {who}")


def _held(lease: Lease, deployment: Deployment | None) -> str:
    what = lease.what
    if deployment and deployment.id not in what:
        what = f"{what} (deployment {deployment.id} of release {deployment.release})"
    way_out = "Wait for it with lock_wait" + (", or end it with abort.yml" if deployment else "")
    return (
        f"{lease.holder} holds the deployment lock: {what}, since {lease.since:%Y-%m-%d %H:%M:%S} UTC; its lease holds"
        f" until {lease.until:%H:%M:%S} UTC unless renewed. {way_out}"
    )


def _unfinished(deployment: Deployment) -> str:
    return (
        f"deployment {deployment.id} of release {deployment.release}, begun by {deployment.by} at"
        f" {deployment.started_at:%Y-%m-%d %H:%M:%S} UTC, has not ended and nobody works on it. Deploy that release"
        " again to finish it, or end it with abort.yml"
    )
