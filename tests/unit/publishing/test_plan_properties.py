# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever there is: the plan's own steps lead to where nothing is left to do, and no pointer moves too early."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.immutable.ec2.plugins.module_utils.publishing import steps
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.forecast import forecast
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.model import Image, Observed, Pointer, Wanted
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.plan import plan
from tests.unit.publishing.worlds import AWAY, DAYS, HOME, MADE, NOW, WANTED

TAGS = st.fixed_dictionaries(
    {},
    optional={
        "publication": st.sampled_from(["pending", "published", "withdrawn", "odd"]),
        "validation": st.sampled_from(["passed", "passed_without_app", "failed"]),
    },
)
IMAGES = st.builds(
    Image,
    id=st.just("ami-2"),
    state=st.sampled_from(["available", "pending"]),
    created=st.just(MADE),
    tags=TAGS,
    imdsv2=st.booleans(),
    deprecated_at=st.sampled_from([None, MADE, MADE + DAYS]),
    shared_with=st.frozensets(st.sampled_from(["210987654321", "111122223333"])),
)
COPIES = st.one_of(st.none(), IMAGES, IMAGES.map(lambda image: replace(image, state="failed")))
POINTERS = st.builds(Pointer, st.sampled_from(["", "r1", "r2"]), st.sampled_from([(), ("r2",), ("r2", "r1")]))
WISHES = st.builds(
    lambda accounts, channel, validation, withdrawn: replace(
        WANTED,
        accounts=accounts,
        channel=channel,
        validation=WANTED.validation if validation else None,
        withdrawn=withdrawn,
    ),
    st.frozensets(st.just("210987654321")),
    st.sampled_from(["main", ""]),
    st.booleans(),
    st.booleans(),
)


@st.composite
def worlds(draw: st.DrawFn) -> Observed:
    home, away = draw(IMAGES), draw(COPIES)
    images = {HOME: home, **({AWAY: away} if away else {})}
    return Observed(images, {region: draw(POINTERS) for region in (HOME, AWAY)})


@given(worlds(), WISHES)
def test_the_plan_leads_to_where_nothing_is_left_to_do(world: Observed, wanted: Wanted) -> None:
    for _phase in range(9):
        planned = plan(world, wanted, NOW)
        if not planned.steps:
            return
        world = forecast(world, wanted, planned.next)
    raise AssertionError(f"still to do: {plan(world, wanted, NOW).steps}")


@given(worlds(), WISHES)
def test_a_pointer_names_only_what_has_passed_and_is_published_in_every_region(world: Observed, wanted: Wanted) -> None:
    planned = plan(world, wanted, NOW)
    while planned.steps:
        if not wanted.withdrawn and any(isinstance(step, steps.MovePointer) for step in planned.next):
            for image in world.images.values():
                assert image.publication == "published" and image.state == "available" and image.imdsv2
            assert set(world.images) == {HOME, AWAY}
            assert wanted.validation is None or world.images[HOME].verdict.startswith("passed")
        world = forecast(world, wanted, planned.next)
        planned = plan(world, wanted, NOW)


@given(worlds(), WISHES)
def test_a_withdrawn_release_is_never_named_again(world: Observed, wanted: Wanted) -> None:
    withdrawn = replace(wanted, withdrawn=True)
    after = forecast(world, withdrawn, plan(world, withdrawn, NOW).steps)
    named = [pointer.release for region, pointer in after.pointers.items() if withdrawn.channel]
    assert WANTED.release not in named
