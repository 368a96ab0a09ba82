# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bringing images back: from the Recycle Bin, from disabled, from deprecated."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.retention.act import recycled
from ansible_collections.immutable.ec2.plugins.module_utils.retention.act.writer import Writer
from ansible_collections.immutable.ec2.plugins.module_utils.retention.model import (
    Decision,
    Failure,
    Image,
    Outcome,
    Policy,
    Reason,
    Unread,
)
from ansible_collections.immutable.ec2.plugins.module_utils.retention.plan import selects
from ansible_collections.immutable.ec2.plugins.module_utils.retention.plan.stages import AHEAD
from ansible_collections.immutable.ec2.plugins.module_utils.retention.words import Place, Rule, Step

if t.TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients
    from ansible_collections.immutable.ec2.plugins.module_utils.retention.observe.survey import Survey


def restore(
    survey: Survey, clients: Mapping[str, Clients], policy: Policy, now: datetime, *, check_mode: bool
) -> tuple[Outcome, tuple[Unread, ...]]:
    """Brings the selected images back to what they were.

    What comes out of the Recycle Bin is then enabled and no longer deprecated, like the others.

    Returns:
        What came of it, and what could not be read.

    Raises:
        AwsError: the images can be read in no region.
    """
    writer = Writer(clients, now)
    images, unread = survey.images(policy.selection.owner)
    decisions = [_decide(image, now) for image in images if selects(policy.selection, image) and image.own]
    doubts = list(unread)
    for region, theirs in clients.items():
        try:
            found = recycled.in_the_bin(theirs, region, policy.selection)
        except AwsError as error:
            doubts.append(Unread(Place.RECYCLE_BIN, region, str(error)))
        else:
            why = (Reason(Rule.RESTORED, "it lay in the Recycle Bin"),)
            decisions += [Decision(image, why, Step.RESTORE) for image in found]
    failures: list[Failure] = []
    for number, one in enumerate(decisions):
        if one.step is Step.RESTORE and not check_mode:
            try:
                _restore(writer, clients[one.image.region], survey, one.image)
            except AwsError as error:
                failures.append(Failure(one.image, str(error)))
                decisions[number] = Decision(one.image, (Reason(Rule.FAILED, str(error)),))
    decisions.sort(key=lambda one: (one.image.region, one.image.id))
    return Outcome(tuple(decisions), failures=tuple(failures)), tuple(doubts)


def _decide(image: Image, now: datetime) -> Decision:
    was = []
    if image.state == "disabled":
        was.append("disabled")
    if image.deprecated and image.deprecated <= now + AHEAD:
        was.append("deprecated")
    if not was:
        return Decision(image, (Reason(Rule.STATE, f"there is nothing to restore: it is {image.state}"),))
    return Decision(image, (Reason(Rule.RESTORED, f"it was {' and '.join(was)}"),), Step.RESTORE)


def _restore(writer: Writer, clients: Clients, survey: Survey, image: Image) -> None:
    if image.state == "in the Recycle Bin":
        recycled.take_out(clients, image.id)
        image = survey.own[image.region].image(image.id) or image
    writer.restore(image)
