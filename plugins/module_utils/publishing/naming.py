# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What things of a release are called."""

from __future__ import annotations

import typing as t

PUBLICATION_TAG: t.Final = "publication"
VALIDATION_TAG: t.Final = "validation"
REASON_TAG: t.Final = "validation_reason"
OWNER_TAG: t.Final = "immutable-validation"
"""On everything that a validation makes; its value is the app."""
EXPIRES_TAG: t.Final = "immutable-expires"
VALIDATION_ENV: t.Final = "validation"
CHANNEL_PREFIX: t.Final = "channel:"
"""In front of a channel's name where an image may be named otherwise too."""


def image_name(app: str, stage: str, release: str) -> str:
    """The name of a release's image, in every region: the release's identity where tags can't be seen."""
    return f"{app}-{stage}-{release}"


def pointer_name(app: str, channel: str) -> str:
    """The Parameter Store entry whose value is the release (bake id) that the channel names."""
    return f"/immutable/{app}/channels/{channel}"


def store_prefix(app: str, env: str) -> str:
    """Where an env's configuration lies in Parameter Store."""
    return f"/{app}/{env}/"
