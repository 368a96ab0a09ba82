# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exact tests of counts, with the standard library alone.

Counts are small here more often than not (the errors of a minute), so nothing is approximated by a normal
distribution. A tail's terms fall faster than a geometric series' and are summed until they no longer matter.
"""

from __future__ import annotations

import math
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Callable

NEGLIGIBLE: t.Final = 1e-17


def chance_of_more_errors(errors: int, requests: int, other_errors: int, other_requests: int) -> float:
    """The chance that, of two colours with one and the same error rate, the first has this many errors or more.

    Fisher's exact test, one-sided: all errors of both are dealt out to the requests at random.

    Args:
        errors: errors of the first colour, at most its requests.
        requests: requests of the first colour.
        other_errors: errors of the second colour, at most its requests.
        other_requests: requests of the second colour.

    Returns:
        The p-value, 0 to 1.
    """
    total, bad = requests + other_requests, errors + other_errors
    lowest, highest = max(0, bad - other_requests), min(bad, requests)

    def log_chance(count: int) -> float:
        return _log_choose(bad, count) + _log_choose(total - bad, requests - count) - _log_choose(total, requests)

    def step_up(count: int) -> float:
        return (bad - count) * (requests - count) / ((count + 1) * (total - bad - requests + count + 1))

    def step_down(count: int) -> float:
        return 1 / step_up(count - 1)

    if errors > (requests + 1) * (bad + 1) / (total + 2):  # above the most likely count: the terms fall
        return _sum(log_chance(errors), errors, highest, 1, step_up)
    if errors == lowest:
        return 1.0
    return 1 - _sum(log_chance(errors - 1), errors - 1, lowest, -1, step_down)


def consistent_share(seen_new: int, total: int, weight_percent: int, alpha: float = 0.001) -> bool:
    """Whether what was seen of a split can be chance, the new colour having this weight.

    The exact binomial test, two-sided (twice the smaller tail). Few responses contradict little: at 5 % it takes 149
    until none of the new colour is a contradiction.

    Args:
        seen_new: responses of the new colour.
        total: all responses.
        weight_percent: the new colour's weight, 0 to 100; 0 and 100 allow no exception.
        alpha: how often a true split may be called inconsistent.
    """
    if weight_percent <= 0 or weight_percent >= 100:
        return seen_new == (total if weight_percent >= 100 else 0)
    share = weight_percent / 100
    odds = share / (1 - share)
    log_seen = _log_choose(total, seen_new) + seen_new * math.log(share) + (total - seen_new) * math.log1p(-share)
    if seen_new > total * share:
        tail = _sum(log_seen, seen_new, total, 1, lambda count: (total - count) / (count + 1) * odds)
    else:
        tail = _sum(log_seen, seen_new, 0, -1, lambda count: count / (total - count + 1) / odds)
    return 2 * tail >= alpha


def _sum(log_first: float, first: int, last: int, direction: int, ratio: Callable[[int], float]) -> float:
    """The chances of the counts from first to last; `ratio(count)` is the next one's chance over that of `count`."""
    relative, terms, count = 1.0, 1.0, first
    while count != last and relative > NEGLIGIBLE * terms:
        relative *= ratio(count)
        terms += relative
        count += direction
    return min(1.0, math.exp(log_first) * terms)


def _log_choose(of: int, chosen: int) -> float:
    return math.lgamma(of + 1) - math.lgamma(chosen + 1) - math.lgamma(of - chosen + 1)
