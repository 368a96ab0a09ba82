# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images of the releases that channels name: what `deploy` takes with `image: channel:<name>`."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws import images, parameters
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.naming import image_name, pointer_name
from ansible_collections.immutable.ec2.plugins.module_utils.retention.model import Reference

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients

POINTERS: t.Final = "/immutable"
POINTER: t.Final = re.compile(pointer_name("(.+)", "(.+)"))


def references(clients: Clients) -> Iterator[Reference]:
    """The image of each release that a pointer in this region names; one call and one more for each channel.

    Raises:
        AwsError: the pointers, or the images, can't be read.
    """
    for name, release in parameters.parameters_below(clients, POINTERS).items():
        if found := POINTER.fullmatch(name):
            app, channel = found.groups()
            for image in images.describe_images_named(clients, image_name(app, "app", release)):
                yield Reference(image["ImageId"], f"channel {channel} of {app} ({name})")
