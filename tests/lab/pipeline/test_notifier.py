# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The notifier as the pipeline makes it: a message of the topic, the function, an HTTPS server in Slack's place."""

from __future__ import annotations

import json
from collections.abc import Iterator

import jsonschema  # type: ignore[import-untyped]
import pytest

from tests.lab.contract.support import wait_for
from tests.lab.pipeline.team import SECRET, Team
from tests.pipeline import EXAMPLE, FAILURE, SCHEMA, state_change
from tests.slack import SECRET_PATH, Answer, Slack

BUILD = "11111111-2f0e-4a3a-8a51-0d6f5a3b7c11"


@pytest.fixture(autouse=True)
def said_no_secret(team: Team) -> Iterator[None]:
    """After each test: the webhook's address is in no log of the lab, and nowhere that the function wrote to."""
    yield
    secret = SECRET_PATH.rsplit("/", 1)[1]
    for file in team.api.run_dir.rglob("*"):
        if file.is_file():
            assert secret not in file.read_text(errors="replace"), file


def one(server: Slack, seconds: float = 30) -> str:
    """The only message, once Slack has taken it."""
    wait_for(lambda: server.messages, "a message in Slack", seconds)
    (text,) = server.shown()
    return text


def ended(team: Team, message: str, words: str = "Slack has it") -> str:
    """What the log says at the end of a message's way."""
    return wait_for(
        lambda: next((line for line in team.log if message in line and words in line), ""), f"{words} in the log"
    )


def test_a_published_release_reaches_slack(team: Team, server: Slack) -> None:
    jsonschema.validate(EXAMPLE, SCHEMA)
    server.begin()
    message = team.tells(EXAMPLE)
    text = one(server)
    assert EXAMPLE["message"] in text and "eu-west-1: `ami-0123456789abcdef0`" in text
    assert ended(team, message).endswith("try 1")


def test_a_failed_bake_reaches_slack_with_its_step(team: Team, server: Slack) -> None:
    jsonschema.validate(FAILURE, SCHEMA)
    server.begin()
    team.tells(FAILURE)
    assert "*Failed step*\nRefuse a folder without Gemfile.lock" in one(server)


def test_two_errors_of_slack_are_tried_again(team: Team, server: Slack) -> None:
    server.begin(Answer(500, "error"), Answer(500, "error"))
    message = team.tells(EXAMPLE)
    one(server)
    assert ended(team, message).endswith("try 3")
    assert server.requests == 3


def test_slacks_wish_to_wait_is_kept(team: Team, server: Slack) -> None:
    server.begin(Answer(429, "rate_limited", retry_after="2"))
    message = team.tells(EXAMPLE)
    one(server)
    assert ended(team, message).endswith("try 2")
    assert "try 1: HTTP 429 rate_limited; again in 2.0 s" in team.log


def test_a_message_that_slack_never_takes_is_kept_with_the_reason(team: Team, server: Slack) -> None:
    server.begin(*[Answer(400, "invalid_blocks")] * 99)
    message = team.tells(EXAMPLE)
    kept = wait_for(team.not_sent, "the message in the queue")
    server.begin()
    assert len(kept) == 1
    assert kept[0]["requestContext"]["condition"] == "RetriesExhausted"
    assert kept[0]["responsePayload"]["errorMessage"] == "Slack refused it: HTTP 400 invalid_blocks"
    (record,) = kept[0]["requestPayload"]["Records"]
    assert record["Sns"]["MessageId"] == message
    assert json.loads(record["Sns"]["Message"]) == EXAMPLE


def test_the_webhook_may_be_replaced_at_any_time(team: Team, server: Slack) -> None:
    secrets = team.api.client("secretsmanager")
    secrets.put_secret_value(SecretId=SECRET, SecretString="not an address")
    server.begin(Answer(404, "no_service"))
    team.tells(EXAMPLE)
    wait_for(lambda: any("must hold the webhook's address" in line for line in team.log), "why it failed")
    secrets.put_secret_value(SecretId=SECRET, SecretString=server.address)
    one(server)


def test_a_build_that_ended_without_a_bake_is_told(team: Team, server: Slack) -> None:
    server.begin()
    team.happens(state_change("FAILED", BUILD))
    assert ":x: *shop: the build failed in phase INSTALL" in one(server)


def test_a_failure_that_the_bake_has_told_is_not_told_twice(team: Team, server: Slack) -> None:
    bucket, key = team.outputs["BucketName"], f"builds/{BUILD}/bake/result.json"
    team.api.client("s3").put_object(Bucket=bucket, Key=key, Body=json.dumps(FAILURE))
    server.begin()
    team.happens(state_change("FAILED", BUILD))
    ended(team, "message", "the bake has told it")
    assert server.requests == 0
    team.happens(state_change("TIMED_OUT", BUILD))
    assert "the build timed out" in one(server)
    team.api.client("s3").delete_object(Bucket=bucket, Key=key)


@pytest.mark.parametrize("change", [{"build-status": "SUCCEEDED"}, {"project-name": "another"}])
def test_other_changes_of_state_are_not_told(team: Team, server: Slack, change: dict[str, str]) -> None:
    server.begin()
    team.happens({**state_change("FAILED"), **change})
    team.happens(state_change("STOPPED"))
    assert "the build stopped" in one(server)


def test_anything_else_on_the_topic_is_passed_on(team: Team, server: Slack) -> None:
    server.begin()
    team.tells("hello <everyone>")
    assert "hello &lt;everyone&gt;" in one(server)
