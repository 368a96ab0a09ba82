# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each refusal of AWS means, and that none of them is shown with what it quotes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.aws.client import Aws, endpoint
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.aws.credentials import Chain
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.deadline import Deadline
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.errors import ConfigError, Exit
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.instance import Metadata

from .conftest import Peer

WHAT = "parameter_store /shop/prod/"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, peer: Peer) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_SSM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_ENDPOINT_URL", peer.url)


def ask(peer: Peer, seconds: float = 30) -> dict[str, Any]:
    deadline = Deadline(seconds)
    aws = Aws("eu-west-1", Chain(Metadata(deadline, peer.url)), deadline)
    return aws.service("ssm").json(WHAT, "GetParametersByPath", {"Path": "/shop/prod/"})


def refusal(code: str) -> str:
    return json.dumps({"__type": f"com.amazonaws#{code}", "message": "you sent s3cret"})


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, refusal("ThrottlingException")),
        (500, refusal("InternalServerError")),
        (503, ""),
        (429, refusal("TooManyRequests")),
        (400, refusal("ExpiredTokenException")),
        (200, "<html>a proxy's page</html>"),
        (200, '{"Parameters": ['),
        (502, "<Code>Bad</Code>"),
    ],
)
def test_what_passes_is_asked_again(peer: Peer, status: int, body: str) -> None:
    peer.answers = [(status, body), (200, '{"Parameters": []}')]
    assert ask(peer) == {"Parameters": []}
    assert len(peer.requests) == 2


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, "AccessDeniedException", Exit.DENIED),
        (400, "KMSAccessDeniedException", Exit.DENIED),
        (400, "UnrecognizedClientException", Exit.DENIED),
        (403, "SignatureDoesNotMatch", Exit.DENIED),
        (400, "ResourceNotFoundException", Exit.NOT_FOUND),
        (404, "", Exit.NOT_FOUND),
        (400, "InvalidKeyId", Exit.UNAVAILABLE),
    ],
)
def test_what_does_not_pass_ends_it_at_once(peer: Peer, status: int, code: str, expected: Exit) -> None:
    peer.answers = [(status, refusal(code))]
    with pytest.raises(ConfigError) as caught:
        ask(peer)
    assert caught.value.code is expected
    assert code in str(caught.value)
    assert str(caught.value).startswith(WHAT)
    assert "s3cret" not in str(caught.value)
    assert len(peer.requests) == 1


def test_a_code_that_is_none_is_not_shown(peer: Peer) -> None:
    peer.answers = [(400, json.dumps({"__type": "s3cret=value with spaces"}))]
    with pytest.raises(ConfigError) as caught:
        ask(peer)
    assert "s3cret" not in str(caught.value)


def test_a_store_that_stays_away_is_unavailable(peer: Peer) -> None:
    peer.answers = [(503, "")]
    with pytest.raises(ConfigError, match=r"parameter_store /shop/prod/: tried \d+ times in 1 s, at last: unknown"):
        ask(peer, 1)


def test_a_clock_that_is_wrong_is_put_right_by_the_services(peer: Peer) -> None:
    theirs = datetime.now(UTC) + timedelta(minutes=10)
    peer.date = format_datetime(theirs, usegmt=True)
    peer.answers = [(400, refusal("InvalidSignatureException")), (200, "{}")]
    assert ask(peer) == {}
    sent = datetime.strptime(peer.requests[1][2]["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert abs(sent - theirs) < timedelta(minutes=1)


def test_a_wrong_signature_at_the_right_time_is_denied(peer: Peer) -> None:
    peer.answers = [(403, refusal("InvalidSignatureException"))]
    with pytest.raises(ConfigError) as caught:
        ask(peer)
    assert caught.value.code is Exit.DENIED


def test_credentials_of_the_role_by_the_metadata(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    role = json.dumps({"AccessKeyId": "ROLES", "SecretAccessKey": "x", "Token": "roles-token"})
    peer.answers = [(200, "token"), (404, ""), (200, "my-role"), (200, role), (200, "{}")]
    assert ask(peer) == {}
    paths = [path.removeprefix("/latest/meta-data/iam/security-credentials/") for _, path, _ in peer.requests]
    assert paths == ["/latest/api/token", "", "", "my-role", "/"]
    assert peer.requests[-1][2]["X-Amz-Security-Token"] == "roles-token"
    assert "Credential=ROLES/" in peer.requests[-1][2]["Authorization"]


def test_no_credentials_at_all(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    peer.answers = [(404, "")]
    with pytest.raises(ConfigError, match="no token, HTTP 404"):
        ask(peer, 2)
    peer.answers = [(200, "token"), (404, "")]
    with pytest.raises(ConfigError, match="no AWS credentials; has the instance a profile"):
        ask(peer, 2)


@pytest.mark.parametrize(
    ("service", "region", "expected"),
    [
        ("ssm", "eu-west-1", "https://ssm.eu-west-1.amazonaws.com"),
        ("secretsmanager", "cn-north-1", "https://secretsmanager.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_endpoints(service: str, region: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    assert endpoint(service, region) == expected
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://all")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://secrets")
    assert endpoint(service, region) == ("http://all" if service == "ssm" else "http://secrets")
