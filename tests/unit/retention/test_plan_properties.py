# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for every plan (promise 9), whatever the images, the references and the policy."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.immutable.ec2.plugins.module_utils.retention.model import (
    Decision,
    Image,
    Policy,
    Reference,
    References,
    Stages,
    Unread,
)
from ansible_collections.immutable.ec2.plugins.module_utils.retention.plan import plan
from ansible_collections.immutable.ec2.plugins.module_utils.retention.words import Place, Rule
from tests.unit.retention.accounts import NOW, image, removed

IDS = [f"ami-{number}" for number in range(12)]
ids = st.sampled_from(IDS)
regions = st.sampled_from(["eu-west-1", "us-east-1"])


def an_image(image_id: str) -> st.SearchStrategy[Image]:
    return st.builds(
        lambda age, base, app, stage, release, region, state, deprecated: image(
            image_id,
            age,
            base,
            tags={"app": app, "stage": stage} | ({"release": release} if release else {}),
            region=region,
            state=state,
            deprecated=deprecated and NOW - timedelta(days=deprecated),
            disabled=NOW - timedelta(days=deprecated or 0) if state == "disabled" else None,
        ),
        # Few values, so that equal dates, groups and bases meet often.
        age=st.one_of(st.integers(0, 5), st.integers(0, 5), st.none()),
        base=st.sampled_from(["", *IDS]),
        app=st.sampled_from(["shop", "blog"]),
        stage=st.sampled_from(["base", "app"]),
        release=st.sampled_from(["", "", "r1", "r2"]),
        region=regions,
        state=st.sampled_from(["available", "available", "available", "disabled", "pending", "failed"]),
        deprecated=st.sampled_from([None, None, 1, 3]),
    )


images = st.lists(ids, unique=True).flatmap(lambda chosen: st.tuples(*map(an_image, chosen))).map(list)
found = st.lists(st.builds(Reference, ids, st.sampled_from(["instance i-1", "group g"])), max_size=5).map(tuple)
unread = st.lists(st.builds(Unread, st.sampled_from([*Place]), regions, st.just("denied")), max_size=2).map(tuple)
references = st.builds(References, found, st.one_of(st.just(()), st.just(()), unread))
policies = st.builds(
    Policy,
    newest=st.integers(0, 4),
    days=st.integers(0, 4),
    count_in_use=st.booleans(),
    group_by=st.sampled_from([("app", "stage"), ("app",), ()]),
    stages=st.sampled_from([None, Stages(*(timedelta(days=days) for days in (1, 2, 3)))]),
    together=st.booleans(),
    lineage=st.booleans(),
)


@given(images, references, policies)
def test_no_image_with_a_reference_goes(all_images: list[Image], uses: References, policy: Policy) -> None:
    planned = plan(all_images, uses, policy, NOW)
    taken = {step.image.id for step in planned.steps}
    assert not taken & {reference.image_id for reference in uses.found}
    lost = [place for place in uses.unread if place.place is not Place.IMAGES or policy.lineage or policy.together]
    assert not taken & {one.id for one in all_images for place in lost if place.may_name(one)}


@given(images, references, policies)
def test_no_base_of_an_image_that_stays_goes(all_images: list[Image], uses: References, policy: Policy) -> None:
    gone = removed(plan(all_images, uses, replace(policy, lineage=True), NOW))
    assert not gone & {one.base_image for one in all_images if one.id not in gone}


@given(images, references, policies)
def test_copies_of_a_bake_go_together(all_images: list[Image], uses: References, policy: Policy) -> None:
    planned = plan(all_images, uses, replace(policy, together=True, stages=None), NOW)
    gone = removed(planned)
    stay = {one.bake for one in all_images if one.state in ("available", "disabled") and one.id not in gone}
    assert not {one.bake for one in all_images if one.id in gone and one.bake} & stay


@given(images, references, policies)
def test_only_finished_dated_images_go(all_images: list[Image], uses: References, policy: Policy) -> None:
    gone = removed(plan(all_images, uses, policy, NOW))
    assert all(one.state in ("available", "disabled") and one.created for one in all_images if one.id in gone)


@given(images, references, policies)
def test_the_newest_n_of_each_group_stay(all_images: list[Image], uses: References, policy: Policy) -> None:
    groups: defaultdict[tuple[str, ...], list[Decision]] = defaultdict(list)
    for decision in plan(all_images, uses, policy, NOW).decisions:
        one = decision.image
        in_use = any(reason.rule is Rule.IN_USE for reason in decision.reasons)
        if one.state == "available" and one.created and (policy.count_in_use or not in_use):
            groups[one.region, *(one.tags[key] for key in policy.group_by)].append(decision)
    for group in groups.values():
        group.sort(key=lambda decision: (str(decision.image.created), decision.image.id), reverse=True)
        assert not any(decision.removed for decision in group[: policy.newest])


@given(images, references, references, policies)
def test_more_references_never_remove_more(
    all_images: list[Image], some: References, more: References, policy: Policy
) -> None:
    fewer = removed(plan(all_images, some + more, policy, NOW))
    assert fewer <= removed(plan(all_images, some, policy, NOW))


@given(st.data(), images, references, policies)
def test_order_does_not_matter(data: st.DataObject, all_images: list[Image], uses: References, policy: Policy) -> None:
    shuffled = References(tuple(data.draw(st.permutations(uses.found))), uses.unread)
    assert plan(data.draw(st.permutations(all_images)), shuffled, policy, NOW) == plan(all_images, uses, policy, NOW)


@given(images, references, policies)
def test_a_second_plan_removes_nothing(all_images: list[Image], uses: References, policy: Policy) -> None:
    gone = removed(plan(all_images, uses, policy, NOW))
    left = [one for one in all_images if one.id not in gone]
    assert not removed(plan(left, uses, policy, NOW))
