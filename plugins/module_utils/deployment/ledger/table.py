# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger's table: its calls, with what to do about an answer."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws import dynamodb
from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.dynamodb import Write
    from ansible_collections.immutable.ec2.plugins.module_utils.aws.fence import Fence
    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients

R = t.TypeVar("R")

MOST_SKEW: t.Final = 2.0
"""Seconds that this machine's clock may be off AWS's: controllers judge by their clocks whose lease is over."""

PAUSES: t.Final = (0.1, 0.2, 0.4, 0.8, 1.6)
"""Seconds before a write is sent again that met another one at the same moment; nothing was written then."""

REMEDIES: t.Final = {
    "ResourceNotFoundException": "it is part of the edge: make that with environment.yml, or set the right account",
    "AccessDeniedException": "allow dynamodb:Query, UpdateItem, PutItem, DeleteItem and ConditionCheckItem on it",
}
"""An error's code → what to do."""


class Table:
    """The table of one env. Its writes need no lease: each names in its condition what it counts on.

    Args:
        clients: the way to AWS.
        name: the table's.
        fence: lets these writes pass.
    """

    def __init__(self, clients: Clients, name: str, fence: Fence) -> None:
        self._clients = clients
        self._fence = fence
        self.name = name
        self.skew = 0.0
        """By how many seconds this machine's clock was ahead of AWS's at the last query, at least."""

    def require_right_clock(self) -> None:
        """Returns if this machine's clock was right at the last query.

        Raises:
            Refused: it was not.
        """
        if abs(self.skew) > MOST_SKEW:
            way = "ahead of" if self.skew > 0 else "behind"
            raise Refused(
                f"this machine's clock is {abs(self.skew):.0f} s {way} AWS's, so nobody can tell whose turn it is to"
                " deploy; set it right (NTP) and run the same command again"
            )

    def query(self, partition: str, *, newest_first: bool = False, limit: int | None = None) -> list[dict[str, t.Any]]:
        """The items of a partition, at this moment.

        Raises:
            AwsError: with what to do.
        """
        found = _explained(
            lambda: dynamodb.query(self._clients, self.name, partition, newest_first=newest_first, limit=limit)
        )
        self.skew = found.skew
        return found.items

    def update(self, write: Write, orphan: bool = False) -> dict[str, t.Any]:
        """Makes one Update; returns the whole item.

        Args:
            orphan: even if this process's parent is gone.

        Raises:
            ConditionFailed: nothing was written.
            AwsError: with what to do.
        """
        return self._write(lambda: dynamodb.update(self._clients, self.name, write), orphan)

    def transact(self, *writes: Write) -> None:
        """Makes all of the writes or none.

        Raises:
            ConditionFailed: nothing was written.
            AwsError: with what to do.
        """
        self._write(lambda: dynamodb.transact(self._clients, self.name, *writes))

    def _write(self, call: Callable[[], R], orphan: bool = False) -> R:
        with self._fence.exempt(orphan):
            for pause in PAUSES:
                try:
                    return _explained(call)
                except dynamodb.Conflict:
                    clock.sleep(pause)
            return _explained(call)


def _explained(call: Callable[[], R]) -> R:
    try:
        return call()
    except AwsError as error:
        if error.code in REMEDIES:
            raise AwsError(error.doing, f"{error.why} ({REMEDIES[error.code]})", error.code) from error
        raise
