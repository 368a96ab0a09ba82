# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of a bake, for programs; docs/reference/bake.md has the schema."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws.console import clean

if t.TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

SCHEMA: t.Final = 1
"""Grows when a field changes its meaning or goes; a new field leaves it as it is."""
FIELDS: t.Final = (
    *("app", "stage", "release", "revision", "build", "channel", "result", "message", "images", "base_image", "inputs"),
    *("validation", "seconds", "packages", "sbom", "log", "log_url", "failure"),
)
MOST_LINES: t.Final = 30
LARGEST_MESSAGE: t.Final = 240_000
"""SNS takes 262,144 bytes. https://docs.aws.amazon.com/sns/latest/api/API_Publish.html"""
LONGEST_SUBJECT: t.Final = 100
LISTS: t.Final = ("added", "changed", "removed")


def to_record(facts: Mapping[str, t.Any], at: datetime) -> dict[str, t.Any]:
    """The record with every field, what is empty as null, and nothing in it that a log must not hold."""
    record: dict[str, t.Any] = {"schema": SCHEMA, **{name: facts.get(name) or None for name in FIELDS}}
    record["images"] = {region: image for region, image in (facts.get("images") or {}).items() if image}
    record["seconds"] = {phase: round(float(took), 1) for phase, took in (facts.get("seconds") or {}).items()}
    record["message"] = (clean(str(facts.get("message") or "")) or [""])[0]
    if failure := facts.get("failure"):
        lines = clean("\n".join(map(str, failure.get("lines") or [])))
        record["failure"] = {"step": str(failure["step"]), "lines": lines[-MOST_LINES:]}
    return {**record, "at": at.isoformat(timespec="seconds")}


def to_message(record: Mapping[str, t.Any], largest: int = LARGEST_MESSAGE) -> str:
    """The record as an event: lists of packages that are too long for one are cut."""
    text = json.dumps(record)
    packages = record.get("packages")
    most = max((len(packages[name]) for name in LISTS), default=0) if packages else 0
    while packages and len(text.encode()) > largest and most:
        most //= 2
        kept = {name: packages[name][:most] for name in LISTS}
        left = sum(len(packages[name]) - len(kept[name]) for name in LISTS)
        text = json.dumps({**record, "packages": {**packages, **kept, "left_off": left}})
    return text


def to_subject(record: Mapping[str, t.Any]) -> str:
    """What a mail about it has as its subject: ASCII, one line."""
    text = f"{record['app'] or 'bake'}: {record['result']} {record['release'] or ''}".strip()
    return text.encode("ascii", "replace").decode("ascii")[:LONGEST_SUBJECT]
