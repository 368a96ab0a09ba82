# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The analysis: the new colour's metrics against the live colour's. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.model import ANALYSIS
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.statistics import chance_of_more_errors
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import GateState, Verdict

if t.TYPE_CHECKING:
    from datetime import datetime

    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.model import Metrics
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.settings import AnalysisSettings

SIGNIFICANT: t.Final = 0.001
"""So rarely may chance alone make one look fail the new colour for its errors. There is a look for each minute: over
the dozen looks of a canary, a release that is no worse is turned back less than once in a hundred deployments."""
PLAIN: t.Final = 0.0001
"""The same, while there are too few requests to let the deployment go on: only what is plain to see fails it then."""
LEAST_SLOWER_SECONDS: t.Final = 0.020
"""Differences of response times below this are noise, whatever their ratio."""
LEAST_FOR_P95: t.Final = 20
"""Of fewer responses, the 95th percentile is the slowest one, and says nothing."""


def judge(new: Metrics, live: Metrics, settings: AnalysisSettings, since: datetime) -> Verdict:
    """Whether the new colour does its work as well as the live one.

    It fails where its error rate is more than `max_error_ratio` times the live one's and that is no chance (Fisher's
    exact test), or where its p95 is more than `max_p95_ratio` times the live one's and at least 20 ms above it. It
    passes only when both colours had `min_requests`; before that it is undecided, unless the new colour's errors are
    too plain to wait for more.

    Args:
        new: the new colour's metrics since the shift.
        live: the live colour's, of the same minutes, or of those before the shift where that took its last traffic.
        settings: the limits.
        since: since when the gate has been looking.
    """
    enough = min(new.requests, live.requests) >= settings.min_requests
    chance = chance_of_more_errors(new.errors, new.requests, live.errors, live.requests)
    worse = new.error_rate > settings.max_error_ratio * live.error_rate
    figures = f"{_errors(new)} against {_errors(live)}"
    if worse and chance < (SIGNIFICANT if enough else PLAIN):
        limit = f"more than {settings.max_error_ratio:g} times as many, and chance does that once in {_odds(chance)}"
        return Verdict(ANALYSIS, GateState.FAILED, f"errors: {figures} ({limit})", since)
    if not enough:
        few = [f"{metrics.requests:,} of {name}" for name, metrics in (("new", new), ("live", live))]
        wanted = f"{settings.min_requests:,} wanted of each"
        return Verdict(ANALYSIS, GateState.UNDECIDED, f"not enough requests: {' and '.join(few)}, {wanted}", since)
    if new.p95 is None or live.p95 is None:
        whose = "new" if new.p95 is None else "live"
        return Verdict(ANALYSIS, GateState.UNDECIDED, f"no response times of {whose} yet; errors: {figures}", since)
    times = f"p95 {new.p95:.3f} s against {live.p95:.3f} s"
    limit = f"at most {settings.max_p95_ratio:g} times as long is allowed"
    if _slower(new.p95, live.p95, settings) and min(new.requests, live.requests) >= LEAST_FOR_P95:
        return Verdict(ANALYSIS, GateState.FAILED, f"{times} ({limit})", since)
    return Verdict(ANALYSIS, GateState.PASSED, f"errors: {figures}; {times} ({limit})", since)


def settle(verdict: Verdict, settings: AnalysisSettings) -> Verdict:
    """The verdict at the end of a bake time, when the env's file says what too few requests mean.

    With ``wait`` it stays undecided, and the deployment goes on waiting (`after_deadline` ends that).
    """
    settled = {"pass": GateState.PASSED, "fail": GateState.FAILED}.get(settings.not_enough)
    if verdict.state is not GateState.UNDECIDED or settled is None:
        return verdict
    return replace(verdict, state=settled, words=f"{verdict.words}; not_enough is {settings.not_enough}")


def _slower(new: float, live: float, settings: AnalysisSettings) -> bool:
    return new > settings.max_p95_ratio * live and new - live >= LEAST_SLOWER_SECONDS


def _errors(metrics: Metrics) -> str:
    return f"{metrics.errors:,} of {metrics.requests:,} ({100 * metrics.error_rate:.2f} %)"


def _odds(chance: float) -> str:
    return f"{1 / chance:,.0f}" if chance > 1e-6 else "over a million"
