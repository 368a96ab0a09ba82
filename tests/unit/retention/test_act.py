# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying out a plan: what comes into use meanwhile survives, failures stay alone, shared snapshots stay."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.retention.act import Actor, batches
from ansible_collections.immutable.ec2.plugins.module_utils.retention.act.writer import NoWriter
from ansible_collections.immutable.ec2.plugins.module_utils.retention.model import (
    Image,
    Outcome,
    Policy,
    References,
    Snapshot,
)
from ansible_collections.immutable.ec2.plugins.module_utils.retention.plan import plan
from ansible_collections.immutable.ec2.plugins.module_utils.retention.words import Place, Rule, Step
from tests.unit.retention.accounts import NOW, image, unread, used

YOUNG = Policy(days=1)


class Recorder(NoWriter):
    """Writes down what is asked for; refuses what it is told to."""

    def __init__(self, refuses: str = "") -> None:
        self.calls: list[str] = []
        self.refuses = refuses

    def take(self, step: Step, image: Image) -> None:
        self._call(image.id)

    def delete_snapshot(self, region: str, snapshot_id: str) -> None:
        self._call(snapshot_id)

    def _call(self, what: str) -> None:
        if what == self.refuses:
            raise AwsError(f"remove {what}", "UnauthorizedOperation: no", "UnauthorizedOperation")
        self.calls.append(what)


class Seen:
    """What the looks see: of a batch nothing, of one image what is told."""

    def __init__(self, now: Callable[[Image], References]) -> None:
        self._now = now

    def again(self, images: Sequence[Image]) -> References:
        return References()

    def last_look(self, image: Image) -> References:
        return self._now(image)


def carried_out(
    images: list[Image],
    writer: NoWriter,
    now: Callable[[Image], References] = lambda _: References(),
    kept_snapshots: Sequence[str] = (),
) -> Outcome:
    planned = plan(images, References(), YOUNG, NOW)
    return Actor(images, YOUNG, Seen(now), writer, kept_snapshots).carry_out(planned)


def gone(outcome: Outcome) -> set[str]:
    return {decision.image.id for decision in outcome.decisions if decision.removed}


def rules(outcome: Outcome, image_id: str) -> list[Rule]:
    return [reason.rule for one in outcome.decisions if one.image.id == image_id for reason in one.reasons]


def test_an_image_goes_before_its_snapshot() -> None:
    writer = Recorder()
    outcome = carried_out([image("a", 9)], writer)
    assert writer.calls == ["a", "snap-a"] and outcome.snapshots == {"a": (Snapshot("snap-a", 8),)}


def test_what_came_into_use_stays() -> None:
    writer = Recorder()
    outcome = carried_out([image("a", 9), image("b", 8)], writer, lambda _: used("a"))
    assert gone(outcome) == {"b"} and rules(outcome, "a") == [Rule.IN_USE] and "a" not in writer.calls


def test_what_can_no_longer_be_looked_up_stays() -> None:
    outcome = carried_out([image("a", 9)], Recorder(), lambda _: unread(Place.INSTANCES))
    assert gone(outcome) == set() and [one.place for one in outcome.unread] == [Place.INSTANCES]


def test_the_base_of_what_stays_after_all_stays_too() -> None:
    images = [image("x", 9), image("b", 8, base="x"), image("c", 7, base="b")]
    outcome = carried_out(images, Recorder(), lambda _: used("c"))
    assert gone(outcome) == set() and rules(outcome, "x") == [Rule.IN_USE]


def test_a_failing_image_stops_no_other() -> None:
    outcome = carried_out([image("a", 9), image("b", 8), image("c", 7)], Recorder(refuses="a"))
    assert gone(outcome) == {"b", "c"} and rules(outcome, "a") == [Rule.FAILED]
    (failure,) = outcome.failures
    assert failure.image.id == "a" and failure.error == "Could not remove a: UnauthorizedOperation: no"


def test_a_failing_snapshot_is_told_and_its_image_is_gone() -> None:
    outcome = carried_out([image("a", 9)], Recorder(refuses="snap-a"))
    assert gone(outcome) == {"a"} and outcome.snapshots == {"a": ()}
    assert "its snapshot is left" in outcome.failures[0].error


SHARED = (Snapshot("snap-both", 8),)


def test_a_snapshot_that_another_image_uses_stays() -> None:
    writer = Recorder()
    carried_out([image("a", 9, snapshots=SHARED), image("b", 0, snapshots=SHARED)], writer)
    assert writer.calls == ["a"]


def test_a_shared_snapshot_goes_with_the_last_of_its_images() -> None:
    writer = Recorder()
    carried_out([image("a", 9, snapshots=SHARED), image("b", 8, snapshots=SHARED)], writer)
    assert writer.calls == ["a", "b", "snap-both"]


def test_a_shared_snapshot_stays_with_an_image_that_could_not_be_removed() -> None:
    writer = Recorder(refuses="a")
    carried_out([image("a", 9, snapshots=SHARED), image("b", 8, snapshots=SHARED)], writer)
    assert writer.calls == ["b"]


def test_a_snapshot_mapped_twice_is_deleted_once() -> None:
    writer = Recorder()
    carried_out([image("a", 9, snapshots=SHARED * 2)], writer)
    assert writer.calls == ["a", "snap-both"]


def test_check_mode_reports_the_same() -> None:
    images = [image("a", 9, snapshots=SHARED), image("b", 8, snapshots=SHARED), image("c", 0)]
    real, dry = (carried_out(images, writer, lambda _: used("b")) for writer in (Recorder(), NoWriter()))
    assert real == dry


def test_where_the_recycle_bin_may_bring_an_image_back_its_snapshot_stays() -> None:
    writer = Recorder()
    outcome = carried_out([image("a", 9)], writer, kept_snapshots=["eu-west-1"])
    assert writer.calls == ["a"] and outcome.snapshots == {"a": ()}


def test_batches_are_of_one_region_and_at_most_ten() -> None:
    images = [image(f"{region}{number:02}", 9, region=region) for region in ("eu", "us") for number in range(12)]
    planned = plan(images, References(), YOUNG, NOW)
    assert [len(batch) for batch in batches(planned.steps)] == [10, 2, 10, 2]
