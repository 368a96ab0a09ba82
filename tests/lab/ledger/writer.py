# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.lab.ledger.writer URL TABLE SECONDS``: takes the lock for that long, then writes once a line.

Prints its name first, ``wrote`` for each write, and why it ends; it never renews.
"""

from __future__ import annotations

import sys
from datetime import timedelta

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import LeaseLost
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger import holder
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.ledger import Ledger
from tests.lab.ledger.support import R2, Table


def main() -> None:
    url, table, seconds = sys.argv[1:]
    clients = Table(url, table).clients()
    ledger = Ledger(clients, table, holder.name({}), timedelta(seconds=float(seconds)))
    ledger.acquire("deploys r2", R2)
    say(ledger.holder)
    try:
        for line in sys.stdin:
            clients.sns.create_topic(Name=f"{table}-{line.strip()}")
            say("wrote")
    except LeaseLost as lost:
        ledger.release()
        say(str(lost))


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
