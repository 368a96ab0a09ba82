# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written to AWS, and how it is taken back."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

from ansible_collections.immutable.ec2.plugins.module_utils.aws import image_steps as api
from ansible_collections.immutable.ec2.plugins.module_utils.aws import images as images_api
from ansible_collections.immutable.ec2.plugins.module_utils.aws import snapshots as snapshots_api
from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.aws.tags import create_tags, delete_tags
from ansible_collections.immutable.ec2.plugins.module_utils.retention.act.permissions import TAG, recorded, to_tags
from ansible_collections.immutable.ec2.plugins.module_utils.retention.observe.convert import DISABLED_TAG
from ansible_collections.immutable.ec2.plugins.module_utils.retention.plan.stages import AHEAD
from ansible_collections.immutable.ec2.plugins.module_utils.retention.words import Step

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients
    from ansible_collections.immutable.ec2.plugins.module_utils.retention.model import Image

# Already gone: another run, or a person, was faster.
IMAGE_GONE = {"InvalidAMIID.NotFound", "InvalidAMIID.Unavailable"}
SNAPSHOT_TAG: t.Final = "retention_image"
"""On a snapshot: the image that retention removed, or was about to."""


class Writer:
    """The writes, in AWS.

    Args:
        clients: by region.
        now: the time of the run.
    """

    def __init__(self, clients: Mapping[str, Clients], now: datetime) -> None:
        self._clients = clients
        self._now = now

    def take(self, step: Step, image: Image) -> None:
        """Takes an image one step further.

        Raises:
            AwsError: AWS refused.
        """
        clients = self._clients[image.region]
        try:
            if step is Step.DEPRECATE:
                api.deprecate_image(clients, image.id, datetime.now(UTC) + AHEAD)
            elif step is Step.DISABLE:
                self._disable(clients, image)
            elif step is Step.DEREGISTER:
                self._deregister(clients, image)
        except AwsError as error:
            if error.code not in IMAGE_GONE:
                raise

    def restore(self, image: Image) -> None:
        """Makes an image what it was before it was deprecated and disabled, its sharing included.

        Raises:
            AwsError: AWS refused.
        """
        clients = self._clients[image.region]
        if image.state == "disabled":
            api.enable_image(clients, image.id)
        if permissions := recorded(image.tags):
            api.add_launch_permissions(clients, image.id, permissions)
        if image.deprecated:
            api.undeprecate_image(clients, image.id)
        if marks := [key for key in image.tags if key == DISABLED_TAG or key.startswith(TAG)]:
            delete_tags(clients, [image.id], marks)

    def delete_snapshot(self, region: str, snapshot_id: str) -> None:
        snapshots_api.delete_snapshot(self._clients[region], snapshot_id)

    def _disable(self, clients: Clients, image: Image) -> None:
        """Disabling takes all launch permissions away, so they are written down before."""
        shared = to_tags(images_api.describe_launch_permissions(clients, image.id))
        create_tags(clients, [image.id], {**shared, DISABLED_TAG: self._now.isoformat(timespec="seconds")})
        api.disable_image(clients, image.id)

    def _deregister(self, clients: Clients, image: Image) -> None:
        if snapshots := [snapshot.id for snapshot in image.snapshots]:
            create_tags(clients, snapshots, {SNAPSHOT_TAG: image.id})
        if image.protected:
            api.unprotect_image(clients, image.id)
        api.deregister_image(clients, image.id)


class NoWriter:
    """Check mode's: everything happens but the writes."""

    def take(self, step: Step, image: Image) -> None:
        """Leaves the image."""

    def restore(self, image: Image) -> None:
        """Leaves the image."""

    def delete_snapshot(self, region: str, snapshot_id: str) -> None:
        """Leaves the snapshot."""
