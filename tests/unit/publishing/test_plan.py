# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what there is to what is left to do: the way of an image from the bake to the channel, and back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.publishing import steps
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.errors import PublishError
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.model import (
    Image,
    Leftover,
    Observed,
    Pointer,
    Wanted,
)
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.plan import plan
from tests.unit.publishing.worlds import (
    AWAY,
    BAKED,
    DAYS,
    HOME,
    MADE,
    NOW,
    PUBLISHED,
    SETTLED,
    VALIDATED,
    WANTED,
    seen,
)


def next_of(world: Observed, wanted: Wanted = WANTED) -> list[tuple[str, str]]:
    """Kind and region of each step of the first phase."""
    planned = plan(world, wanted, NOW)
    return [(type(step).__name__, step.region) for step in planned.next] if planned.steps else []


COPYING = replace(BAKED, id="ami-3", state="pending")
WAY = {
    "it is still made": (seen(replace(BAKED, state="pending")), [("AwaitBake", HOME)]),
    "baked": (seen(), [("Validate", HOME)]),
    "it failed before": (
        seen(replace(BAKED, tags={"publication": "pending", "validation": "failed"})),
        [("Validate", HOME)],
    ),
    "validated": (seen(VALIDATED), [("Copy", AWAY)]),
    "validated, without the app": (
        seen(replace(BAKED, tags={"validation": "passed_without_app"})),
        [("Copy", AWAY)],
    ),
    "the copy travels": (seen(VALIDATED, COPYING), [("AwaitImage", AWAY)]),
    "the copy has failed": (
        seen(VALIDATED, replace(COPYING, state="failed")),
        [("RemoveFailedCopy", AWAY), ("Copy", AWAY)],
    ),
    "all copies are there": (
        seen(VALIDATED, VALIDATED),
        [("RequireImdsv2", HOME), ("Deprecate", HOME), ("RequireImdsv2", AWAY), ("Deprecate", AWAY)],
    ),
    "one region is ready": (seen(SETTLED, VALIDATED), [("RequireImdsv2", AWAY), ("Deprecate", AWAY)]),
    "both are": (seen(SETTLED, SETTLED), [("MarkPublished", HOME), ("MarkPublished", AWAY)]),
    "marked": (seen(PUBLISHED, PUBLISHED), [("MovePointer", HOME), ("MovePointer", AWAY)]),
    "one pointer moved": (
        seen(PUBLISHED, PUBLISHED, pointers={HOME: Pointer("r2"), AWAY: Pointer("r1")}),
        [("MovePointer", AWAY)],
    ),
    "done": (seen(PUBLISHED, PUBLISHED, named="r2"), []),
}


@pytest.mark.parametrize("name", WAY)
def test_each_phase_follows_from_what_is_there(name: str) -> None:
    world, wanted = WAY[name]
    assert next_of(world) == wanted


def test_nothing_is_copied_before_a_server_has_booted() -> None:
    names = [type(step).__name__ for step in plan(seen(), WANTED, NOW).steps]
    assert names.index("Validate") < names.index("Copy")


def test_the_pointers_are_moved_last() -> None:
    planned = plan(seen(), replace(WANTED, accounts=frozenset({"210987654321"}), tags={"team": "web"}), NOW).steps
    moves = [isinstance(step, steps.MovePointer) for step in planned]
    assert moves == sorted(moves) and sum(moves) == 2


def test_no_pointer_is_moved_without_a_channel() -> None:
    assert not [
        step for step in plan(seen(), replace(WANTED, channel=""), NOW).steps if isinstance(step, steps.MovePointer)
    ]


def test_without_a_validation_it_is_published_as_it_is() -> None:
    assert next_of(seen(), replace(WANTED, validation=None)) == [("Copy", AWAY)]


def test_a_published_image_is_not_validated_again_to_move_the_pointer_back_to_it() -> None:
    assert next_of(seen(PUBLISHED, PUBLISHED, named="r3")) == [("MovePointer", HOME), ("MovePointer", AWAY)]


def test_who_may_launch_it_already_is_not_asked_again() -> None:
    shared = replace(SETTLED, shared_with=frozenset({"210987654321", "111122223333"}))
    wanted = replace(WANTED, accounts=frozenset({"210987654321"}), organizations=frozenset({"arn:o"}))
    share = plan(seen(shared, SETTLED), wanted, NOW).next
    assert [(step.region, step.accounts, step.organizations) for step in share if isinstance(step, steps.Share)] == [
        (HOME, (), ("arn:o",)),
        (AWAY, ("210987654321",), ("arn:o",)),
    ]


def test_a_copy_is_shared_and_hardened_like_the_original() -> None:
    wanted = replace(WANTED, accounts=frozenset({"210987654321"}))
    kinds = {type(step).__name__ for step in plan(seen(VALIDATED), wanted, NOW).steps if step.region == AWAY}
    assert {"Copy", "AwaitImage", "Share", "RequireImdsv2", "Deprecate", "MarkPublished", "MovePointer"} == kinds


@pytest.mark.parametrize(
    ("at", "again"), [(MADE + DAYS, False), (MADE + DAYS + timedelta(seconds=59), False), (MADE, True), (None, True)]
)
def test_the_date_of_deprecation_is_counted_from_the_day_it_was_made(at: object, again: bool) -> None:
    world = seen(replace(SETTLED, deprecated_at=at), SETTLED)  # type: ignore[arg-type]
    found = [step for step in plan(world, WANTED, NOW).steps if isinstance(step, steps.Deprecate)]
    assert bool(found) is again and all(step.at == MADE + DAYS for step in found)


def test_an_image_that_never_ages_gets_no_date() -> None:
    kinds = {type(step) for step in plan(seen(), replace(WANTED, deprecate_after=None), NOW).steps}
    assert steps.Deprecate not in kinds


REFUSED = {
    "no image": (seen(None), r"no image shop-app-r2 in eu-west-1: bake the release first"),
    "a failed one": (
        seen(replace(BAKED, state="failed", state_reason="disk")),
        r"ami-2 in eu-west-1 is failed \(disk\)",
    ),
    "a disabled one": (seen(replace(BAKED, state="disabled")), "is disabled"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_can_not_be_published_says_why(name: str) -> None:
    world, why = REFUSED[name]
    with pytest.raises(PublishError, match=why):
        plan(world, WANTED, NOW)


# --- leftovers

PAST, FUTURE = NOW - timedelta(minutes=1), NOW + timedelta(minutes=1)
LEFT = {
    "of this release": (Leftover("instance", "i-1", "r2", FUTURE), True),
    "of another release, still at work": (Leftover("instance", "i-1", "r1", FUTURE), False),
    "of another release that must have ended": (Leftover("instance", "i-1", "r1", PAST), True),
    "without a date": (Leftover("security group", "sg-1", "r1", None), True),
}


@pytest.mark.parametrize("name", LEFT)
def test_only_what_nobody_works_with_is_removed(name: str) -> None:
    left, goes = LEFT[name]
    world = seen(PUBLISHED, PUBLISHED, named="r2", leftovers=(left,))
    assert bool(next_of(world)) is goes


def test_servers_go_before_what_they_use_and_all_before_anything_else() -> None:
    left = (Leftover("instance", "i-1", "r2", None), Leftover("security group", "sg-1", "r2", None))
    planned = plan(seen(leftovers=left), WANTED, NOW)
    assert [step.leftover.id for step in planned.next if isinstance(step, steps.RemoveLeftover)] == ["i-1", "sg-1"]
    assert len(planned.next) == 2


# --- withdrawing

WITHDRAWN = replace(WANTED, withdrawn=True)
NAMED = {region: Pointer("r2", ("r2", "r1", "r0")) for region in (HOME, AWAY)}


def test_the_pointer_moves_back_before_the_image_is_marked() -> None:
    planned = plan(seen(PUBLISHED, PUBLISHED, pointers=NAMED), WITHDRAWN, NOW)
    assert [(step.region, step.release) for step in planned.next if isinstance(step, steps.MovePointer)] == [
        (HOME, "r1"),
        (AWAY, "r1"),
    ]
    assert [type(step).__name__ for step in planned.steps[2:]] == ["MarkWithdrawn", "MarkWithdrawn"]


def test_a_pointer_that_names_another_release_stays() -> None:
    assert {kind for kind, _region in next_of(seen(PUBLISHED, PUBLISHED, named="r3"), WITHDRAWN)} == {"MarkWithdrawn"}


def test_a_pointer_goes_where_no_earlier_release_can_be_deployed() -> None:
    planned = plan(seen(PUBLISHED, pointers={HOME: Pointer("r2", ("r2",))}), WITHDRAWN, NOW)
    (move,) = planned.next
    assert isinstance(move, steps.MovePointer) and move.release == ""


def test_a_withdrawal_needs_no_image_and_no_validation() -> None:
    assert next_of(seen(None, pointers=NAMED), WITHDRAWN) == [("MovePointer", HOME), ("MovePointer", AWAY)]


def test_withdrawn_already_is_nothing_to_do() -> None:
    gone = Image("ami-2", tags={"publication": "withdrawn"})
    assert next_of(seen(gone, gone), WITHDRAWN) == []


def test_a_withdrawn_release_can_be_published_again() -> None:
    back = replace(SETTLED, tags={"publication": "withdrawn", "validation": "passed"})
    assert next_of(seen(back, back)) == [("MarkPublished", HOME), ("MarkPublished", AWAY)]
