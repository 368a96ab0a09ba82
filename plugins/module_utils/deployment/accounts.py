# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The right account: what an env's file names is what the credentials must be of."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws.identity import caller_account
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused

if t.TYPE_CHECKING:
    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients


def check_account(clients: Clients, expected: str) -> None:
    """Refuses credentials of another account. One read call, none where the file names no account.

    Args:
        clients: the way to AWS, with the env's role where it has one.
        expected: the account that the env's file names, 12 digits; empty for any.

    Raises:
        Refused: the credentials are of another account.
        AwsError: AWS can't be asked.
    """
    if not expected:
        return
    account = caller_account(clients)
    if account != expected:
        raise Refused(
            f"the credentials are of account {account}, the env's file names {expected}; nothing was changed. "
            "Use that account's credentials (AWS_PROFILE), or set `role` to a role there"
        )
