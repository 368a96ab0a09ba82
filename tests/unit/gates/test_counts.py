# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The load balancer's counts as what a colour did; metrics come late, and each on its own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.counts import Counted, compare
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.model import Metrics

START = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
FIRST, SECOND, THIRD = (START + timedelta(minutes=number) for number in range(3))
Points = Mapping[datetime, float]


def in_first(count: float) -> Points:
    """So many in the first minute; nothing is reported of none."""
    return {FIRST: count} if count else {}


def colour(requests: float = 0, ok: float = 0, failed: float = 0, refused: float = 0, moved: float = 0) -> Counted:
    """A colour's first minute."""
    codes: tuple[Points, Points, Points, Points] = (in_first(ok), in_first(moved), {}, in_first(failed))
    return Counted(in_first(requests), codes, in_first(refused))


def did(counted: Counted, balancer_5xx: float = 0) -> Metrics:
    return compare({"new": counted}, in_first(balancer_5xx))["new"]


@pytest.mark.parametrize(
    ("counted", "balancer_5xx", "requests", "errors"),
    [
        pytest.param(colour(1000, 990, moved=10), 0, 1000, 0, id="all is answered"),
        pytest.param(colour(1000, 970, failed=30), 0, 1000, 30, id="the app says 500"),
        pytest.param(colour(1000, 970), 30, 1000, 30, id="connections are closed before the response"),
        pytest.param(colour(1000), 1000, 1000, 1000, id="nothing is answered"),
        pytest.param(colour(1000, 960, failed=10), 30, 1000, 40, id="some 500, some closed"),
        pytest.param(colour(1000, 970, refused=30), 30, 1000, 30, id="a failed connection is counted once"),
        pytest.param(colour(1000, 1000, refused=30), 0, 1000, 30, id="a connection that went well at the second try"),
        pytest.param(colour(1000, 960, refused=20), 40, 1000, 40, id="some refused, some closed"),
        pytest.param(colour(refused=90), 0, 90, 90, id="nothing but refused, and no requests counted"),
        pytest.param(colour(100, refused=300), 100, 100, 100, id="three tries a request"),
        pytest.param(colour(1000, 800), 0, 1000, 0, id="websockets have no response, and nobody got an error"),
        pytest.param(colour(1000, 800), 3, 1000, 3, id="no more are errors than the load balancer made"),
        pytest.param(colour(1000), 0, 1000, 0, id="the responses come late"),
        pytest.param(colour(1000, 1000), 50, 1000, 0, id="the other colour's errors"),
        pytest.param(colour(1000, 1040), 0, 1040, 0, id="asked in the minute before"),
        pytest.param(colour(1, 2), 0, 2, 0, id="asked in the minute before, of few"),
        pytest.param(colour(400, 1000, failed=30), 0, 0, 0, id="the requests are not whole yet"),
        pytest.param(colour(0, 1000, failed=30), 0, 0, 0, id="the requests come late"),
        pytest.param(colour(0, 0, failed=1, refused=1), 0, 0, 0, id="errors whose requests come late"),
    ],
)
def test_a_minute(counted: Counted, balancer_5xx: float, requests: int, errors: int) -> None:
    metrics = did(counted, balancer_5xx)
    assert (metrics.requests, metrics.errors) == (requests, errors)


def test_only_minutes_that_both_colours_have_are_compared() -> None:
    live = Counted({FIRST: 900, SECOND: 900, THIRD: 900}, ({}, {}, {}, {FIRST: 9, SECOND: 9, THIRD: 9}))
    new = Counted({FIRST: 100, SECOND: 100})
    assert compare({"live": live, "new": new}, {}) == {
        "live": Metrics(1800, 18, 0, None),
        "new": Metrics(200, 0, 0, None),
    }


def test_a_minute_that_is_not_whole_for_one_colour_counts_for_none() -> None:
    live = Counted({FIRST: 900, SECOND: 900}, ({FIRST: 900, SECOND: 900}, {}, {}, {}))
    new = Counted({FIRST: 100, SECOND: 50}, ({FIRST: 100, SECOND: 100}, {}, {}, {}))
    both = compare({"live": live, "new": new}, {})
    assert (both["live"].requests, both["new"].requests) == (900, 100)


def test_what_one_minute_lacks_another_does_not_make_up() -> None:
    """Errors that the load balancer made in one minute don't explain a WebSocket of another."""
    counted = Counted({FIRST: 100, SECOND: 100}, ({FIRST: 80, SECOND: 100}, {}, {}, {}))
    assert compare({"new": counted}, {SECOND: 20})["new"].errors == 0


def test_zeros_are_as_good_as_nothing() -> None:
    """The load balancer reports them for as long as a group has servers."""
    none = {FIRST: 0.0}
    assert did(Counted(none, (none, none, none, none), none)) == did(Counted()) == Metrics(0, 0, 0, None)


def test_a_p95_in_pieces_is_their_median() -> None:
    counted = Counted(p95={FIRST: 0.2, SECOND: 9.0, THIRD: 0.3})
    assert did(counted).p95 == 0.3
