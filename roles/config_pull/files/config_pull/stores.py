# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The config stores of AWS: everything that knows botocore."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, ParamValidationError

from .deadline import Deadline
from .declaration import Source
from .errors import ConfigError, Exit, Retryable

Result = TypeVar("Result")

CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0

DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "InvalidClientTokenId",
        "KMSAccessDeniedException",
        "NotAuthorized",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
    }
)
NOT_FOUND = frozenset({"ParameterNotFound", "ResourceNotFoundException"})
# They pass: throttling under any of its names, and tokens that were just renewed.
PASSING = frozenset(
    {
        "ExpiredTokenException",
        "InternalServerError",
        "InternalServiceError",
        "RequestLimitExceeded",
        "RequestTimeout",
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)


class Stores:
    """Reads sources; every call within the deadline.

    Args:
        region: of the stores.
        deadline: of the whole run.
    """

    def __init__(self, region: str, deadline: Deadline) -> None:
        self._deadline = deadline
        self._session = botocore.session.get_session()
        # Retries are ours, under the one deadline, which a call may outlast by its own time-out.
        self._config = Config(
            region_name=region,
            connect_timeout=min(CONNECT_SECONDS, deadline.left()),
            read_timeout=min(READ_SECONDS, deadline.left()),
            retries={"mode": "standard", "total_max_attempts": 1},
        )
        self._clients: dict[str, Any] = {}

    def read(self, source: Source) -> Mapping[str, object]:
        """Return what a source holds: names and values as the store has them.

        Raises:
            ConfigError: denied, not found, no JSON object, or not to be had until the deadline.
        """
        if source.kind == "parameter_store":
            return self._parameters(source)
        return self._secret(source)

    def _parameters(self, source: Source) -> dict[str, str]:
        path = source.name.rstrip("/") + "/"
        found: dict[str, str] = {}
        request: dict[str, Any] = {"Path": path, "WithDecryption": True, "MaxResults": 10}
        while True:
            page = self._call(source, lambda: self._client("ssm").get_parameters_by_path(**request))
            found |= {parameter["Name"].removeprefix(path): parameter["Value"] for parameter in page["Parameters"]}
            if not page.get("NextToken"):
                return found
            request["NextToken"] = page["NextToken"]

    def _secret(self, source: Source) -> dict[str, object]:
        answer = self._call(source, lambda: self._client("secretsmanager").get_secret_value(SecretId=source.name))
        try:
            # Numbers stay as they are written: 1.0 is not 1, and 007 is no number.
            content = json.loads(answer.get("SecretString") or "", parse_int=str, parse_float=str, parse_constant=str)
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise ConfigError(Exit.INCOMPLETE, f"{source}: a JSON object is expected, whose keys become variables")
        return content

    def _client(self, service: str) -> Any:
        # Made at the first call, inside the retries: credentials may take a moment to appear, and a client that was
        # made without them never gets any.
        if service not in self._clients:
            if self._session.get_credentials() is None:
                raise NoCredentialsError
            self._clients[service] = self._session.create_client(service, config=self._config)
        return self._clients[service]

    def _call(self, source: Source, call: Callable[[], Result]) -> Result:
        return self._deadline.retry(str(source), lambda: _translated(source, call))


def _translated(source: Source, call: Callable[[], Result]) -> Result:
    """Call, and turn botocore's errors into ours. Its messages are left out where they could quote a request."""
    try:
        return call()
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in PASSING or status >= 500 or status == 429:
            raise Retryable(f"{code} (HTTP {status})") from error
        if code in DENIED or status in (401, 403):
            raise ConfigError(
                Exit.DENIED, f"{source}: denied ({code}); the instance's role needs leave to read it"
            ) from error
        if code in NOT_FOUND:
            raise ConfigError(Exit.NOT_FOUND, f"{source}: there is no such entry ({code})") from error
        raise ConfigError(Exit.UNAVAILABLE, f"{source}: refused ({code}, HTTP {status})") from error
    except NoCredentialsError as error:
        raise Retryable("no AWS credentials; has the instance a profile?") from error
    except ParamValidationError as error:
        raise ConfigError(Exit.DECLARATION, f"{source}: the store has no entries of such a name") from error
    except BotoCoreError as error:
        # The rest is the network's, or the credentials' on their way.
        raise Retryable(type(error).__name__) from error
