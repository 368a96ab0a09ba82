# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to AWS: clients made from the arguments that every module of amazon.aws takes."""

from __future__ import annotations

import functools
import os
import socket
import threading
import typing as t
from urllib.parse import urlsplit

try:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    HAS_BOTO3 = True
except ImportError:
    HAS_BOTO3 = False

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError, translate
from ansible_collections.immutable.ec2.plugins.module_utils.aws.identity import assume

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.config import _RetryDict
    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_sts import STSClient

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.fence import Fence

# A throttled deployment must wait, not fail: the adaptive mode slows down with AWS's answers.
# https://docs.aws.amazon.com/boto3/latest/guide/retries.html
RETRIES: _RetryDict = {"mode": "adaptive", "max_attempts": 10}

# News that don't arrive at once are not worth waiting for: a deployment may be turning back meanwhile.
FOR_NEWS: _RetryDict = {"mode": "standard", "total_max_attempts": 2}
NEWS_TIMEOUT_SECONDS = 3

_MAKING: t.Final = threading.Lock()

# boto3's name of a key (after "aws_") → amazon.aws's.
KEYS = {"access_key_id": "access_key", "secret_access_key": "secret_key", "session_token": "session_token"}


class Clients:
    """boto3's clients of one account and region, each made when it is first used.

    Args:
        session: a boto3 session.
        options: what every client is made with (endpoint, certificate check, botocore's config).
        fences: what each request must pass before it is sent.
    """

    def __init__(
        self, session: boto3.session.Session, options: Mapping[str, t.Any], fences: list[Fence] | None = None
    ) -> None:
        self._session = session
        self._options = options
        self._fences: list[Fence] = [] if fences is None else fences

    def in_region(self, region: str) -> Clients:
        """The same account's clients in another region."""
        return Clients(self._session, {**self._options, "region_name": region}, self._fences)

    def fence(self, fence: Fence) -> None:
        """From now on every request of every client, each retry too, is sent only if the fence lets it."""
        self._fences.append(fence)

    def _ask_fences(self, event_name: str, **_request: t.Any) -> None:
        """botocore's event ``before-send.SERVICE.OPERATION``. What is raised here ends the call, without retries."""
        for fence in self._fences:
            fence.check(event_name.rpartition(".")[2])

    def credentials(self) -> tuple[str, str, str | None]:
        """Key, secret and token of this moment, for what is signed by hand.

        Raises:
            AwsError: there are none.
        """
        try:
            found = self._session.get_credentials()
            frozen = found.get_frozen_credentials() if found else None
        except BotoCoreError as error:
            raise translate("find credentials", error) from error
        if frozen is None or not frozen.access_key or not frozen.secret_key:
            raise AwsError("find credentials", "no AWS credentials were found")
        return frozen.access_key, frozen.secret_key, frozen.token

    @property
    def region(self) -> str:
        return str(self._options.get("region_name") or self._session.region_name)

    def _client(self, service: str, **changed: t.Any) -> t.Any:
        try:
            # A session is not made for threads, the clients that it makes are.
            with _MAKING:
                client = self._session.client(service, **{**self._options, **changed})  # type: ignore[call-overload]
        except (BotoCoreError, ValueError) as error:
            raise translate(f"connect to {service}", error) from error
        # The last of the handlers: the adaptive retries' own waits here until the rate allows a request.
        client.meta.events.register_last("before-send", self._ask_fences)
        return client

    @functools.cached_property
    def cloudformation(self) -> CloudFormationClient:
        return t.cast("CloudFormationClient", self._client("cloudformation"))

    @functools.cached_property
    def elbv2(self) -> ElasticLoadBalancingv2Client:
        return t.cast("ElasticLoadBalancingv2Client", self._client("elbv2"))

    @functools.cached_property
    def autoscaling(self) -> AutoScalingClient:
        return t.cast("AutoScalingClient", self._client("autoscaling"))

    @functools.cached_property
    def ec2(self) -> EC2Client:
        return t.cast("EC2Client", self._client("ec2"))

    @functools.cached_property
    def dynamodb(self) -> DynamoDBClient:
        return t.cast("DynamoDBClient", self._client("dynamodb"))

    @functools.cached_property
    def cloudwatch(self) -> CloudWatchClient:
        return t.cast("CloudWatchClient", self._client("cloudwatch"))

    @functools.cached_property
    def sns(self) -> SNSClient:
        brief = Config(retries=FOR_NEWS, connect_timeout=NEWS_TIMEOUT_SECONDS, read_timeout=NEWS_TIMEOUT_SECONDS)
        return t.cast("SNSClient", self._client("sns", config=self._options["config"].merge(brief)))

    @functools.cached_property
    def ssm(self) -> SSMClient:
        return t.cast("SSMClient", self._client("ssm"))

    @functools.cached_property
    def imagebuilder(self) -> t.Any:
        """Without a type: its stubs would be a further dependency, for one call."""
        return self._client("imagebuilder")

    @functools.cached_property
    def rbin(self) -> t.Any:
        """The Recycle Bin's rules; without a type, as above."""
        return self._client("rbin")

    @functools.cached_property
    def secretsmanager(self) -> SecretsManagerClient:
        return t.cast("SecretsManagerClient", self._client("secretsmanager"))

    @functools.cached_property
    def s3(self) -> S3Client:
        return t.cast("S3Client", self._client("s3"))

    @functools.cached_property
    def sts(self) -> STSClient:
        return t.cast("STSClient", self._client("sts"))


def connect(auth: Mapping[str, t.Any]) -> Clients:
    """Clients for the arguments of amazon.aws (`region`, `profile`, `access_key`, `secret_key`, `session_token`,
    `endpoint_url`, `validate_certs`, `aws_ca_bundle`, `aws_config`); what is absent comes from the ordinary AWS chain.
    With `role` (an ARN) they are that role's, which those credentials assume.

    Raises:
        AwsError: boto3 is missing, the profile is unknown, no region was given, or the role can't be assumed.
    """
    if not HAS_BOTO3:
        raise AwsError(
            "connect to AWS", "the Python package boto3 is missing; install it beside ansible: pip install boto3"
        )
    profile = auth.get("profile")
    keys = {} if profile else {f"aws_{name}": auth.get(arg) for name, arg in KEYS.items()}
    try:
        session = boto3.session.Session(profile_name=profile, region_name=auth.get("region"), **keys)
    except BotoCoreError as error:
        raise translate("connect to AWS", error) from error
    if not session.region_name:
        raise AwsError("connect to AWS", "no region was given; set `region` in the environment's file, or AWS_REGION")
    verify = auth.get("aws_ca_bundle") if auth.get("validate_certs", True) else False
    config = Config(retries=RETRIES, connect_timeout=5, read_timeout=30).merge(Config(**(auth.get("aws_config") or {})))
    _check_endpoint(auth.get("endpoint_url") or os.environ.get("AWS_ENDPOINT_URL", ""))
    options = {"endpoint_url": auth.get("endpoint_url"), "verify": verify, "config": config}
    options["region_name"] = session.region_name
    role = auth.get("role")
    return Clients(assume(Clients(session, options), role) if role else session, options)


def _check_endpoint(url: str) -> None:
    """An own endpoint where nobody listens is a mistake, not a passing fault: said at once, not after the retries."""
    if not url:
        return
    address = urlsplit(url)
    try:
        port = address.port or (443 if address.scheme == "https" else 80)
        socket.create_connection((address.hostname or "", port), timeout=5).close()
    except (OSError, ValueError) as error:
        hint = "is the lab running (make lab-status)? Without a lab, unset AWS_ENDPOINT_URL"
        raise AwsError("connect to AWS", f"nothing answers at the endpoint {url} ({error}); {hint}") from error
