# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calls to AWS: signed, and each refusal turned into what it means. Retries are the deadline's."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from ..deadline import Deadline
from ..errors import ConfigError, Exit, Retryable
from ..web import Answer, Host
from .credentials import Chain
from .sigv4 import Credentials, Scope, signed

JSON = "application/x-amz-json-1.1"
FORM = "application/x-www-form-urlencoded; charset=utf-8"
TARGETS = {"ssm": "AmazonSSM", "secretsmanager": "secretsmanager"}

NOT_FOUND = frozenset({"ParameterNotFound", "ParameterVersionNotFound", "ResourceNotFoundException"})
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
# They pass: throttling under any of its names. An expired token is among them since a newer one is found.
PASSING = EXPIRED | {
    "InternalServerError",
    "InternalServiceError",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestTimeout",
    "ServiceUnavailable",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}
DENIED = frozenset({"AccessDenied", "NotAuthorized", "UnauthorizedOperation", "InvalidClientTokenId"})
# What a service says of a signature whose time is too far from its own: by these words it means others too.
SKEWED = frozenset({"InvalidSignatureException", "RequestTimeTooSkewed", "SignatureDoesNotMatch", "AuthFailure"})
# AWS takes 5 minutes; what is nearer was not refused because of the clock.
MOST_SKEW = timedelta(minutes=4)


class Aws:
    """AWS's services in one region. Threads may share it; each gets connections of its own from `service`."""

    def __init__(self, region: str, chain: Chain, deadline: Deadline) -> None:
        self.region = region
        self.chain = chain
        self.deadline = deadline
        self._skew = timedelta()

    def service(self, name: str) -> Service:
        """Return a client of a service for one thread."""
        return Service(self, name, Host(endpoint(name, self.region), self.deadline, ca_file=_ca_file()))

    def now(self) -> datetime:
        """Return AWS's time: the server's own clock, set right by what AWS said when it refused one."""
        return datetime.now(UTC) + self._skew

    def learn_time(self, answer: Answer, signed_at: datetime) -> bool:
        """Whether the answer shows that the request was signed at a wrong time; then the clock is put right.

        It is held against the signature, not against the clock: another thread may have put that right meanwhile.
        """
        try:
            theirs = parsedate_to_datetime(answer.headers["date"])
        except (KeyError, ValueError):
            return False
        if abs(theirs - signed_at) < MOST_SKEW:
            return False
        self._skew = theirs - datetime.now(UTC)
        return True


class Service:
    """One service, for one thread."""

    def __init__(self, aws: Aws, name: str, host: Host) -> None:
        self._aws, self._name, self._host = aws, name, host

    def json(self, what: str, action: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Call an action of a service that speaks JSON, again and again until the deadline.

        Args:
            what: is asked for, for the messages.

        Raises:
            ConfigError: denied, not found, refused, or not to be had until the deadline.
        """
        headers = {"Content-Type": JSON, "X-Amz-Target": f"{TARGETS[self._name]}.{action}"}
        body = json.dumps(request).encode()
        return self._aws.deadline.retry(what, lambda: self._once(what, action, headers, body).json())

    def form(self, what: str, action: str, body: bytes) -> Answer:
        """Call an action of a service that takes forms and answers in XML, in the same way."""
        return self._aws.deadline.retry(what, lambda: self._once(what, action, {"Content-Type": FORM}, body))

    def _once(self, what: str, action: str, headers: Mapping[str, str], body: bytes) -> Answer:
        credentials = self._aws.chain.get()
        scope = Scope(self._aws.region, self._name)
        now = self._aws.now()
        sent = signed(credentials, scope, self._host.netloc, headers, body, now)
        answer = self._host.call("POST", "/", sent, body)
        if answer.status != 200:
            if error_code(answer) in SKEWED and self._aws.learn_time(answer, now):
                raise Retryable(f"{error_code(answer)}: this server's clock is wrong")
            raise self._refusal(what, action, answer, credentials)
        return answer

    def _refusal(self, what: str, action: str, answer: Answer, used: Credentials) -> Exception:
        """What the refusal means. Its message is left out: it could quote the request."""
        code = error_code(answer)
        if code in EXPIRED:
            self._aws.chain.expired(used)
        if code in PASSING or answer.status >= 500 or answer.status == 429:
            return Retryable(f"{code} (HTTP {answer.status})")
        return refused(what, code, action=f"{self._name}:{action}", status=answer.status)


def refused(what: str, code: str, action: str, status: int = 0) -> ConfigError:
    """What a refusal that doesn't pass means."""
    if code in NOT_FOUND or (status == 404 and code not in DENIED):
        return ConfigError(Exit.NOT_FOUND, f"{what}: there is no such entry ({code})")
    if code in DENIED or "AccessDenied" in code or "UnrecognizedClient" in code or status in (401, 403):
        return ConfigError(
            Exit.DENIED, f"{what}: denied ({code}); who asks (a server: its role) needs leave for {action}"
        )
    return ConfigError(Exit.UNAVAILABLE, f"{what}: refused ({code}, HTTP {status})")


def error_code(answer: Answer) -> str:
    """The code of a refusal in either of AWS's protocols; "unknown" where it is not AWS who answers."""
    code: object = answer.headers.get("x-amzn-errortype")
    if not code and b"<Code>" in answer.body:
        code = answer.body.split(b"<Code>", 1)[1].split(b"</Code>", 1)[0].decode("utf-8", "replace")
    if not code:
        try:
            content = answer.json()
        except Retryable:
            content = {}
        code = content.get("__type") or content.get("code")
    name = str(code or "").rsplit("#", maxsplit=1)[-1].split(":")[0]
    # Only what looks like a code: it is shown.
    return name if name.isalnum() and len(name) < 80 else "unknown"


def endpoint(service: str, region: str) -> str:
    """Where a service is: as the environment says, or AWS's own."""
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return own_endpoint(service) or f"https://{service}.{region}.{suffix}"


def own_endpoint(service: str) -> str | None:
    """The address that the environment gives instead of AWS's own, or None."""
    special = os.environ.get(f"AWS_ENDPOINT_URL_{service.upper().replace('SECRETSMANAGER', 'SECRETS_MANAGER')}")
    return special or os.environ.get("AWS_ENDPOINT_URL") or None


def _ca_file() -> str | None:
    return os.environ.get("AWS_CA_BUNDLE") or None
