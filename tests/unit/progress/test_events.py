# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is sent to the topic is what docs/reference/events.md says."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.events import (
    Event,
    Phase,
    to_message,
    to_subject,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import Colour
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import Result
from tests.unit.progress.stories import NOON

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "events.md"
EXAMPLE, FILTER, SCHEMA = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.S))

SHIFTED = Event(
    app="shop",
    env="prod",
    deployment="20260102-120000-3f9a",
    phase=Phase.SHIFTED,
    release="20260102-114500-a1b2c3d",
    previous_release="20251230-090000-0f1e2d3",
    colour=Colour.GREEN,
    weights={Colour.GREEN: 25, Colour.BLUE: 75},
    by="ann@build-7",
    at=NOON + timedelta(minutes=7, seconds=31),
    url="https://shop.example.com/",
    reason="all gates passed at 5 %",
)


def sent(event: Event) -> dict[str, Any]:
    """The message, which is as its schema says."""
    message: dict[str, Any] = json.loads(to_message(event))
    jsonschema.validate(message, SCHEMA)
    return message


def test_the_pages_example_is_what_is_sent() -> None:
    assert sent(SHIFTED) == EXAMPLE


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.ENDED])
def test_every_phase_on_the_way(phase: Phase) -> None:
    message = sent(replace(SHIFTED, phase=phase))
    assert (message["phase"], message["result"]) == (phase.value, None)


@pytest.mark.parametrize("result", list(Result))
def test_every_end(result: Result) -> None:
    assert sent(replace(SHIFTED, phase=Phase.ENDED, result=result))["result"] == result.value


def test_the_first_deployment_has_no_release_before_it() -> None:
    assert sent(replace(SHIFTED, previous_release=""))["previous_release"] is None


def test_what_a_server_wrote_to_its_log_is_not_sent() -> None:
    event = replace(SHIFTED, phase=Phase.ENDED, result=Result.ABORTED, reason="0 of 2 healthy\nsecret_key_base=f00")
    assert sent(event)["reason"] == "0 of 2 healthy"
    assert "f00" not in to_message(event) + to_subject(event)


def test_a_long_reason_is_cut() -> None:
    assert len(sent(replace(SHIFTED, reason="x" * 9000))["reason"]) == 500


def test_times_are_utc() -> None:
    there = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert sent(replace(SHIFTED, at=there))["at"] == "2026-01-02T12:00:00+00:00"


def test_the_schema_knows_no_other_phase_and_no_end_without_a_result() -> None:
    for wrong in ({"phase": "paused"}, {"phase": "ended"}, {"result": "deployed"}, {"weights": {"blue": 1}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**EXAMPLE, **wrong}, SCHEMA)


def test_the_filter_names_fields_that_are_there() -> None:
    assert set(FILTER) <= {"app", "env", "phase"}
    assert set(FILTER["phase"]) <= {phase.value for phase in Phase}


def test_a_mails_subject_is_one_short_line_of_ascii() -> None:
    subject = to_subject(replace(SHIFTED, phase=Phase.ENDED, result=Result.ROLLED_BACK, release="ü\n" + "r" * 200))
    assert subject.startswith("shop prod: rolled_back ? rrr")
    assert subject.isascii() and subject.isprintable() and len(subject) == 100
