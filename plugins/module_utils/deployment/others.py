# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When another controller is at work: it is told what a person wants, and followed to its end."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.writes import takeable
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.outcome import Outcome
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import Plan, Result
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import (
    Aborted,
    Deployed,
)

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import LedgerSeen
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.observe import Observer
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.settings import Settings
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import Wanted

POLL_SECONDS: t.Final = 2.0


def follow(wanted: Wanted, observer: Observer, settings: Settings, tell: Callable[[str], None]) -> Outcome | None:
    """The end of another controller's deployment that was approved or is to be aborted.

    Returns:
        None where nobody is at work on it (any more): then it is this run's to finish.

    Raises:
        Refused: there is no such deployment any more.
        AwsError: the ledger can't be read or written.
    """
    if not (isinstance(wanted, Aborted) or (isinstance(wanted, Deployed) and settings.approve)):
        return None
    before = observer.everything()
    begun = before.ledger.deployment
    if begun is None or not _at_work(before.ledger):
        return None
    ledger, env = observer.ledger, settings.environment.env
    if isinstance(wanted, Aborted):
        ledger.request_abort(begun.id, wanted.by)
    lease = before.ledger.lease
    asked = "ended" if isinstance(wanted, Aborted) else "approved"
    goes_on = f"{lease.holder if lease else 'its controller'} goes on with it"
    tell(f"{env} | {begun.id} ({begun.release}) is {asked}; {goes_on}")
    while True:
        seen = ledger.read()
        if seen.deployment is None or seen.deployment.id != begun.id:
            break
        if not _at_work(seen):
            return None
        clock.sleep(POLL_SECONDS)
    ended = next((record for record in ledger.history(20) if record.id == begun.id), None)
    result = Result(ended.result) if ended else Result.DIRTY
    reason = ended.reason if ended else f"{begun.id} has ended, but the history doesn't say how; see status.yml"
    after = observer.everything()
    tell(f"{env} | {result}: {reason}")
    return Outcome(Plan(result, reason), before, after, (), wanted)


def _at_work(seen: LedgerSeen) -> bool:
    """Whether somebody holds the lock, or did a moment ago, so that it can't be taken yet."""
    return seen.lease is not None and not takeable(seen.lease, clock.now())
