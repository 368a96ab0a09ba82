# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run → its report: the lists, the totals, the table, CSV, JSON and the diff."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.retention import files
from ansible_collections.immutable.ec2.plugins.module_utils.retention.model import (
    Decision,
    Failure,
    Orphan,
    Outcome,
    Reason,
    Snapshot,
)
from ansible_collections.immutable.ec2.plugins.module_utils.retention.report import to_diff, to_result
from ansible_collections.immutable.ec2.plugins.module_utils.retention.runner import Run
from ansible_collections.immutable.ec2.plugins.module_utils.retention.words import Place, Rule, Step
from tests.unit.retention.accounts import NOW, image, unread

KEPT = Decision(image("a", 1), (Reason(Rule.IN_USE, "used by instance i-1 (running)"), Reason(Rule.DAYS, "young")))
GONE = Decision(image("b", 40.5), (Reason(Rule.UNNEEDED, 'nothing uses it, or "nobody"'),), Step.DEREGISTER)
DEPRECATED = Decision(image("c", 31), (Reason(Rule.UNNEEDED, "nothing uses it"),), Step.DEPRECATE)
NAMELESS = Decision(image("d", None, snapshots=()), (Reason(Rule.UNDATED, "it has no creation date"),))
OUTCOME = Outcome(
    (KEPT, GONE, DEPRECATED, NAMELESS),
    {"b": (Snapshot("snap-b", 8),)},
    (Failure(NAMELESS.image, "no"),),
    orphans=(
        Orphan(Snapshot("snap-o", 4), "eu-west-1", "ami-o"),
        Orphan(Snapshot("snap-p", 9), "eu-west-1", "p", "no"),
    ),
)
RESULT = to_result(Run(OUTCOME, unread(Place.GROUPS).unread, NOW), ["app", "channel"], price=0.05)


def test_an_entry_says_what_why_how_old_and_how_large() -> None:
    assert RESULT["removed"] == [
        {
            "id": "b",
            "region": "eu-west-1",
            "name": "shop-b",
            "group": {"app": "shop", "channel": None},
            "created": "2026-01-20T00:00:00+00:00",
            "age_days": 40,
            "size_gib": 8,
            "rules": ["unneeded"],
            "reason": 'nothing uses it, or "nobody"',
            "snapshots_removed": ["snap-b"],
        }
    ]
    assert [one["rules"] for one in RESULT["kept"]] == [["in_use", "days"], ["undated"]]
    assert RESULT["unread"][0]["place"] == "Auto Scaling groups"


def test_the_totals_count_what_goes_and_what_that_saves() -> None:
    assert RESULT["totals"] == {
        "images": 4,
        "kept": 2,
        "deprecated": 1,
        "disabled": 0,
        "removed": 1,
        "restored": 0,
        "failed": 1,
        "snapshots_removed": 2,
        "removed_gib": 12,
        "saved_per_month": 0.6,
    }


def test_a_table_for_people() -> None:
    header, gone, *_, totals = files.table(RESULT)
    assert header.split() == ["happens", "region", "id", "name", "age", "days", "size", "gib", "reason"]
    assert gone.split()[:5] == ["removed", "eu-west-1", "b", "shop-b", "40"]
    assert len({line.index(word) for line, word in ((header, "reason"), (gone, "nothing"))}) == 1
    assert totals == ("4 images: 1 removed, 1 deprecated, 2 kept; 12 GiB of snapshots go, at most 0.60 a month")


def test_csv_comes_back_as_it_was(tmp_path: Path) -> None:
    files.write_all(RESULT, str(tmp_path / "r.json"), str(tmp_path / "r.csv"))
    with (tmp_path / "r.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["happens"], row["id"]) for row in rows] == [
        ("removed", "b"),
        ("deprecated", "c"),
        ("kept", "a"),
        ("kept", "d"),
    ]
    assert rows[0]["reason"] == 'nothing uses it, or "nobody"' and rows[3]["created"] == ""
    assert json.loads((tmp_path / "r.json").read_text()) == RESULT


def test_a_report_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "r.json").mkdir()
    with pytest.raises(IsADirectoryError):
        files.write_all(RESULT, str(tmp_path / "r.json"), None)
    assert [one.name for one in tmp_path.iterdir()] == ["r.json"]


def test_the_diff_lists_what_goes_and_what_changes() -> None:
    diff = to_diff(OUTCOME)
    assert diff["after"].splitlines() == [
        "eu-west-1 a shop-a",
        "eu-west-1 c shop-c (deprecated)",
        "eu-west-1 d shop-d",
    ]
