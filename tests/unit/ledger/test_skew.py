# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far this machine's clock is off the one that dated an answer."""

from __future__ import annotations

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.aws.dynamodb import skew

DATE = "Fri, 01 May 2026 12:00:00 GMT"
AT = 1777636800.0


@pytest.mark.parametrize(
    ("before", "after", "seconds"),
    [
        (AT + 0.2, AT + 0.3, 0),
        (AT + 0.99, AT + 1.2, 0),
        (AT - 20, AT + 0.5, 0),  # a slow answer proves nothing
        (AT + 6, AT + 6.1, 5),
        (AT - 5.1, AT - 5, -5),
    ],
)
def test_only_what_the_date_proves_counts(before: float, after: float, seconds: float) -> None:
    assert skew(DATE, before, after) == pytest.approx(seconds)


def test_an_answer_without_a_date_proves_nothing() -> None:
    assert skew(None, 0, 1) == 0
