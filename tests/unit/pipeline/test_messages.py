# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Slack is told of a bake and of a build, within Slack's limits and without its markup being taken for ours."""

from __future__ import annotations

import json
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pipeline import EXAMPLE, FAILURE, SCHEMA, notifier_code, state_change
from tests.slack import accepted

notifier = notifier_code()
SETTINGS = {"APP": "shop", "BUCKET": "shop-artifacts"}


def shown(message: object, subject: str | None = None) -> str:
    """What is shown of a message of the topic."""
    text = message if isinstance(message, str) else json.dumps(message)
    return accepted(notifier.payload_of({"Message": text, "Subject": subject, "MessageId": "m"}, SETTINGS))


def build_event(status: str) -> dict[str, Any]:
    return {
        "detail-type": "CodeBuild Build State Change",
        "source": "aws.codebuild",
        "detail": state_change(status),
    }


@pytest.fixture
def untold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifier, "has_told", lambda _build, _bucket: False)


def test_a_published_release_with_all_that_a_team_wants_to_know() -> None:
    jsonschema.validate(EXAMPLE, SCHEMA)
    text = shown(EXAMPLE)
    for wanted in (
        ":white_check_mark: *release 20260102-114500-a1b2c3d of shop is published: channel main names it in",
        "*App*\nshop",
        "*Release*\n20260102-114500-a1b2c3d",
        "*Result*\npublished",
        "eu-west-1: `ami-0123456789abcdef0`",
        "us-east-1: `ami-0fedcba9876543210`",
        "check 4.1 · app 181 · publish 58.3 · total 243.4",
        "*Packages, since 20251230-090000-0f1e2d3*",
        "1 added: csv 3.3.0",
        "1 changed: libssl3t64 3.5.4-1~deb13u1 → 3.5.4-1~deb13u2",
        "0 removed",
        "9 tests passed",
        "<https://console.aws.amazon.com/cloudwatch/home#logsV2:log-groups/log-group/shop|Log>",
    ):
        assert wanted in text, wanted


def test_a_failed_bake_names_the_step_and_shows_its_last_lines() -> None:
    jsonschema.validate(FAILURE, SCHEMA)
    text = shown(FAILURE)
    assert ":x: *shop can't be baked: app/Gemfile.lock does not exist*" in text
    assert "*Failed step*\nRefuse a folder without Gemfile.lock" in text
    assert "```\nline 1\nrun `bundle lock` in it\n```" in text


@pytest.mark.parametrize(
    ("result", "icon"),
    [("started", ":hourglass_flowing_sand:"), ("baked", ":white_check_mark:"), ("unchanged", ":heavy_equals_sign:")],
)
def test_every_other_result(result: str, icon: str) -> None:
    bare = {**EXAMPLE, "result": result, "images": {}, "validation": None, "packages": None, "seconds": {}}
    jsonschema.validate(bare, SCHEMA)
    assert shown(bare).startswith(f"{icon} *")


def test_it_says_that_the_app_was_not_started() -> None:
    validation = {"result": "passed", "app_started": False, "tests": 9, "reason": "9 tests passed"}
    assert "9 tests passed; the app was not started" in shown({**EXAMPLE, "validation": validation})


def test_a_bake_that_ended_before_it_knew_its_app_is_that_of_the_pipeline() -> None:
    assert "*App*\nshop" in shown({**FAILURE, "app": None, "release": None, "revision": None})


def test_nothing_in_a_message_is_markup() -> None:
    nasty = {**FAILURE, "message": "<!channel> a & b <https://evil.example|click>"}
    nasty["failure"] = {"step": "<@U123>", "lines": ["```", "<!here>"]}
    text = shown(nasty)
    assert "&lt;!channel&gt; a &amp; b &lt;https://evil.example|click&gt;" in text
    assert "<!" not in text and "<@" not in text
    assert text.count("```") == 2


@pytest.mark.parametrize("address", ["javascript:alert(1)", "https://a.example/x|y> <!channel>", None, 5, ""])
def test_a_link_leads_where_it_says_or_is_left_out(address: object) -> None:
    text = shown({**EXAMPLE, "log_url": address})
    assert "javascript" not in text and "<!channel>" not in text
    assert text.count("|") <= 1


def test_of_many_lines_the_last_ones_are_shown() -> None:
    lines = [f"{number} " + "x" * 300 for number in range(30)]
    text = shown({**FAILURE, "failure": {"step": "Build", "lines": lines}})
    assert "29 xxx" in text and "\n0 xxx" not in text


def test_of_many_packages_the_count_is_right() -> None:
    added = [{"type": "deb", "name": f"package-{number}", "version": "1"} for number in range(500)]
    changes = {"previous_release": "r1", "added": added, "changed": [], "removed": [], "left_off": 7}
    text = shown({**EXAMPLE, "packages": changes})
    assert "500 added: package-0 1, package-1 1" in text and "7 more are in the result's file" in text


@pytest.mark.usefixtures("untold")
@pytest.mark.parametrize("status", ["FAILED", "STOPPED", "TIMED_OUT", "FAULT"])
def test_a_build_that_ended_without_its_bake(status: str) -> None:
    text = shown(build_event(status))
    said = status.lower().replace("_", " ")
    assert f":x: *shop: the build {said} in phase INSTALL; its bake has said nothing of that*" in text
    assert "apt-get -qq update. Reason: exit status 100" in text
    assert "provisioning 31 · install 14" in text
    assert "#logEvent:group=/aws/codebuild/shop-bake;stream=6f1c|Log>" in text


def test_a_failure_that_the_bake_has_told_is_not_told_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifier, "has_told", lambda _build, _bucket: True)
    assert notifier.payload_of({"Message": json.dumps(build_event("FAILED"))}, SETTINGS) is None


@pytest.mark.parametrize(
    "message",
    [
        *("hello", "[1, 2]", "null", "5", '"text"', "{", "", "\n", "{}", '{"schema": 1}'),
        '{"schema": 1, "result": "published"}',
        '{"schema": 2, "result": "published", "message": "?"}',
        '{"detail-type": "CodeBuild Build State Change"}',
        '{"AlarmName": "a", "NewStateValue": "ALARM"}',
    ],
)
def test_a_message_of_another_shape_is_passed_on_as_text(message: str) -> None:
    assert shown(message, "A subject").startswith(":speech_balloon: *A subject*")


#: Short ones, and some that are longer than all of Slack's limits.
words = st.builds(lambda text, times: text * times, st.text("a<&`*\n é", max_size=9), st.sampled_from([1, 1, 900]))
packages = st.lists(st.fixed_dictionaries({"name": words, "version": words}), max_size=30)


@given(
    bake=st.fixed_dictionaries(
        {
            "schema": st.just(1),
            "app": words.map(lambda text: f"a{text}"),
            "release": words,
            "revision": words,
            "build": words,
            "channel": words,
            "result": st.sampled_from(["failed", "published", "another"]),
            "message": words,
            "images": st.dictionaries(words, words, max_size=20),
            "validation": st.fixed_dictionaries({"result": words, "app_started": st.booleans(), "reason": words}),
            "seconds": st.dictionaries(words, st.floats(0, 1e6), max_size=9),
            "packages": st.fixed_dictionaries({"previous_release": words, "added": packages, "removed": packages}),
            "log_url": words.map(lambda text: f"https://{text}"),
            "failure": st.fixed_dictionaries({"step": words, "lines": st.lists(words, max_size=40)}),
        }
    )
)
def test_slack_takes_whatever_a_result_holds(bake: dict[str, Any]) -> None:
    text = shown(bake)
    assert "<!" not in text and "<@" not in text
