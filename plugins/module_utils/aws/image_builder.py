# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EC2 Image Builder, one function a call."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import aws_call

if t.TYPE_CHECKING:
    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients


@aws_call("read the Image Builder recipes")
def list_recipes(clients: Clients) -> list[dict[str, str]]:
    """The account's own recipes of images and of containers: `name`, `arn`, `parentImage`, `instanceImage`."""
    images = clients.imagebuilder.get_paginator("list_image_recipes").paginate(owner="Self")
    containers = clients.imagebuilder.get_paginator("list_container_recipes").paginate(owner="Self")
    found = [recipe for page in images for recipe in page["imageRecipeSummaryList"]]
    return found + [recipe for page in containers for recipe in page["containerRecipeSummaryList"]]
