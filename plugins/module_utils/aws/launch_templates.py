# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Launch templates, one function a call, all pages."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import aws_call

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_ec2.type_defs import FilterTypeDef, LaunchTemplateTypeDef, LaunchTemplateVersionTypeDef

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients

A_PAGE = 200
NAMED = ["$Default", "$Latest"]


@aws_call("read the launch templates")
def describe_launch_templates(clients: Clients) -> list[LaunchTemplateTypeDef]:
    """All launch templates, each with its default and latest version's number, without their contents."""
    # The page size is sent because an emulator may otherwise end after its first page (moto: 15).
    pages = clients.ec2.get_paginator("describe_launch_templates").paginate(PaginationConfig={"PageSize": A_PAGE})
    return [template for page in pages for template in page["LaunchTemplates"]]


@aws_call("read the default and latest versions of the launch templates")
def describe_named_versions(clients: Clients) -> list[LaunchTemplateVersionTypeDef]:
    """The default and the latest version of every launch template. Image ids are as they were written."""
    return _versions(clients, Versions=NAMED)


@aws_call("read versions of the launch template {}")
def describe_versions(
    clients: Clients, template_id: str, numbers: Sequence[int] = (), image_id: str = ""
) -> list[LaunchTemplateVersionTypeDef]:
    """Versions of one template: those numbered, and only those that name an image, where they are given."""
    query: dict[str, t.Any] = {"LaunchTemplateId": template_id}
    if numbers:
        query["Versions"] = [str(number) for number in numbers]
    if image_id:
        named: list[FilterTypeDef] = [{"Name": "image-id", "Values": [image_id]}]
        query["Filters"] = named
    return _versions(clients, **query)


def _versions(clients: Clients, **query: t.Any) -> list[LaunchTemplateVersionTypeDef]:
    if "Versions" in query and "LaunchTemplateId" in query:
        # AWS takes no page size together with numbers.
        return clients.ec2.describe_launch_template_versions(**query)["LaunchTemplateVersions"]
    pages = clients.ec2.get_paginator("describe_launch_template_versions").paginate(
        **query, PaginationConfig={"PageSize": A_PAGE}
    )
    return [version for page in pages for version in page["LaunchTemplateVersions"]]
