# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written to the bucket of assets and what is removed from it, as tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.assets.plan import Removal, to_remove, to_upload
from ansible_collections.immutable.ec2.plugins.module_utils.aws.buckets import Stored

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def stored(*paths: str, hours: float, etag: str = "a") -> dict[str, Stored]:
    return {f"assets/public/{path}": Stored(NOW - timedelta(hours=hours), etag) for path in paths}


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        ({}, ["x-1.css"]),
        (stored("x-1.css", hours=11), []),
        (stored("x-1.css", hours=13), ["x-1.css"]),
        (stored("x-1.css", hours=1, etag="b"), ["x-1.css"]),
        (stored("y-1.css", hours=1), ["x-1.css"]),
    ],
    ids=["new", "there", "there for long", "another content", "another path"],
)
def test_an_asset_is_written_unless_the_bucket_has_had_it_for_a_short_time(
    there: dict[str, Stored], expected: list[str]
) -> None:
    assert to_upload({"x-1.css": "a"}, there, NOW) == expected


OLD = stored("old-1.css", "both-1.css", "new-1.css", hours=48)
LISTS = {"r1": {"old-1.css", "both-1.css"}, "r2": {"both-1.css", "new-1.css"}}


def keys(*paths: str) -> tuple[str, ...]:
    return tuple(f"assets/public/{path}" for path in paths)


@pytest.mark.parametrize(
    ("removed", "there", "expected"),
    [
        (["r1"], OLD, Removal(keys("old-1.css"), ("assets/releases/r1.json",))),
        (["r1", "r2"], OLD, Removal(tuple(sorted(OLD)), ("assets/releases/r1.json", "assets/releases/r2.json"))),
        ([], OLD, Removal()),
        (["r0"], OLD, Removal()),
        (["r1"], stored("old-1.css", hours=23), Removal((), ("assets/releases/r1.json",))),
        (["r1"], stored("nobodys.css", hours=48), Removal(keys("nobodys.css"), ("assets/releases/r1.json",))),
        (["r1"], {}, Removal((), ("assets/releases/r1.json",))),
    ],
    ids=["one", "all", "none", "one without a list", "just written", "left by an earlier run", "gone already"],
)
def test_assets_that_no_other_release_lists_go_with_the_release(
    removed: list[str], there: dict[str, Stored], expected: Removal
) -> None:
    assert to_remove(removed, LISTS, there, NOW) == expected


def test_what_a_release_that_is_being_published_takes_for_kept_is_never_old_enough_to_be_removed() -> None:
    """Whatever the age: either it is written anew, or it is too young to go for hours."""
    for hours in range(100):
        there = stored("x-1.css", hours=hours)
        taken_for_kept = not to_upload({"x-1.css": "a"}, there, NOW)
        removed = to_remove(["r1"], {"r1": {"x-1.css"}}, there, NOW + timedelta(hours=11)).assets
        assert not (taken_for_kept and removed)
