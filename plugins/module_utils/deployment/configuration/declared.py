# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The app's declaration, as a release's image carries it in its tags.

The deployment must know it before a server of the release runs, on whatever machine it is run: so it goes where the
image goes, is gone with it, and is read with the same call. What counts for a server is the file on the image.
"""

from __future__ import annotations

import base64
import json
import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.declaration.read import parse
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.errors import ConfigError, Exit

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.declaration import Declaration

TAG: t.Final = "declaration-"
"""Followed by a number from 1 on: a tag holds 256 characters. packer/app/app.pkr.hcl writes them."""


def packed(tags: Mapping[str, str]) -> str:
    """What the tags hold, as it is there; empty where the image has none (it was baked by an earlier version)."""
    numbers = [int(number) for key in tags if (number := key.removeprefix(TAG)) != key and number.isdigit()]
    # What stands for a missing one is no base64, so that the rest is not taken for the whole.
    return "".join(tags.get(f"{TAG}{number}", "?") for number in range(1, max(numbers, default=0) + 1))


def unpacked(text: str, release: str) -> Declaration:
    """The declaration.

    Raises:
        ConfigError: it is not whole, or says what no declaration can say.
    """
    try:
        content = json.loads(base64.b64decode(text, validate=True))
    except ValueError:
        raise ConfigError(
            Exit.DECLARATION, f"the tags {TAG}1 … of the image of {release} hold no declaration; bake it anew"
        ) from None
    return parse(content, f"the declaration of {release}")
