# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stores as a deployment reads them: by the code that servers read them with, through the deployment's clients."""

from __future__ import annotations

import threading
import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws import config_stores
from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.aws.client import Aws, Service, refused
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.aws.credentials import Chain
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.aws.sigv4 import Credentials
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.deadline import Deadline
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.errors import ConfigError, Exit

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients

SECONDS: t.Final = 60.0
"""For all stores."""

CALLS: t.Final[Mapping[str, Callable[[Clients, Mapping[str, t.Any]], dict[str, t.Any]]]] = {
    "GetParametersByPath": config_stores.get_parameters_by_path,
    "GetParameters": config_stores.get_parameters,
    "GetSecretValue": config_stores.get_secret_value,
    "BatchGetSecretValue": config_stores.batch_get_secret_value,
}


class DeploymentAws(Aws):
    """AWS for the stores' code, without an agent's credentials, retries and clock: botocore has its own.

    Args:
        clients: the way to the env's account and region.
    """

    def __init__(self, clients: Clients) -> None:
        super().__init__(clients.region, _Keys(clients), Deadline(SECONDS))
        self._clients = clients
        # boto3 makes clients in one thread at a time only.
        self._making = threading.Lock()

    def service(self, name: str) -> Service:
        with self._making:
            getattr(self._clients, name)
        return _Calls(name, self._clients)


class _Calls(Service):
    def __init__(self, name: str, clients: Clients) -> None:
        self._service, self._clients = name, clients

    def json(self, what: str, action: str, request: Mapping[str, t.Any]) -> dict[str, t.Any]:
        try:
            return CALLS[action](self._clients, request)
        except AwsError as error:
            code, why = error.code, error.why
        # Not AWS's own text of a refusal, which could quote what it refused.
        if code:
            raise refused(what, code, action=f"{self._service}:{action}")
        raise ConfigError(Exit.UNAVAILABLE, f"{what}: {why}")


class _Keys(Chain):
    """The deployment's own credentials: Vault is shown by them who asks."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def get(self) -> Credentials:
        try:
            return Credentials(*self._clients.credentials())
        except AwsError as error:
            raise ConfigError(Exit.DENIED, str(error)) from None

    def expired(self, used: Credentials) -> None:
        """Nothing to forget: botocore renews them."""
