# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What will be there once steps are done: pure. Check mode and the diff show it."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.immutable.ec2.plugins.module_utils.publishing import steps
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.model import (
    Image,
    Observed,
    Pointer,
    Publication,
    Verdict,
)
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.naming import PUBLICATION_TAG, VALIDATION_TAG

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from ansible_collections.immutable.ec2.plugins.module_utils.publishing.model import Wanted


def forecast(seen: Observed, wanted: Wanted, planned: Iterable[steps.Step]) -> Observed:
    """The world after the steps, all of which succeed. A copy that isn't made yet has no id."""
    images, pointers, leftovers = dict(seen.images), dict(seen.pointers), list(seen.leftovers)
    for step in planned:
        image = images.get(step.region, Image(""))
        match step:
            case steps.RemoveLeftover():
                leftovers.remove(step.leftover)
            case steps.Validate():
                images[step.region] = _tagged(image, {VALIDATION_TAG: Verdict.PASSED.value})
            case steps.Copy():
                home = images[wanted.home]
                images[step.region] = Image("", "pending", created=home.created, tags=home.tags)
            case steps.AwaitBake() | steps.AwaitImage():
                images[step.region] = replace(image, state="available")
            case steps.Share():
                images[step.region] = replace(
                    image, shared_with=image.shared_with | {*step.accounts, *step.organizations}
                )
            case steps.RequireImdsv2():
                images[step.region] = replace(image, imdsv2=True)
            case steps.Deprecate():
                images[step.region] = replace(image, deprecated_at=step.at)
            case steps.Tag():
                images[step.region] = _tagged(image, step.tags)
            case steps.MarkPublished():
                images[step.region] = _tagged(image, {PUBLICATION_TAG: Publication.PUBLISHED.value})
            case steps.MarkWithdrawn():
                images[step.region] = _tagged(image, {PUBLICATION_TAG: Publication.WITHDRAWN.value})
            case steps.MovePointer():
                pointers[step.region] = Pointer(step.release)
    return Observed(images, pointers, tuple(leftovers))


def _tagged(image: Image, tags: t.Mapping[str, str]) -> Image:
    return replace(image, tags={**image.tags, **tags})
