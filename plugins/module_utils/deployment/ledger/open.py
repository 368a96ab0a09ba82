# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What anybody may do with the ledger, without its lock: read it, and say something to whoever holds it."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws.dynamodb import ConditionFailed
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger import history, items, writes
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.errors import NotSigned

if t.TYPE_CHECKING:
    from ansible_collections.immutable.ec2.plugins.module_utils.aws.dynamodb import Write
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.history import Record
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.table import Table
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import Deployment, LedgerSeen

LOOK_BACK: t.Final = 200
"""Deployments among which the previous release is looked for."""


class OpenLedger:
    """The ledger as it is open to everybody.

    Args:
        table: its table.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self._known_fence: int | None = None

    def read(self) -> LedgerSeen:
        """Lock, unfinished deployment and guard's order, as they are at this moment.

        Raises:
            AwsError: the table can't be read.
            Refused: an item was written by hand, and wrongly.
        """
        found = self._table.query(items.ENV)
        seen = items.ledger_seen(found, self._table.name)
        self._known_fence = items.fence(found, self._table.name)
        return seen

    def history(self, limit: int) -> list[Record]:
        """The last deployments that have ended, newest first.

        Raises:
            AwsError, Refused: as `read`.
        """
        found = self._table.query(items.HISTORY, newest_first=True, limit=limit)
        return [items.record(item, self._table.name) for item in found]

    def last_deployed(self, before: str) -> Record | None:
        """What served before a release was deployed, from the last 200 deployments; None if it isn't known.

        Args:
            before: the release that serves now.
        """
        return history.deployed_before(self.history(LOOK_BACK), before)

    def left_behind(self, serving: str) -> str:
        """The release that was rolled back by deploying the serving one anew, as `history.left_behind`."""
        return history.left_behind(self.history(LOOK_BACK), serving)

    def approve(self, deployment_id: str, by: str) -> Deployment:
        """Says go to an unfinished deployment; the first name stays.

        Raises:
            Refused: there is no such deployment, or it is on its way back.
            AwsError: no answer.
        """
        return self._sign(deployment_id, "approved", writes.approve(deployment_id, by))

    def request_abort(self, deployment_id: str, by: str) -> Deployment:
        """Asks for the end of an unfinished deployment; the first name stays.

        Raises:
            Refused, AwsError: as `approve`.
        """
        return self._sign(deployment_id, "aborted", writes.request_abort(deployment_id, by))

    def _sign(self, deployment_id: str, done: str, write: Write) -> Deployment:
        try:
            signed = items.deployment(self._table.update(write), self._table.name)
        except ConditionFailed as error:
            raise NotSigned(deployment_id, done, items.deployment(error.failed[0], self._table.name)) from error
        return t.cast("Deployment", signed)  # the condition named its id
