# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts → what goes and why the others stay, as tables (promise 9: no image in use is ever removed)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.retention.model import Image, Policy, References, Selection
from ansible_collections.immutable.ec2.plugins.module_utils.retention.plan import plan
from ansible_collections.immutable.ec2.plugins.module_utils.retention.plan.reasons import matches
from ansible_collections.immutable.ec2.plugins.module_utils.retention.words import Place, Rule
from tests.unit.retention.accounts import NOW, aged, image, newest, removed, unread, used

NONE = References()
BASE = {"stage": "base"}
US = {"region": "us-east-1"}
R1 = {"release": "r1"}

GONE: dict[str, tuple[list[Image], References, Policy, str]] = {
    "the newest stay": (aged(1, 2, 3, 4), NONE, newest(2), "cd"),
    "fewer than N all stay": (aged(1, 2), NONE, newest(5), ""),
    "no images": ([], NONE, newest(1), ""),
    "one in use stays, and doesn't count": (aged(1, 2, 3, 4), used("b"), newest(2), "d"),
    "one in use counts if told so": (aged(1, 2, 3, 4), used("b"), newest(2, count_in_use=True), "cd"),
    "an old one in use stays if in-use ones count": (aged(1, 2, 3), used("c"), newest(1, count_in_use=True), "b"),
    "all in use": (aged(1, 2, 3), used("a", "b", "c"), newest(1), ""),
    "a reference to an unknown image": (aged(1, 2), used("ami-other"), newest(1), "b"),
    "equal dates: the ids decide": ([image(name, 1) for name in "bdac"], NONE, newest(2), "ab"),
    "days alone": (aged(1, 29, 30, 31), NONE, Policy(days=30), "d"),
    "exactly D days old stays": ([image("a", 30)], NONE, Policy(days=30), ""),
    "a second older goes": ([image("a", 30 + 1 / 86400)], NONE, Policy(days=30), "a"),
    "any rule keeps": (aged(1, 2, 40, 50), NONE, newest(3, days=30), "d"),
    "created in the future": ([image("a", -1), image("b", 9)], NONE, newest(1), "b"),
    "apps are counted apart": (
        [image("a", 1), image("b", 2, tags={"app": "blog"}), image("c", 3)],
        NONE,
        newest(1),
        "c",
    ),
    "regions are counted apart": ([image("a", 1), image("b", 2, **US), image("c", 3, **US)], NONE, newest(1), "c"),
    "one group of all": (
        [image("a", 1), image("b", 2, tags={"app": "blog"})],
        NONE,
        newest(1, group_by=()),
        "b",
    ),
    "without a group's tag": (aged(1, 2), NONE, newest(1, group_by=("app", "channel")), ""),
    "pending doesn't count": ([image("a", 0, state="pending"), *aged(1, 2)[1:], image("c", 3)], NONE, newest(1), "c"),
    "failed stays": ([image("a", 1), image("b", 2, state="failed")], NONE, newest(1), ""),
    "disabled by somebody else stays": ([image("a", 1), image("b", 2, state="disabled")], NONE, newest(1), ""),
    "without a date": ([image("a", 1), image("b", None), image("c", 3)], NONE, newest(1), "c"),
    "without a name": (
        [image("a", 1), Image("b", "eu-west-1", created=NOW, tags=image("b").tags)],
        NONE,
        newest(1),
        "a",
    ),
    "public stays": ([image("a", 1), image("b", 2, public=True)], NONE, newest(1), ""),
    "protected stays": ([image("a", 1), image("b", 2, protected=True)], NONE, newest(1), ""),
    "public goes if told so": ([image("a", 1), image("b", 2, public=True)], NONE, newest(1, public=False), "b"),
    "protected goes if told so": (
        [image("a", 1), image("b", 2, protected=True)],
        NONE,
        newest(1, protected=False),
        "b",
    ),
    "a copy of one that stays": (
        [image("a", 1), image("b", 2, tags=R1), image("c", 1, **US), image("d", 2, tags=R1, **US)],
        used("d"),
        newest(1),
        "",
    ),
    "a copy goes alone if told so": (
        [image("a", 1), image("b", 2, tags=R1), image("c", 1, **US), image("d", 2, tags=R1, **US)],
        used("d"),
        newest(1, together=False),
        "b",
    ),
    "copies go together": (
        [image("a", 1), image("b", 2, tags=R1), image("c", 1, **US), image("d", 2, tags=R1, **US)],
        NONE,
        newest(1),
        "bd",
    ),
    "the base of one that stays goes if told so": (
        [image("a", 1, base="x"), image("y", 1, tags=BASE), image("x", 2, tags=BASE)],
        NONE,
        newest(1, lineage=False),
        "x",
    ),
    "foreign is not selected": ([image("a", 1), image("b", 2, own=False)], NONE, newest(1), ""),
    "foreign is kept when asked for": (
        [image("a", 1, own=False), image("b", 2, own=False)],
        NONE,
        newest(1, selection=Selection(owner="1")),
        "",
    ),
    "an exclude tag": (
        [image("a", 1), image("b", 2, tags={"keep": "audit-7"}), image("c", 3, tags={"keep": "no"})],
        NONE,
        newest(1, exclude_tags={"keep": "audit-*"}),
        "c",
    ),
    "selected by tag": (
        [image("a", 1, tags=BASE), image("b", 2), image("c", 3)],
        NONE,
        newest(1, selection=Selection(tags={"stage": "a*"})),
        "c",
    ),
    "selected by name": (aged(1, 2, 3), NONE, newest(1, selection=Selection(names=("shop-a", "*-c"))), "c"),
    "the base of one that stays": (
        [image("a", 1, base="x"), *(image(name, age, tags=BASE) for name, age in (("y", 2), ("x", 3), ("z", 4)))],
        NONE,
        newest(1),
        "z",
    ),
    "the base of one that goes": (
        [image("a", 1), image("b", 2, base="x"), image("y", 3, tags=BASE), image("x", 4, tags=BASE)],
        NONE,
        newest(1),
        "bx",
    ),
    "the base's base": (
        [
            image("a", 1, base="x"),
            image("y", 1, tags=BASE),
            image("x", 2, tags=BASE, base="w"),
            image("w", 3, tags=BASE),
        ],
        NONE,
        newest(1),
        "",
    ),
    "the base of one that isn't selected": (
        [image("a", 1, base="x"), image("y", 2, tags=BASE), image("x", 3, tags=BASE)],
        NONE,
        newest(1, selection=Selection(tags=BASE)),
        "",
    ),
    "the base of a copy elsewhere": (
        [image("a", 1, base="x", **US), image("y", 2, tags=BASE), image("x", 3, tags=BASE)],
        NONE,
        newest(1),
        "",
    ),
    "images that claim to be each other's base": (
        [image("a", 1), image("b", 2, base="c"), image("c", 3, base="b")],
        NONE,
        newest(1),
        "bc",
    ),
    "a place that can't be read": (aged(1, 2, 3), unread(Place.LAUNCH_TEMPLATES), newest(1), ""),
    "in another region": (aged(1, 2), unread(Place.INSTANCES, "us-east-1"), newest(1), "b"),
    "images that can't be read elsewhere may be built from these": (
        aged(1, 2),
        unread(Place.IMAGES, "us-east-1"),
        newest(1),
        "",
    ),
    "whom one is shared with can't be read": (aged(1, 2, 3), unread(Place.SHARING, image_id="b"), newest(1), "c"),
}


@pytest.mark.parametrize("case", GONE)
def test_what_goes(case: str) -> None:
    images, references, policy, gone = GONE[case]
    assert removed(plan(images, references, policy, NOW)) == set(gone)


WHY: dict[str, tuple[Image, References, Policy, Rule, str]] = {
    "a reference is named": (image("a"), used("a"), Policy(days=1), Rule.IN_USE, "used by instance i-a (running)"),
    "an unread place is named": (
        image("a", 9),
        unread(Place.GROUPS),
        Policy(days=1),
        Rule.IN_USE,
        "counts as in use: Auto Scaling groups of eu-west-1 could not be read (AccessDenied: no)",
    ),
    "newest": (image("a", 9), NONE, newest(1), Rule.NEWEST, "one of the 1 newest of its group"),
    "days": (image("a"), NONE, Policy(days=30), Rule.DAYS, "not older than 30 days"),
    "state": (image("a", 9, state="failed"), NONE, newest(1), Rule.STATE, "its state is failed"),
    "date": (image("a", None), NONE, newest(1), Rule.UNDATED, "it has no creation date"),
    "group": (
        image("a", 9),
        NONE,
        newest(1, group_by=("app", "channel")),
        Rule.UNGROUPED,
        "it belongs to no group: it has no tag channel",
    ),
    "exclude tag": (
        image("a", 9, tags={"keep": "yes"}),
        NONE,
        newest(1, exclude_tags={"keep": "*"}),
        Rule.EXCLUDED,
        "excluded by its tag keep=yes",
    ),
    "removed": (
        image("a", 9),
        NONE,
        Policy(days=3),
        Rule.UNNEEDED,
        "older than 3 days, and nothing uses it",
    ),
}


@pytest.mark.parametrize("case", WHY)
def test_why(case: str) -> None:
    one, references, policy, rule, text = WHY[case]
    (decision,) = plan([one], references, policy, NOW).decisions
    assert (decision.reasons[0].rule, decision.reasons[0].text) == (rule, text)


def test_every_reason_is_given() -> None:
    (decision,) = plan([image("a")], used("a"), newest(1, days=3, count_in_use=True), NOW).decisions
    assert [reason.rule for reason in decision.reasons] == [Rule.IN_USE, Rule.NEWEST, Rule.DAYS]


def test_a_base_names_who_was_built_from_it() -> None:
    children = [image(f"c{number}", 1, base="x") for number in range(5)]
    decisions = plan([*children, image("x", 99, tags=BASE)], NONE, Policy(days=3), NOW).decisions
    why = {decision.image.id: decision.reasons[0].text for decision in decisions}
    assert why["x"] == "base image of c0, c1, c2 and 2 more"


def test_children_go_before_their_base() -> None:
    old = [image("x", 90, tags=BASE), image("b", 80, base="x"), image("c", 95, base="b"), image("d", 99)]
    removals = [one.id for one in plan([*old, image("a", 1), image("y", 1, tags=BASE)], NONE, newest(1), NOW).removals]
    assert removals == ["c", "b", "d", "x"]


def test_the_report_is_ordered_by_group_newest_first() -> None:
    images = [image("c", 3), image("z", 1, tags={"app": "blog"}), image("a", 1), image("u", 0, region="us-east-1")]
    assert [one.image.id for one in plan(images, NONE, newest(9), NOW).decisions] == ["z", "a", "c", "u"]


@pytest.mark.parametrize(
    ("glob", "text", "fits"),
    [
        ("*", "", True),
        ("a*c", "abbc", True),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("a", "ab", False),
        ("[ab]", "a", False),
        ("[ab]", "[ab]", True),
        ("a.c", "abc", False),
        ("*", "two\nlines", True),
    ],
)
def test_globs_are_those_of_ec2(glob: str, text: str, fits: bool) -> None:
    assert matches(glob, text) is fits


def test_50000_images_are_planned_oldest_removal_first() -> None:
    images = [image(f"i{number}", number / 24, tags={"app": f"app{number % 100}"}) for number in range(50_000)]
    decided = plan(images, used(*(f"i{number}" for number in range(0, 50_000, 10))), newest(5), NOW)
    assert len(decided.decisions) == 50_000
    assert decided.removals[0].created == NOW - timedelta(hours=49_999)
