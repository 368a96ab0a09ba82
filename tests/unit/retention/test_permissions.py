# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Launch permissions survive being written into tags, whose values hold 256 characters."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.retention.act.permissions import recorded, to_tags

ORGANIZATION = "arn:aws:organizations::123456789012:organization/o-1"
UNIT = "arn:aws:organizations::123456789012:ou/o-1/ou-1"


def users(count: int) -> list[t.Any]:
    return [{"UserId": f"{number:012}"} for number in range(count)]


@pytest.mark.parametrize("count", [0, 1, 19, 20, 200])
def test_what_is_written_down_comes_back(count: int) -> None:
    permissions: list[t.Any] = [
        {"Group": "all"},
        {"OrganizationArn": ORGANIZATION},
        {"OrganizationalUnitArn": UNIT},
        *users(count),
    ]
    tags = to_tags(permissions)
    assert recorded(tags) == permissions and all(len(value) <= 256 for value in tags.values())


def test_more_than_the_tags_hold_is_refused() -> None:
    with pytest.raises(AwsError, match="more than can be written down"):
        to_tags(users(1000))
