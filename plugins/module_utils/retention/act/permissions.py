# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Launch permissions in an image's tags: AWS forgets them when an image is disabled. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mypy_boto3_ec2.type_defs import LaunchPermissionTypeDef

TAG: t.Final = "retention_shared_with_"
"""Followed by a number: a tag's value holds 256 characters."""
VALUE_CHARACTERS: t.Final = 256
MOST_TAGS: t.Final = 20
"""AWS allows 50 on an image, and the bake's and the team's own are there already."""


def to_tags(permissions: Iterable[LaunchPermissionTypeDef]) -> dict[str, str]:
    """The permissions as tags; none where there are none.

    Raises:
        AwsError: there are more than the tags can hold, so they could not be brought back.
    """
    values: list[str] = []
    for permission in permissions:
        who = next(str(value) for value in permission.values() if value)
        if values and len(values[-1]) + len(who) < VALUE_CHARACTERS:
            values[-1] += f" {who}"
        else:
            values.append(who)
    if len(values) > MOST_TAGS:
        raise AwsError("disable a shared image", "it is shared with more than can be written down in its tags")
    return {f"{TAG}{number}": value for number, value in enumerate(values, 1)}


def recorded(tags: Mapping[str, str]) -> list[LaunchPermissionTypeDef]:
    """The permissions that `to_tags` wrote down."""
    return [_permission(who) for key, value in tags.items() if key.startswith(TAG) for who in value.split()]


def _permission(who: str) -> LaunchPermissionTypeDef:
    if who == "all":
        return {"Group": "all"}
    if ":ou/" in who:
        return {"OrganizationalUnitArn": who}
    return {"OrganizationArn": who} if who.startswith("arn:") else {"UserId": who}
