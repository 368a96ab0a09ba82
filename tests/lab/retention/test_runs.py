# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole runs: check mode against real, the second run, snapshots, failures, limits, refusals."""

from __future__ import annotations

import typing as t

import pytest

from tests.lab.retention.account import Account
from tests.lab.retention.conftest import Prune, Report
from tests.lab.retention.emulator import WRITES, Front


def ids(entries: list[Report]) -> list[str]:
    return [entry["id"] for entry in entries]


def messy(account: Account) -> list[str]:
    """Six images: one in use, two with a snapshot in common."""
    images = account.images(6)
    account.instance(images[1])
    account.share_snapshot(images[2], with_image=images[3])
    return images


def test_check_mode_reports_what_a_real_run_does(account: Account, front: Front, prune: Prune) -> None:
    messy(account)
    front.calls.clear()
    before = account.left(), account.snapshots()
    checked = prune(check=True, diff=True)
    assert (account.left(), account.snapshots()) == before and not any(front.calls[write] for write in WRITES)
    assert prune(diff=True) == checked
    assert checked["changed"] and checked["totals"]["removed"] == 4


def test_a_second_run_changes_nothing(account: Account, front: Front, prune: Prune) -> None:
    messy(account)
    kept = ids(prune()["kept"])
    front.calls.clear()
    report = prune()
    assert not report["changed"] and ids(report["kept"]) == kept and not report["removed"]
    assert not any(front.calls[write] for write in WRITES)


def test_the_diff_lists_the_images_before_and_after(account: Account, prune: Prune) -> None:
    old, new = account.images(2)
    diff = prune(diff=True)["diff"]
    lines = [f"eu-west-1 {new} shop-app-0002", f"eu-west-1 {old} shop-app-0001"]
    assert (diff["before"].splitlines(), diff["after"].splitlines()) == (lines, lines[:1])


def test_a_removed_image_takes_its_snapshot_along(account: Account, prune: Prune) -> None:
    account.images(3)
    (kept,) = ids((report := prune())["kept"])
    assert len(account.snapshots()) == 1 and account.left() == {kept}
    assert [len(entry["snapshots_removed"]) for entry in report["removed"]] == [1, 1]
    assert report["totals"] == {
        "images": 3,
        "removed": 2,
        "kept": 1,
        "deprecated": 0,
        "disabled": 0,
        "restored": 0,
        "failed": 0,
        "snapshots_removed": 2,
        "removed_gib": 30,
        "saved_per_month": 1.5,
    }


def test_a_snapshot_that_another_image_uses_stays(account: Account, prune: Prune) -> None:
    old, new = account.images(2)
    snapshot = account.share_snapshot(old, with_image=new)
    (removed,) = prune()["removed"]
    assert removed["id"] == old and removed["snapshots_removed"] == [] and snapshot in account.snapshots()


def test_a_snapshot_of_an_image_outside_the_selection_stays(account: Account, prune: Prune) -> None:
    old, _ = account.images(2)
    blog = account.image(app="blog")
    snapshot = account.share_snapshot(old, with_image=blog)
    prune(images={"tags": {"app": "shop"}})
    assert old not in account.left() and snapshot in account.snapshots()


def test_groups_regions_selection_and_exclusion(account: Account, elsewhere: Account, prune: Prune) -> None:
    shop, base, blog = account.images(2), account.images(2, stage="base"), account.images(2, app="blog")
    marked = account.image(keep="forever")
    untagged = account.ec2.register_image(Name="by-hand", RootDeviceName="/dev/xvda")["ImageId"]
    there = elsewhere.images(2)
    report = prune(
        regions=["eu-west-1", "us-east-1"], images={"names": ["shop-*", "by-?and"]}, exclude_tags={"keep": "for*"}
    )
    assert set(ids(report["removed"])) == {shop[0], base[0], blog[0], there[0]}
    rules = {entry["id"]: entry["rules"] for entry in report["kept"]}
    assert rules[marked] == ["excluded"] and rules[untagged] == ["ungrouped"] and rules[shop[1]] == ["newest"]


def test_foreign_images_are_never_touched(account: Account, prune: Prune) -> None:
    (image,) = account.images(1)
    owner = account.ec2.describe_images(ImageIds=[image])["Images"][0]["OwnerId"]
    assert ids(prune(images={"owner": owner})["kept"]) == [image]
    assert prune(images={"owner": "210987654321"})["totals"]["images"] == 0


def test_a_failing_image_stops_no_other_and_the_task_fails_at_the_end(
    account: Account, front: Front, prune: Prune
) -> None:
    images = account.images(4)
    front.fail("OperationNotPermitted", "DeregisterImage", mentions=images[1])
    report = prune()
    assert report["failed"] and set(ids(report["removed"])) == {images[0], images[2]}
    assert account.left() == {images[1], images[3]}
    assert [(one["id"], one["region"]) for one in report["failed_images"]] == [(images[1], "eu-west-1")]
    assert report["msg"].startswith("1 of 3 images failed: ") and "\n" not in report["msg"]
    assert "OperationNotPermitted: The test says no." in report["msg"]


def test_a_failing_snapshot_is_told(account: Account, front: Front, prune: Prune) -> None:
    account.images(2)
    front.fail("UnauthorizedOperation", "DeleteSnapshot")
    report = prune()
    assert report["failed"] and report["changed"] and "its snapshot is left" in report["msg"]


def test_an_image_that_somebody_else_just_removed_is_no_failure(account: Account, front: Front, prune: Prune) -> None:
    images = account.images(2)
    front.before("DeregisterImage", 1, lambda: account.ec2.deregister_image(ImageId=images[0]))
    report = prune()
    assert "failed" not in report and ids(report["removed"]) == [images[0]]


@pytest.mark.parametrize("check", [True, False])
def test_more_than_max_removals_stops_before_the_first(
    check: bool, account: Account, front: Front, prune: Prune
) -> None:
    images = account.images(4)
    front.calls.clear()
    report = prune(check=check, max_removals=2)
    assert report["failed"] and not report["changed"] and account.left() == set(images)
    assert report["msg"].startswith("3 images would be removed, more than max_removals (2) allows")
    assert [entry["rules"] for entry in report["kept"]] == [["newest"]] + [["max_removals"]] * 3
    assert not any(front.calls[write] for write in WRITES)


def test_exactly_max_removals_is_allowed(account: Account, prune: Prune) -> None:
    account.images(4)
    assert prune(max_removals=3)["totals"]["removed"] == 3


ROLE = "arn:aws:iam::210987654321:role/retention"
REFUSED: dict[str, tuple[dict[str, t.Any], str]] = {
    "stages in the wrong order": (
        {"stages": {"deprecate_after": "60d", "disable_after": "30d"}},
        "stages are in the wrong order: disable_after must be later than deprecate_after",
    ),
    "a stage without a unit": ({"stages": {"disable_after": "30"}}, "stages.disable_after is 30, it must be a time"),
    "a role that is none": ({"references": {"accounts": ["retention"]}}, "references.accounts: retention is no ARN"),
    "too deep": ({"references": {"launch_template_versions": 0}}, "launch_template_versions is 0"),
    "a negative price": ({"price_per_gb_month": -1}, "price_per_gb_month is -1"),
    "nothing to restore": ({"state": "restored"}, "images would select every image"),
    "nothing kept": ({"keep": {}}, "keep would keep nothing"),
    "a negative count": ({"keep": {"newest": -1}}, "keep.newest is -1"),
    "a negative limit": ({"max_removals": -1}, "max_removals is -1"),
    "an unknown region": ({"regions": ["eu-west-1", "eu-wset-1"]}, "Unknown region: eu-wset-1."),
    "a region that isn't one": ({"regions": ["not a region"]}, "Unknown region: not a region."),
    "an unknown rule": ({"keep": {"newest": 1, "weeks": 2}}, "keep.weeks"),
    "no policy": ({"keep": None}, "keep"),
    "a word for a count": ({"keep": {"newest": "many"}}, "newest"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_before_the_first_write(case: str, account: Account, front: Front, prune: Prune) -> None:
    images = account.images(3)
    front.calls.clear()
    arguments, says = REFUSED[case]
    report = prune(**arguments)
    assert report["failed"] and says in report["msg"] and "\n" not in report["msg"]
    assert account.left() == set(images) and not any(front.calls[write] for write in WRITES)


def test_a_role_that_cannot_be_assumed_is_refused(account: Account, front: Front, prune: Prune) -> None:
    images = account.images(3)
    front.calls.clear()
    front.fail("AccessDenied", "AssumeRole")
    report = prune(references={"accounts": [ROLE]})
    assert report["failed"] and report["msg"].startswith(f"Could not assume the role {ROLE}: AccessDenied")
    assert account.left() == set(images) and not any(front.calls[write] for write in WRITES)


def test_an_account_that_cannot_be_read_is_one_clear_line(account: Account, front: Front, prune: Prune) -> None:
    account.images(2)
    front.fail("UnauthorizedOperation", "DescribeImages")
    assert prune()["msg"] == "Could not read the images owned by self: UnauthorizedOperation: The test says no."
