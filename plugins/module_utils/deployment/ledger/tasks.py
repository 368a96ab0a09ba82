# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock over several tasks of a playbook, each a process of its own: one takes it, another gives it back."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.errors import LockHeld
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.writes import Mine

if t.TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.ledger import Held, Ledger
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import LedgerSeen


def take(ledger: Ledger, what: str, patience: timedelta, tell: Callable[[str], None]) -> Held:
    """Takes the lock for something that is no deployment, and that no unfinished deployment must meet.

    Args:
        ledger: with the lease that the lock shall have.
        what: what will be done, for whoever meets the lock.
        patience: how long somebody else who holds it is waited for.
        tell: is called with whom that is.

    Raises:
        LockHeld: somebody else holds the lock, or a deployment has not ended.
        Refused: this machine's clock is wrong.
        AwsError: the ledger can't be read or written.
    """
    seen = ledger.read()
    if seen.deployment and not _live(seen):
        raise LockHeld(None, seen.deployment)
    held = ledger.wait_for(what, None, patience, tell)
    if held.deployment:  # whoever was waited for has left it unfinished
        ledger.release()
        raise LockHeld(None, held.deployment)
    return held


def look(ledger: Ledger) -> None:
    """Returns if the lock could be taken now.

    Raises:
        LockHeld, AwsError: as `take`.
    """
    seen = ledger.read()
    if seen.deployment or _live(seen):
        raise LockHeld(seen.lease if _live(seen) else None, seen.deployment)


def give_back(ledger: Ledger, text: str) -> None:
    """Gives back the lock that another task took.

    Args:
        text: its `token`.

    Raises:
        Refused: that is no token.
        LeaseLost: the lock was lost before, or given back.
        AwsError: the ledger can't be written; the lock ends by itself.
    """
    fence, _point, secret = text.partition(".")
    if not fence.isdecimal() or not secret:
        raise Refused("the token is none that environment_lock has returned; the lock stays until its lease is over")
    ledger.adopt(Mine(secret, int(fence)))
    ledger.release()


def token(mine: Mine) -> str:
    """What shows another task that the lock is ours."""
    return f"{mine.fence}.{mine.token}"


def _live(seen: LedgerSeen) -> bool:
    return seen.lease is not None and seen.lease.until > clock.now()
