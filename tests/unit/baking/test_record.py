# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of a bake: always complete, valid by the documented schema, without secrets, and small enough for SNS."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.baking.record import to_message, to_record, to_subject

AT = datetime(2026, 1, 2, tzinfo=UTC)
PAGE = Path(__file__).parents[3] / "docs" / "reference" / "bake.md"
EXAMPLE, SCHEMA = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL))
FAILED = {"channel": "main", "result": "failed", "message": "why", "failure": {"step": "Packer", "lines": ["a", "b"]}}
RECORDS: dict[str, dict[str, Any]] = {
    "the page's example": {name: value for name, value in EXAMPLE.items() if name not in ("schema", "at")},
    "one that began": {"app": "shop", "stage": "app", "channel": "main", "result": "started", "message": "making it"},
    "one that failed before it had a name": FAILED,
    "empty texts": {**FAILED, "build": "", "revision": "", "log": "", "images": {"eu-west-1": ""}, "validation": {}},
}


@pytest.mark.parametrize("name", RECORDS)
def test_it_is_valid_by_the_documented_schema(name: str) -> None:
    jsonschema.validate(to_record(RECORDS[name], AT), SCHEMA)


def test_the_documented_example_is_what_is_written() -> None:
    assert to_record(RECORDS["the page's example"], datetime.fromisoformat(EXAMPLE["at"])) == EXAMPLE


def test_passwords_of_addresses_are_blotted_out() -> None:
    line = "could not connect to postgresql://shop:hunter2@db/shop"
    record = to_record({**FAILED, "message": line, "failure": {"step": "s", "lines": [line]}}, AT)
    assert "hunter2" not in json.dumps(record)
    assert "postgresql://shop:***@db/shop" in record["failure"]["lines"][0]


def test_only_the_last_lines_are_kept() -> None:
    record = to_record({**FAILED, "failure": {"step": "s", "lines": [str(number) for number in range(99)]}}, AT)
    assert record["failure"]["lines"] == [str(number) for number in range(69, 99)]


def test_a_message_of_several_lines_is_cut_to_the_first() -> None:
    assert to_record({**FAILED, "message": "first\nsecond"}, AT)["message"] == "first"


def test_an_event_that_is_too_large_leaves_packages_off_and_says_how_many() -> None:
    one = {"type": "deb", "name": "libssl3t64", "version": "3.5.4-1~deb13u1"}
    packages = {"previous_release": "r1", "added": [one] * 100, "changed": [], "removed": [one] * 3}
    record = to_record({**EXAMPLE, "packages": packages}, AT)
    sent = json.loads(to_message(record, largest=4000))
    jsonschema.validate(sent, SCHEMA)
    assert len(json.dumps(sent)) <= 4000
    assert len(sent["packages"]["added"]) + len(sent["packages"]["removed"]) + sent["packages"]["left_off"] == 103


def test_an_event_that_fits_is_the_record() -> None:
    assert json.loads(to_message(EXAMPLE)) == EXAMPLE


def test_a_mails_subject_is_one_line_of_ascii() -> None:
    assert to_subject({"app": "shop", "result": "failed", "release": None}) == "shop: failed"
    assert to_subject({"app": None, "result": "published", "release": "é" * 200}).isascii()
