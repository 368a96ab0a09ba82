# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The exact tests, against figures worked out by hand and against all possibilities counted."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.statistics import (
    chance_of_more_errors,
    consistent_share,
)

SMALL = st.integers(0, 40)


@pytest.mark.parametrize(
    ("counts", "chance"),
    [
        ((4, 4, 0, 4), 1 / 70),  # of the 70 ways to deal 4 errors to 8 requests, one gives them all to the first
        ((3, 4, 1, 4), 17 / 70),  # 16 more give it three
        ((0, 4, 4, 4), 1),
        ((3, 100, 0, 100), 161_700 / 1_313_400),  # 3 of 100 over 3 of 200
        ((1, 200, 0, 3800), 0.05),  # one error, dealt by share of the requests
        ((0, 0, 3, 50), 1),
    ],
)
def test_known_chances(counts: tuple[int, int, int, int], chance: float) -> None:
    assert chance_of_more_errors(*counts) == pytest.approx(chance, rel=1e-9)


@given(SMALL, SMALL, SMALL, SMALL)
def test_the_chance_is_the_share_of_all_deals(errors: int, right: int, other_errors: int, other_right: int) -> None:
    requests, other_requests, bad = errors + right, other_errors + other_right, errors + other_errors
    deals = range(errors, min(bad, requests) + 1)
    counted = sum(comb(requests, count) * comb(other_requests, bad - count) for count in deals)
    exact = Fraction(counted, comb(requests + other_requests, bad))
    assert chance_of_more_errors(errors, requests, other_errors, other_requests) == pytest.approx(
        float(exact), rel=1e-9, abs=1e-13
    )


@given(st.integers(0, 10**6), st.integers(0, 10**8), st.integers(0, 10**6), st.integers(0, 10**8))
def test_large_counts_give_a_chance_too(errors: int, right: int, other_errors: int, other_right: int) -> None:
    chance = chance_of_more_errors(errors, errors + right, other_errors, other_errors + other_right)
    assert 0 <= chance <= 1


@given(st.integers(0, 200), st.integers(1, 2000), st.integers(0, 200), st.integers(1, 2000))
def test_one_error_more_is_never_more_likely(errors: int, right: int, other_errors: int, other_right: int) -> None:
    requests, other_requests = errors + right, other_errors + other_right
    chance = chance_of_more_errors(errors, requests, other_errors, other_requests)
    assert chance_of_more_errors(errors + 1, requests, other_errors, other_requests) <= chance + 1e-9


@pytest.mark.parametrize(
    ("seen", "total", "weight", "consistent"),
    [
        (0, 148, 5, True),  # 2 × 0.95^148 = 0.00101
        (0, 149, 5, False),  # 2 × 0.95^149 = 0.00096
        (10, 10, 50, True),  # 2 × 0.5^10 = 0.002
        (11, 11, 50, False),  # 2 × 0.5^11 = 0.00098
        (0, 11, 50, False),
        (0, 0, 50, True),
        (0, 5, 0, True),
        (1, 5000, 0, False),
        (5, 5, 100, True),
        (4999, 5000, 100, False),
    ],
)
def test_known_splits(seen: int, total: int, weight: int, consistent: bool) -> None:
    assert consistent_share(seen, total, weight) is consistent


@given(st.integers(1, 60), st.data(), st.integers(1, 99), st.sampled_from([0.5, 0.05, 0.001]))
def test_a_split_is_judged_by_the_sum_of_its_tail(total: int, data: st.DataObject, weight: int, alpha: float) -> None:
    seen = data.draw(st.integers(0, total))
    share = Fraction(weight, 100)
    terms = [comb(total, count) * share**count * (1 - share) ** (total - count) for count in range(total + 1)]
    doubled = 2 * float(min(sum(terms[: seen + 1]), sum(terms[seen:])))
    assume(abs(doubled - alpha) > 1e-9)
    assert consistent_share(seen, total, weight, alpha) is (doubled >= alpha)


@given(st.integers(0, 5000), st.integers(1, 99))
def test_the_very_split_is_consistent(total: int, weight: int) -> None:
    assert consistent_share(round(total * weight / 100), total, weight)


@given(st.integers(0, 3000), st.data(), st.integers(1, 99))
def test_both_colours_see_the_same(total: int, data: st.DataObject, weight: int) -> None:
    seen = data.draw(st.integers(0, total))
    assert consistent_share(seen, total, weight) is consistent_share(total - seen, total, 100 - weight)
