# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages: deprecated, disabled, deregistered, and the way back from each."""

from __future__ import annotations

import typing as t

import pytest

from lab.api.ec2 import image_life
from tests.lab.retention.account import Account
from tests.lab.retention.conftest import Prune, Report
from tests.lab.retention.emulator import WRITES, Front

STAGES = {"deprecate_after": "30d", "disable_after": "60d", "deregister_after": "90d"}
KEEP: Report = {"newest": 1, "shared": False, "public": False, "protected": False}


def ids(entries: list[Report]) -> list[str]:
    return [entry["id"] for entry in entries]


def staged(account: Account) -> tuple[str, str, str]:
    """Three images: the next to be deprecated, the next to be disabled, the next to be deregistered."""
    fresh, middle, old = (account.image() for _ in range(3))
    account.aged(account.image(), 0)
    account.aged(fresh, 31)
    account.deprecated(account.aged(middle, 61), 31)
    account.disabled(account.aged(old, 91), 31)
    return fresh, middle, old


def test_each_stage_in_check_mode_as_in_a_real_run(account: Account, front: Front, prune: Prune) -> None:
    fresh, middle, old = staged(account)
    front.calls.clear()
    checked = prune(check=True, diff=True, stages=STAGES)
    assert not any(front.calls[write] for write in WRITES)
    assert (ids(checked["deprecated"]), ids(checked["disabled"]), ids(checked["removed"])) == ([fresh], [middle], [old])
    assert prune(diff=True, stages=STAGES) == checked
    assert account.facts(fresh)["DeprecationTime"] and account.facts(middle)["State"] == "disabled"
    assert old not in account.left() and f"{middle} shop-app-0002 (disabled)" in checked["diff"]["after"]


def test_a_second_run_waits_for_the_next_stage(account: Account, front: Front, prune: Prune) -> None:
    staged(account)
    assert prune(stages=STAGES)["changed"]
    front.calls.clear()
    report = prune(stages=STAGES)
    assert not report["changed"] and not any(front.calls[write] for write in WRITES)
    assert [entry["rules"] for entry in report["kept"]].count(["waiting"]) == 2


def test_an_old_image_goes_through_all_stages(account: Account, prune: Prune) -> None:
    old, _ = account.images(2)
    account.aged(old, 400)
    assert ids(prune(stages=STAGES)["deprecated"]) == [old]
    assert not prune(stages=STAGES)["changed"]
    account.deprecated(old, 31)
    assert ids(prune(stages=STAGES)["disabled"]) == [old]
    account.disabled(old, 31)
    assert ids(prune(stages=STAGES)["removed"]) == [old]


def test_an_image_in_use_is_not_disabled(account: Account, front: Front, prune: Prune) -> None:
    first, second, newest = account.images(3)
    account.aged(newest, 0)
    for image_id, days in ((first, 62), (second, 61)):
        account.deprecated(account.aged(image_id, days), 31)
    front.before("DisableImage", 1, lambda: account.group(LaunchConfigurationName=account.configuration(second)))
    assert ids(prune(stages=STAGES)["disabled"]) == [first]
    assert account.facts(second)["State"] == "available"


def test_sharing_comes_back_with_an_image_that_was_disabled(account: Account, prune: Prune) -> None:
    image_id, newest = account.images(2)
    account.aged(newest, 0)
    permissions: t.Any = {"Add": [{"Group": "all"}, *({"UserId": f"{number:012}"} for number in range(2))]}
    account.ec2.modify_image_attribute(ImageId=image_id, LaunchPermission=permissions)
    before = account.shared_with(image_id)
    account.deprecated(account.aged(image_id, 61), 31)
    roles = [f"arn:aws:iam::{number:012}:role/r" for number in range(2)]
    disabled = prune(stages=STAGES, keep=KEEP, references={"accounts": roles})
    assert ids(disabled["disabled"]) == [image_id] and account.shared_with(image_id) == []
    checked = prune(check=True, state="restored", images={"ids": [image_id]})
    assert ids(checked["restored"]) == [image_id] and account.facts(image_id)["State"] == "disabled"
    assert prune(state="restored", images={"ids": [image_id]}) == checked
    facts = account.facts(image_id)
    assert account.shared_with(image_id) == before and len(before) == 3
    assert facts["State"] == "available" and not facts.get("DeprecationTime")
    assert {tag["Key"] for tag in facts["Tags"]} == {"app", "stage"}
    assert not prune(state="restored", images={"ids": [image_id]})["changed"]


def test_an_image_comes_back_from_the_recycle_bin_with_its_snapshot(account: Account, prune: Prune) -> None:
    image_life.RETAINS.add("eu-west-1")
    old, _ = account.images(2)
    snapshots = account.snapshots()
    report = prune()
    assert ids(report["removed"]) == [old] and account.snapshots() == snapshots
    assert report["totals"]["snapshots_removed"] == 0
    # As long as it lies in the bin, its snapshot is nobody's orphan.
    assert not prune()["changed"]
    assert ids(prune(state="restored", images={"names": ["shop-app-0001"]})["restored"]) == [old]
    assert old in account.left()


def test_a_snapshot_that_is_in_the_recycle_bin_too_is_restored_first(account: Account, prune: Prune) -> None:
    image_life.RETAINS.add("eu-west-1")
    old, _ = account.images(2)
    (disk,) = account.facts(old)["BlockDeviceMappings"]
    prune()
    account.ec2.delete_snapshot(SnapshotId=disk["Ebs"]["SnapshotId"])
    assert ids(prune(state="restored", images={"ids": [old]})["restored"]) == [old] and old in account.left()


def test_the_snapshots_of_images_removed_earlier_are_found(account: Account, front: Front, prune: Prune) -> None:
    account.images(3)
    front.fail("UnauthorizedOperation", "DeleteSnapshot")
    assert prune()["failed"] and len(account.snapshots()) == 3
    again = prune()
    assert again["msg"].startswith("2 snapshots of images removed earlier are left: snap-") and not again["changed"]
    front.reset()
    checked = prune(check=True)
    assert len(account.snapshots()) == 3 and checked["changed"]
    assert len(checked["orphaned_snapshots"]) == 2 and checked["totals"]["removed_gib"] == 30
    assert prune() == checked and len(account.snapshots()) == 1
    assert not prune()["changed"]


@pytest.mark.parametrize("told", [False, True])
def test_protected_images_go_only_if_told_so(told: bool, account: Account, prune: Prune) -> None:
    old, _ = account.images(2)
    account.ec2.enable_image_deregistration_protection(ImageId=old)
    report = prune(keep={"newest": 1, "protected": not told})
    assert ids(report["removed"]) == ([old] if told else []) and (old in account.left()) is not told


@pytest.mark.parametrize("told", [False, True])
def test_public_images_go_only_if_told_so(told: bool, account: Account, prune: Prune) -> None:
    old, _ = account.images(2)
    everyone: t.Any = {"Add": [{"Group": "all"}]}
    account.ec2.modify_image_attribute(ImageId=old, LaunchPermission=everyone)
    assert ids(prune(keep={"newest": 1, "public": not told})["removed"]) == ([old] if told else [])
