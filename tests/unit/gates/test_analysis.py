# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The new colour's metrics against the live colour's."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.analysis import judge, settle
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.model import Metrics
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.settings import AnalysisSettings
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import GateState, Verdict

SINCE = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
SETTINGS = AnalysisSettings()
LIVE = Metrics(10_000, 0, 0, 0.200)
WORKS = Metrics(1000, 0, 0, 0.210)


def state(new: Metrics, live: Metrics = LIVE, settings: AnalysisSettings = SETTINGS) -> GateState:
    return judge(new, live, settings, SINCE).state


def test_as_good_as_live_passes_with_its_figures() -> None:
    assert judge(WORKS, LIVE, SETTINGS, SINCE) == Verdict(
        "analysis",
        GateState.PASSED,
        "errors: 0 of 1,000 (0.00 %) against 0 of 10,000 (0.00 %); "
        "p95 0.210 s against 0.200 s (at most 1.3 times as long is allowed)",
        SINCE,
    )


# ---------------------------------------------------------------- errors


def test_3_percent_of_errors_fail_in_a_minute_where_live_has_none() -> None:
    verdict = judge(Metrics(200, 6, 0, 0.2), Metrics(3800, 0, 0, 0.2), SETTINGS, SINCE)
    assert verdict.state is GateState.FAILED
    assert verdict.words.startswith("errors: 6 of 200 (3.00 %) against 0 of 3,800 (0.00 %)")


def test_one_error_that_chance_explains_does_not_fail() -> None:
    assert state(Metrics(200, 1, 0, 0.2), Metrics(3800, 0, 0, 0.2)) is GateState.PASSED


def test_what_chance_does_once_in_500_looks_does_not_fail() -> None:
    assert state(Metrics(200, 2, 0, 0.2), Metrics(4300, 0, 0, 0.2)) is GateState.PASSED  # (200/4500)² = 0.002


def test_more_errors_within_the_ratio_pass_however_certain_they_are() -> None:
    assert state(Metrics(1_000_000, 14_000, 0, 0.2), Metrics(1_000_000, 10_000, 0, 0.2)) is GateState.PASSED


def test_more_errors_above_the_ratio_fail() -> None:
    assert state(Metrics(1_000_000, 16_000, 0, 0.2), Metrics(1_000_000, 10_000, 0, 0.2)) is GateState.FAILED


def test_as_many_errors_as_live_pass() -> None:
    assert state(Metrics(1000, 30, 0, 0.2), Metrics(10_000, 300, 0, 0.2)) is GateState.PASSED


def test_connections_that_fail_are_errors() -> None:
    assert state(Metrics(1000, 0, 30, 0.2)) is GateState.FAILED


def test_a_colour_that_only_refuses_connections_fails_without_any_response_time() -> None:
    assert state(Metrics(400, 0, 400, None)) is GateState.FAILED


def test_more_failed_connections_than_requests_count_as_all_of_them() -> None:
    assert Metrics(10, 0, 25, None).errors == 10


def test_what_is_plain_to_see_does_not_wait_for_enough_requests() -> None:
    assert state(Metrics(20, 20, 0, 0.2), Metrics(400, 0, 0, 0.2)) is GateState.FAILED


def test_what_is_less_plain_waits_for_enough_requests() -> None:
    assert state(Metrics(100, 3, 0, 0.2), Metrics(1900, 0, 0, 0.2)) is GateState.UNDECIDED
    assert state(Metrics(200, 3, 0, 0.2), Metrics(3800, 0, 0, 0.2)) is GateState.FAILED


# ---------------------------------------------------------------- response times


def test_three_times_as_slow_fails() -> None:
    verdict = judge(replace(WORKS, p95=0.6), LIVE, SETTINGS, SINCE)
    assert verdict.state is GateState.FAILED
    assert verdict.words == "p95 0.600 s against 0.200 s (at most 1.3 times as long is allowed)"


def test_slower_within_the_ratio_passes() -> None:
    assert state(replace(WORKS, p95=0.26)) is GateState.PASSED


def test_times_of_a_few_milliseconds_are_noise_whatever_their_ratio() -> None:
    assert state(replace(WORKS, p95=0.021), replace(LIVE, p95=0.002)) is GateState.PASSED
    assert state(replace(WORKS, p95=0.023), replace(LIVE, p95=0.002)) is GateState.FAILED


def test_the_slowest_of_a_few_is_no_percentile() -> None:
    few = replace(SETTINGS, min_requests=1)
    assert state(Metrics(19, 0, 0, 2.0), settings=few) is GateState.PASSED
    assert state(Metrics(20, 0, 0, 2.0), settings=few) is GateState.FAILED


@pytest.mark.parametrize(("new", "live"), [(None, 0.2), (0.2, None)])
def test_without_response_times_nothing_passes(new: float | None, live: float | None) -> None:
    assert state(replace(WORKS, p95=new), replace(LIVE, p95=live)) is GateState.UNDECIDED


# ---------------------------------------------------------------- not enough requests


def test_too_few_requests_decide_nothing() -> None:
    verdict = judge(Metrics(199, 0, 0, 0.2), LIVE, SETTINGS, SINCE)
    assert verdict.state is GateState.UNDECIDED
    assert verdict.words == "not enough requests: 199 of new and 10,000 of live, 200 wanted of each"


def test_too_few_requests_of_live_decide_nothing_either() -> None:
    assert state(WORKS, Metrics(199, 0, 0, 0.2)) is GateState.UNDECIDED


@given(st.integers(0, 199), st.integers(0, 10**6), st.floats(0, 60) | st.none())
def test_too_few_requests_never_pass(requests: int, errors: int, p95: float | None) -> None:
    assert state(Metrics(requests, errors, 0, p95)) is not GateState.PASSED


@pytest.mark.parametrize(
    ("not_enough", "settled"),
    [("pass", GateState.PASSED), ("fail", GateState.FAILED), ("wait", GateState.UNDECIDED)],
)
def test_the_file_says_what_too_few_requests_mean_in_the_end(not_enough: str, settled: GateState) -> None:
    settings = replace(SETTINGS, not_enough=not_enough)
    assert settle(judge(Metrics(0, 0, 0, None), LIVE, settings, SINCE), settings).state is settled


@pytest.mark.parametrize("decided", [GateState.PASSED, GateState.FAILED, GateState.UNREADABLE])
@pytest.mark.parametrize("not_enough", ["pass", "fail"])
def test_what_is_decided_or_unreadable_is_not_settled_otherwise(decided: GateState, not_enough: str) -> None:
    verdict = Verdict("analysis", decided, "figures", SINCE)
    assert settle(verdict, replace(SETTINGS, not_enough=not_enough)) == verdict


# ---------------------------------------------------------------- any figures

COUNTS = st.integers(0, 10**6)
TIMES = st.floats(0, 60) | st.none()


@st.composite
def metrics(draw: st.DrawFn) -> Metrics:
    requests = draw(COUNTS)
    return Metrics(requests, draw(st.integers(0, requests)), draw(st.integers(0, 2 * requests)), draw(TIMES))


@given(metrics())
def test_two_colours_with_the_same_figures_never_fail(both: Metrics) -> None:
    assert state(both, both) is not GateState.FAILED


@given(metrics(), metrics(), st.integers(1, 1000))
def test_more_errors_never_make_a_failure_pass(new: Metrics, live: Metrics, more: int) -> None:
    worse = replace(new, target_5xx=new.target_5xx + more)
    assert not (state(new, live) is GateState.FAILED and state(worse, live) is not GateState.FAILED)
