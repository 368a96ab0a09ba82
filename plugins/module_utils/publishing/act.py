# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A step → AWS."""

from __future__ import annotations

import typing as t
import uuid

from ansible_collections.immutable.ec2.plugins.module_utils.aws import image_steps, parameters
from ansible_collections.immutable.ec2.plugins.module_utils.aws.tags import LONGEST_VALUE, create_tags
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock
from ansible_collections.immutable.ec2.plugins.module_utils.publishing import steps
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.errors import PublishError, ValidationFailed
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.model import Image, Publication, Verdict
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.naming import (
    PUBLICATION_TAG,
    REASON_TAG,
    VALIDATION_TAG,
    image_name,
    pointer_name,
)
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.validation import remove
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.validation.validate import validate

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients
    from ansible_collections.immutable.ec2.plugins.module_utils.publishing.model import Observed, Wanted

COPY_SECONDS: t.Final = 3 * 3600.0
"""Large images travel for more than an hour."""


class Actor:
    """Does what the plan says.

    Args:
        clients: of each region.
        wanted: the release and what shall become of it.
        look: sees the release anew.
        tell: is called with lines of progress.
    """

    def __init__(
        self,
        clients: Mapping[str, Clients],
        wanted: Wanted,
        look: Callable[[], Observed],
        tell: Callable[[str], None],
    ) -> None:
        self._clients = clients
        self._wanted = wanted
        self._look = look
        self._tell = tell

    def do(self, step: steps.Step, seen: Observed) -> None:
        """Takes one step.

        Raises:
            PublishError: it can't be done; a failed validation is tagged before this is raised.
            AwsError: AWS refused.
        """
        clients, wanted = self._clients[step.region], self._wanted
        image = seen.images.get(step.region, Image(""))
        match step:
            case steps.RemoveLeftover():
                remove.remove(clients, step.leftover)
            case steps.Validate():
                self._validate(clients, image)
            case steps.RemoveFailedCopy():
                image_steps.deregister_image(clients, step.image)
            case steps.Copy():
                self._copy(clients, step, seen)
            case steps.AwaitBake() | steps.AwaitImage():
                self._await(step.region)
            case steps.Share():
                image_steps.share_image(clients, image.id, list(step.accounts), list(step.organizations))
            case steps.RequireImdsv2():
                image_steps.require_imdsv2(clients, image.id)
            case steps.Deprecate():
                image_steps.deprecate_image(clients, image.id, step.at)
            case steps.Tag():
                create_tags(clients, [image.id], step.tags)
            case steps.MarkPublished():
                create_tags(clients, [image.id], {PUBLICATION_TAG: Publication.PUBLISHED.value})
            case steps.MarkWithdrawn():
                create_tags(clients, [image.id], {PUBLICATION_TAG: Publication.WITHDRAWN.value})
            case steps.MovePointer():
                name = pointer_name(wanted.app, step.channel)
                if step.release:
                    why = f"The release of {wanted.app} that channel {step.channel} names (immutable.ec2.ami_publish)"
                    parameters.put_parameter(clients, name, step.release, why)
                else:
                    parameters.delete_parameter(clients, name)

    def _validate(self, clients: Clients, image: Image) -> None:
        settings = self._wanted.validation
        if settings is None:
            return
        try:
            reason, app_started = validate(
                clients, self._wanted.app, self._wanted.release, image.id, settings, self._tell
            )
        except ValidationFailed as failure:
            create_tags(
                clients, [image.id], {VALIDATION_TAG: Verdict.FAILED.value, REASON_TAG: failure.reason[:LONGEST_VALUE]}
            )
            raise
        verdict = Verdict.PASSED if app_started else Verdict.PASSED_WITHOUT_APP
        create_tags(clients, [image.id], {VALIDATION_TAG: verdict.value, REASON_TAG: reason[:LONGEST_VALUE]})

    def _copy(self, clients: Clients, step: steps.Copy, seen: Observed) -> None:
        wanted, home = self._wanted, seen.images[self._wanted.home]
        name = image_name(wanted.app, wanted.stage, wanted.release)
        token = uuid.uuid4().hex  # a call whose answer is lost is sent again, and doesn't make a second copy
        image_steps.copy_image(clients, home.id, wanted.home, name, home.tags, step.key, token)

    def _await(self, region: str) -> None:
        """Waits until the image is available, or has failed."""
        deadline, pause = clock.monotonic() + COPY_SECONDS, 0.5
        while True:
            image = self._look().images.get(region)
            if image and image.state == "failed":
                raise PublishError(
                    f"the image {image.id} in {region} failed: {image.state_reason or 'AWS gives no reason'}; "
                    "run the same command again, a failed copy is made anew"
                )
            if image and image.state == "available":
                return
            if clock.monotonic() > deadline:
                raise PublishError(
                    f"the image in {region} was not available within {COPY_SECONDS / 3600:.0f} hours; "
                    "run the same command again to go on waiting"
                )
            clock.sleep(pause)
            pause = min(pause * 1.5, 15.0)
