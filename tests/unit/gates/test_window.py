# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which minutes of metrics are looked at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.settings import ANALYSIS_LEAST_BAKE
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.window import (
    Window,
    minutes_before,
    minutes_since,
)


def at(time: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-23T{time}+00:00")


def test_only_minutes_that_are_wholly_after_the_shift_and_in_by_now() -> None:
    assert minutes_since(at("10:00:30"), at("10:04:59")) == Window(at("10:01:00"), at("10:03:00"))


def test_a_shift_on_the_minute_loses_none() -> None:
    assert minutes_since(at("10:00:00"), at("10:02:00")) == Window(at("10:00:00"), at("10:01:00"))


def test_right_after_a_shift_there_is_none() -> None:
    assert minutes_since(at("10:00:30"), at("10:02:59")) is None


def test_a_long_wait_is_looked_at_for_its_last_day() -> None:
    shift = at("10:00:00")
    window = minutes_since(shift, shift + timedelta(days=3))
    assert window and window.end - window.start == timedelta(hours=24)


def test_the_hour_before_a_shift_ends_before_its_minute() -> None:
    assert minutes_before(at("10:00:30")) == Window(at("09:00:00"), at("10:00:00"))


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)))
def test_the_shortest_bake_time_always_holds_a_minute(shift: datetime) -> None:
    window = minutes_since(shift, shift + ANALYSIS_LEAST_BAKE)
    assert window and window.start >= shift and window.end > window.start
