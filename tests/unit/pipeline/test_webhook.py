# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the notifier reaches a webhook that is slow, overloaded, gone or wrong; what it says of it holds no secret."""

from __future__ import annotations

import io
import socket
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.pipeline import notifier_code
from tests.slack import SECRET_PATH, Answer, Slack, slack

notifier = notifier_code()
PAYLOAD = {"text": "hello", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "hello"}}]}
SECRET = SECRET_PATH.rsplit("/", 1)[1]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slack]:
    with slack(tmp_path_factory.mktemp("slack")) as started:
        yield started


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that it would have waited; it doesn't."""
    found: list[float] = []
    monkeypatch.setattr(notifier.time, "sleep", found.append)
    monkeypatch.setattr(notifier, "ANSWER_SECONDS", 0.5)
    return found


Post = Callable[..., int]


@pytest.fixture
def post(server: Slack, monkeypatch: pytest.MonkeyPatch) -> Post:
    """Posts a message, the server giving these answers."""
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))

    def run(*answers: Answer, address: str = "", seconds_left: float = 100) -> int:
        server.begin(*answers)
        webhook = notifier.Webhook(lambda _anew: address or server.address)
        return int(webhook.post(PAYLOAD, lambda: seconds_left * 1000))

    return run


def test_a_message_that_is_taken(post: Post, server: Slack, waits: list[float]) -> None:
    assert (post(), server.messages, waits) == (1, [PAYLOAD], [])


@pytest.mark.parametrize("answer", [Answer(500), Answer(503), Answer(0)], ids=["500", "503", "no answer"])
def test_it_tries_again_and_waits_longer_each_time(
    post: Post, server: Slack, waits: list[float], answer: Answer
) -> None:
    assert post(answer, answer) == 3
    assert server.messages == [PAYLOAD]
    assert 1 <= waits[0] <= 1.5 < 2 <= waits[1] <= 3


def test_it_waits_as_long_as_slack_asks(post: Post, waits: list[float]) -> None:
    assert post(Answer(429, retry_after="17"), Answer(429)) == 3
    assert waits[0] == 17 and 2 <= waits[1] <= 3


def refused(post: Post, *answers: Answer, **given: Any) -> str:
    """Why it was not delivered; nothing of the error, its causes included, holds the address."""
    with pytest.raises(notifier.NotDelivered) as error:
        post(*answers, **given)
    told = "".join(traceback.format_exception(error.value))
    assert SECRET not in told and "/services/" not in told
    return str(error.value)


@pytest.mark.parametrize(
    ("answers", "why", "requests"),
    [
        ([Answer(500)] * 9, "Slack did not take it at try 4: HTTP 500", 4),
        ([Answer(0)] * 9, "Slack did not take it at try 4: no answer (TimeoutError)", 4),
        ([Answer(429)] * 9, "Slack did not take it at try 4: HTTP 429", 4),
        ([Answer(400, "invalid_blocks")], "Slack refused it: HTTP 400 invalid_blocks", 1),
        ([Answer(400, f"no such page {SECRET_PATH}")], "Slack refused it: HTTP 400", 1),
        ([Answer(400, SECRET)], "Slack refused it: HTTP 400", 1),
        ([Answer(302)], "Slack refused it: HTTP 302", 1),
        ([Answer(403, "action_prohibited")] * 2, "Slack refused it: HTTP 403 action_prohibited", 2),
        ([Answer(404, "no_service")] * 2, "Slack refused it: HTTP 404 no_service", 2),
        ([Answer(429, retry_after="200")], "Slack did not take it at try 1: HTTP 429", 1),
    ],
)
@pytest.mark.usefixtures("waits")
def test_what_slack_does_not_take_is_an_error_that_says_why(
    post: Post, server: Slack, answers: list[Answer], why: str, requests: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused(post, *answers) == why
    assert server.requests == requests
    assert SECRET not in capsys.readouterr().out


@pytest.mark.usefixtures("waits")
def test_nobody_listens(post: Post) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"https://localhost:{port}{SECRET_PATH}"
    assert "no answer (ConnectionRefusedError)" in refused(post, address=address)


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 64, "localhost:99999"])
def test_a_host_that_cannot_be(post: Post, host: str) -> None:
    assert "no answer (" in refused(post, address=f"https://{host}{SECRET_PATH}")


@pytest.mark.usefixtures("waits")
def test_whoever_is_not_slack_is_sent_nothing(
    post: Post, server: Slack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nobody.pem").write_text("")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "nobody.pem"))
    assert "no answer (SSLCertVerificationError)" in refused(post)
    assert server.requests == 0


def test_an_address_that_was_replaced_is_read_again(
    server: Slack, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    server.begin()
    webhook = notifier.Webhook(lambda anew: server.address if anew else server.address + "-old")
    assert (webhook.post(PAYLOAD, lambda: 100_000), waits) == (2, [0])


class Secrets:
    """Secrets Manager with one secret, and how often it was read."""

    def __init__(self, value: object) -> None:
        self.value, self.reads = value, 0

    def get_secret_value(self, SecretId: str) -> dict[str, object]:
        self.reads += 1
        if self.value is None:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetSecretValue")
        return {"Name": SecretId, "SecretString": self.value}


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Callable[[object], Secrets]:
    def hold(value: object) -> Secrets:
        found = Secrets(value)
        monkeypatch.setattr(notifier, "_known", {})
        monkeypatch.setattr(notifier.boto3, "client", lambda *_given, **_more: found)
        return found

    return hold


def test_the_address_is_read_once_unless_asked_for_anew(secrets: Callable[[object], Secrets]) -> None:
    found = secrets(" https://hooks.example/services/x\n")
    read = notifier.webhook_address("shop/slack")
    assert [read(False), read(False)] == ["https://hooks.example/services/x"] * 2
    assert found.reads == 1
    read(True)
    assert found.reads == 2


@pytest.mark.parametrize(
    "value",
    [
        *("", SECRET, f"https:{SECRET_PATH}", f"https://[{SECRET}", f"https://user:{SECRET}@hooks.example/"),
        f"http://hooks.example{SECRET_PATH}",
        f"https://hooks.example{SECRET_PATH} x",
        f'{{"url": "https://hooks.example{SECRET_PATH}"}}',
    ],
)
def test_a_secret_that_is_no_address_is_named_and_not_shown(secrets: Callable[[object], Secrets], value: str) -> None:
    secrets(value)
    with pytest.raises(notifier.NotDelivered) as error:
        notifier.webhook_address("shop/slack")(False)
    assert str(error.value) == "the secret shop/slack must hold the webhook's address, https://…, and nothing else"
    assert SECRET not in "".join(traceback.format_exception(error.value))


def test_a_secret_that_cannot_be_read(secrets: Callable[[object], Secrets]) -> None:
    secrets(None)
    with pytest.raises(notifier.NotDelivered, match=r"^the secret shop/slack can't be read: .*AccessDenied"):
        notifier.webhook_address("shop/slack")(False)


class Bucket:
    """S3 with one object, or none."""

    def __init__(self, content: bytes | None) -> None:
        self.content, self.asked = content, ""

    def get_object(self, Bucket: str, Key: str) -> dict[str, io.BytesIO]:
        self.asked = f"{Bucket}/{Key}"
        if self.content is None:
            # So it is without s3:ListBucket, which the notifier doesn't have.
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetObject")
        return {"Body": io.BytesIO(self.content)}


@pytest.mark.parametrize(
    ("status", "content", "told"),
    [
        ("FAILED", b'{"result": "failed"}', True),
        ("FAILED", b'{"result": "published"}', False),
        ("TIMED_OUT", b'{"result": "failed"}', False),
        ("FAILED", None, False),
        ("FAILED", b"{", False),
        ("FAILED", b"[]", False),
    ],
)
def test_a_bake_has_told_its_failure_where_its_result_says_so(
    monkeypatch: pytest.MonkeyPatch, status: str, content: bytes | None, told: bool
) -> None:
    bucket = Bucket(content)
    monkeypatch.setattr(notifier.boto3, "client", lambda *_given, **_more: bucket)
    build = {"build-status": status, "build-id": "arn:aws:codebuild:eu-west-1:123456789012:build/shop-bake:6f1c"}
    assert notifier.has_told(build, "shop-artifacts") is told
    assert bucket.asked == "shop-artifacts/builds/6f1c/bake/result.json"
