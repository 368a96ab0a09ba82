# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who we are to AWS, and how to be someone else for as long as it takes."""

from __future__ import annotations

import typing as t

try:
    import boto3
    from botocore.credentials import (
        CredentialResolver,
        DeferredRefreshableCredentials,
        create_assume_role_refresher,
    )
    from botocore.session import Session as BotocoreSession
except ImportError:  # session.connect() says what to install
    pass

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import aws_call

if t.TYPE_CHECKING:
    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients

SESSION_NAME: t.Final = "immutable.ec2"
"""What CloudTrail shows behind the role's name."""

METHOD: t.Final = "assume-role"


@aws_call("read whose credentials these are")
def caller_account(clients: Clients) -> str:
    """The number of the account that the credentials belong to; needs no permission.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    """
    return clients.sts.get_caller_identity()["Account"]


@aws_call("assume the role {}")
def assume(clients: Clients, role: str) -> boto3.session.Session:
    """A session of the role. Its credentials last an hour and are asked for anew before they end, as often as needed:
    a deployment may take longer.

    Args:
        clients: whose credentials may assume the role.
        role: its ARN.

    Raises:
        AwsError: the role may not be assumed, or doesn't exist.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    """
    refresh = create_assume_role_refresher(clients.sts, {"RoleArn": role, "RoleSessionName": SESSION_NAME})
    credentials = DeferredRefreshableCredentials(refresh, METHOD)
    credentials.get_frozen_credentials()  # a refusal is said here, by its name, not at the first call that needs them
    session = BotocoreSession()
    resolver = CredentialResolver(providers=[t.cast("t.Any", _Provider(credentials))])
    session.register_component("credential_provider", resolver)
    return boto3.session.Session(botocore_session=session, region_name=clients.region)


class _Provider:
    """Gives botocore credentials that are there already."""

    METHOD = METHOD
    CANONICAL_NAME = None

    def __init__(self, credentials: DeferredRefreshableCredentials) -> None:
        self._credentials = credentials

    def load(self) -> DeferredRefreshableCredentials:
        return self._credentials
