# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arguments → policy; wrong ones are refused in one line that names all that is wrong."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.retention.model import Policy, Selection
from ansible_collections.immutable.ec2.plugins.module_utils.retention.policy import PolicyError, to_policy

GROUPS = {"group_by": ["app", "stage"]}


def test_the_shortest_policy() -> None:
    assert to_policy({**GROUPS, "keep": {"newest": 5, "days": None}}) == Policy(newest=5)


def test_all_of_a_policy() -> None:
    params = {
        "images": {"owner": "123", "tags": {"app": "shop"}, "names": ["shop-*"]},
        "group_by": ["app"],
        "keep": {"newest": 2, "days": 30, "count_in_use": True},
        "exclude_tags": {"keep": "*"},
        "max_removals": 3,
    }
    selection = Selection(owner="123", tags={"app": "shop"}, names=("shop-*",))
    expected = Policy(selection, ("app",), newest=2, days=30, count_in_use=True, exclude_tags={"keep": "*"})
    assert to_policy(params) == expected


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"keep": {}}, "keep would keep nothing"),
        ({"keep": {"newest": 0, "days": 0}}, "keep would keep nothing"),
        ({"keep": {"newest": -1}}, "keep.newest is -1, it must not be negative"),
        ({"keep": {"newest": 1, "days": -2}}, "keep.days is -2, it must not be negative"),
        ({"keep": {"newest": 1}, "max_removals": -3}, "max_removals is -3, it must not be negative"),
        ({"keep": {"newest": 1}, "exclude_tags": {"keep": True}}, "exclude_tags.keep must be text"),
        ({"keep": {"newest": 1}, "images": {"tags": {"app": None}}}, "images.tags.app must be text"),
    ],
)
def test_refused(params: dict[str, t.Any], says: str) -> None:
    with pytest.raises(PolicyError) as refused:
        to_policy({**GROUPS, **params})
    assert says in str(refused.value) and "\n" not in str(refused.value)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(PolicyError, match=r"newest is -1.*days is -2"):
        to_policy({**GROUPS, "keep": {"newest": -1, "days": -2}})
