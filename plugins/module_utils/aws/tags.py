# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags of EC2's resources, one function a call."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import aws_call

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients

LONGEST_VALUE: t.Final = 255
"""https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions"""


@aws_call("tag {}")
def create_tags(clients: Clients, ids: Sequence[str], tags: Mapping[str, str]) -> None:
    """Sets tags of resources (`ami-…`, `i-…`, …); those with the same key are replaced, others stay."""
    clients.ec2.create_tags(Resources=list(ids), Tags=[{"Key": key, "Value": value} for key, value in tags.items()])


@aws_call("remove tags of {}")
def delete_tags(clients: Clients, ids: Sequence[str], keys: Iterable[str]) -> None:
    """Removes tags; those that aren't there are no error."""
    clients.ec2.delete_tags(Resources=list(ids), Tags=[{"Key": key} for key in keys])
