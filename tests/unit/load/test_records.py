# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures from records, as tables."""

from __future__ import annotations

import pytest

from lab.load.records import Record, percentile, summarise


def record(t: float = 0.0, status: int | None = 200, release: str | None = "one", ms: float = 1.0) -> Record:
    return Record(t, "/", status, release, ms, None if status else "refused")


@pytest.mark.parametrize(
    ("values", "share", "wanted"),
    [([], 0.5, 0.0), ([7], 0.99, 7), ([1, 2, 3, 4], 0.5, 2), (range(1, 101), 0.99, 99), (range(1, 102), 0.99, 100)],
)
def test_percentile(values: list[float], share: float, wanted: float) -> None:
    assert percentile(values, share) == wanted


@pytest.mark.parametrize(
    ("status", "failed"), [(200, False), (302, False), (404, True), (500, True), (503, True), (None, True)]
)
def test_what_counts_as_failed(status: int | None, failed: bool) -> None:
    assert record(status=status).failed is failed


def test_summary_without_a_reply_in_time() -> None:
    summary = summarise([record(0, None, None, 5000), record(1, None, None, 5000)])
    assert (summary.requests, summary.failed, summary.p50_ms) == (2, 2, 0.0)
    assert (summary.by_release, summary.by_error) == ({"none": 2}, {"refused": 2})


def test_summary_of_nothing() -> None:
    assert summarise([]).requests == 0
    assert summarise([]).seconds == 0.0
