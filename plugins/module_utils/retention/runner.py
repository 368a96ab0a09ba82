# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of retention: observe → plan → act."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ansible_collections.immutable.ec2.plugins.module_utils.aws import images as images_api
from ansible_collections.immutable.ec2.plugins.module_utils.retention.act import Actor, NoLooks, recycled
from ansible_collections.immutable.ec2.plugins.module_utils.retention.act.restore import restore
from ansible_collections.immutable.ec2.plugins.module_utils.retention.act.writer import NoWriter, Writer
from ansible_collections.immutable.ec2.plugins.module_utils.retention.model import (
    Decision,
    Image,
    Outcome,
    Plan,
    Policy,
    Reason,
    References,
    Unread,
)
from ansible_collections.immutable.ec2.plugins.module_utils.retention.plan import group_of, plan
from ansible_collections.immutable.ec2.plugins.module_utils.retention.policy import PolicyError
from ansible_collections.immutable.ec2.plugins.module_utils.retention.words import Rule, Step

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients
    from ansible_collections.immutable.ec2.plugins.module_utils.retention.observe.survey import Survey


@dataclass(frozen=True)
class Run:
    """What a run came to: the outcome, the places that could not be read, and why nothing was done, if so."""

    outcome: Outcome
    unread: tuple[Unread, ...]
    now: datetime
    stopped: str = ""


def run(survey: Survey, policy: Policy, max_removals: int | None, *, check_mode: bool) -> Run:
    """Applies a policy to the images of some regions.

    Args:
        survey: the regions.
        policy: what to keep.
        max_removals: a plan that disables or deregisters more is not begun.
        check_mode: everything is done but the writes.

    Raises:
        AwsError: the images could be read nowhere.
    """
    images, unread = survey.images(policy.selection.owner)
    references = References(unread=unread) + survey.references()
    now = datetime.now(UTC)
    planned, references = _closer(survey, images, references, policy, now)
    if max_removals is not None and len(planned.removals) > max_removals:
        count = len(planned.removals)
        why = f"{count} images would be removed, more than max_removals ({max_removals}) allows; nothing was removed"
        return Run(Outcome(_keep_all(planned, max_removals)), references.unread, now, why)
    clients = {name: region.clients for name, region in survey.own.items()}
    orphans, doubts = recycled.orphans(clients, images, [one.region for one in unread])
    writer = NoWriter() if check_mode else Writer(clients, now)
    looks = NoLooks() if check_mode else _Looks(survey, {image.id for image in images})
    leaving = {one.image.region for one in planned.steps if one.removed}
    kept_snapshots = [name for name in leaving if recycled.has_rules(clients[name])]
    outcome = Actor(images, policy, looks, writer, kept_snapshots).carry_out(planned, orphans)
    return Run(outcome, tuple(dict.fromkeys(references.unread + outcome.unread + doubts)), now)


def run_back(survey: Survey, policy: Policy, *, check_mode: bool) -> Run:
    """Restores the selected images.

    Raises:
        AwsError: the images could be read nowhere.
    """
    now = datetime.now(UTC)
    clients = {name: region.clients for name, region in survey.own.items()}
    outcome, unread = restore(survey, clients, policy, now, check_mode=check_mode)
    return Run(outcome, unread, now)


def check_regions(clients: Clients, names: Sequence[str]) -> None:
    """Refuses regions that AWS doesn't know or that the account can't use.

    Raises:
        PolicyError: with the names of those.
    """
    opted = {
        region.get("RegionName", ""): region.get("OptInStatus", "") for region in images_api.describe_regions(clients)
    }
    if unknown := [name for name in names if name not in opted]:
        raise PolicyError(f"Unknown region: {', '.join(unknown)}. AWS has: {', '.join(sorted(opted))}.")
    if disabled := [name for name in names if opted[name] == "not-opted-in"]:
        raise PolicyError(f"Region not enabled in this account: {', '.join(disabled)}.")


class _Looks:
    """What names an image at the time of asking, images included that were built from it since they were listed."""

    def __init__(self, survey: Survey, known: set[str]) -> None:
        self._survey = survey
        self._known = known

    def again(self, images: Sequence[Image]) -> References:
        return self._survey.again(images)

    def last_look(self, image: Image) -> References:
        return self._survey.last_look(image, self._known)


def _closer(
    survey: Survey, images: Sequence[Image], references: References, policy: Policy, now: datetime
) -> tuple[Plan, References]:
    """The plan, after what AWS tells for single images only was asked for those that hang on it.

    What that adds can only take removals away, so no image goes that wasn't asked for.
    """
    planned = plan(images, references, policy, now)
    asked: set[str] = set()
    regions: set[str] = set()
    while unasked := [image for image in _hanging_on_use(planned, policy) if image.id not in asked]:
        references += survey.closer(unasked, regions)
        asked.update(image.id for image in unasked)
        regions.update(image.region for image in unasked)
        planned = plan(images, references, policy, now)
    return planned, references


def _hanging_on_use(planned: Plan, policy: Policy) -> list[Image]:
    """The images that would go, and the spare ones of their groups: one that is in use makes room for another spare."""
    groups = {group_of(one.image, policy) for one in planned.steps}
    return [
        one.image
        for one in planned.decisions
        if group_of(one.image, policy) in groups
        and {reason.rule for reason in one.reasons} <= {Rule.NEWEST, Rule.UNNEEDED}
    ]


def _keep_all(planned: Plan, max_removals: int) -> tuple[Decision, ...]:
    stopped = "max_removals ({limit}) stopped the run: it would be {step}, {why}"
    return tuple(
        replace(
            one,
            step=Step.KEEP,
            reasons=(
                Reason(Rule.MAX_REMOVALS, stopped.format(limit=max_removals, step=one.step, why=one.reasons[0].text)),
            ),
        )
        if one.step is not Step.KEEP
        else one
        for one in planned.decisions
    )
