# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Promise 9: no image in use anywhere that can be looked up is ever removed; what can't be looked up counts as used.

Every list comes in pages of two.
"""

from __future__ import annotations

import typing as t

import pytest

from tests.lab.retention.account import Account
from tests.lab.retention.conftest import Prune, Report
from tests.lab.retention.emulator import Front
from tests.lab.retention.uses import USES, by_sharing


def ids(entries: list[Report]) -> set[str]:
    return {entry["id"] for entry in entries}


def reason(report: Report, image_id: str) -> str:
    (entry,) = (entry for entry in report["kept"] if entry["id"] == image_id)
    return str(entry["reason"])


@pytest.mark.parametrize("use", USES, ids=lambda use: use.__name__)
def test_an_image_in_use_stays(use: t.Callable[[Account, str], list[str]], account: Account, prune: Prune) -> None:
    images = account.images(5)
    # Others come first, so that what uses the image isn't on the first page.
    for _ in range(3):
        account.instance(images[-1])
        account.configuration(images[-1])
        account.group(LaunchTemplate={"LaunchTemplateName": account.template(images[-1]), "Version": "1"})
    # The plan must know it, not only the second look: else the fourth image would be the spare one, not the third.
    use(account, images[3])
    named = use(account, images[0])
    report = prune(references={"ssm_parameters": ["/shop/*"]})
    assert ids(report["removed"]) == {images[1]}
    assert images[0] in account.left() and images[1] not in account.left()
    assert all(part in reason(report, images[0]) for part in named)


def test_the_release_that_a_channel_names_stays(account: Account, prune: Prune) -> None:
    images = account.images(4)
    release = account.facts(images[0])["Name"].removeprefix("shop-app-")
    account.parameter("/immutable/shop/channels/slow", release)
    report = prune()
    assert images[0] in account.left() and images[1] not in account.left()
    assert "channel slow of shop" in reason(report, images[0])


def test_a_terminated_instance_uses_nothing(account: Account, prune: Prune) -> None:
    images = account.images(2)
    account.ec2.terminate_instances(InstanceIds=[account.instance(images[0])])
    assert ids(prune()["removed"]) == {images[0]}


def test_images_in_use_are_not_counted_among_the_newest(account: Account, prune: Prune) -> None:
    images = account.images(5)
    account.instance(images[4])
    account.instance(images[0])
    assert ids(prune(keep={"newest": 2})["removed"]) == {images[1]}


def test_a_region_whose_references_cannot_be_read_stops_no_other(
    account: Account, elsewhere: Account, front: Front, prune: Prune
) -> None:
    here, there = account.images(3), elsewhere.images(3)
    front.fail("UnauthorizedOperation", "DescribeInstances", region="us-east-1")
    report = prune(regions=["eu-west-1", "us-east-1"])
    assert ids(report["removed"]) == set(here[:2]) and elsewhere.left() == set(there)


def test_a_region_whose_images_cannot_be_read_keeps_what_they_may_be_built_from(
    account: Account, elsewhere: Account, front: Front, prune: Prune
) -> None:
    images = account.images(3)
    elsewhere.image(base_image=images[0])
    front.fail("UnauthorizedOperation", "DescribeImages", region="us-east-1")
    report = prune(regions=["eu-west-1", "us-east-1"])
    assert account.left() == set(images) and report["unread"][0]["place"] == "images"


def test_only_the_image_whose_sharing_cannot_be_read_stays(account: Account, front: Front, prune: Prune) -> None:
    images = account.images(3)
    front.fail("UnauthorizedOperation", "DescribeImageAttribute", mentions=images[0])
    report = prune()
    assert ids(report["removed"]) == {images[1]} and report["unread"][0]["place"] == "sharing"


def test_a_template_whose_parameter_cannot_be_resolved_keeps_all(account: Account, prune: Prune) -> None:
    images = account.images(3)
    account.template("resolve:ssm:/shop/image")
    report = prune()
    assert account.left() == set(images) and "resolve:ssm:/shop/image was not resolved" in reason(report, images[0])


LATER: dict[str, t.Callable[[Account, str], object]] = {
    "an instance": Account.instance,
    "a launch template": Account.template,
    "a launch configuration": Account.configuration,
    "a share": by_sharing,
    "an image built from it": lambda account, image_id: account.image(app="blog", base_image=image_id),
}


@pytest.mark.parametrize("use", LATER)
def test_what_comes_into_use_between_plan_and_removal_survives(
    use: str, account: Account, front: Front, prune: Prune
) -> None:
    images = account.images(4)
    # The first removal is the oldest image's: at that time the plan is made, and the next image comes into use.
    front.before("DeregisterImage", 1, lambda: LATER[use](account, images[1]))
    report = prune()
    assert ids(report["removed"]) == {images[0], images[2]}
    assert images[1] in account.left() and reason(report, images[1]).startswith("used by ")


def test_a_new_version_of_a_known_template_is_seen(account: Account, front: Front, prune: Prune) -> None:
    images = account.images(4)
    name = account.template(images[3])
    data: t.Any = {"ImageId": images[1]}
    front.before(
        "DeregisterImage",
        1,
        lambda: account.ec2.create_launch_template_version(LaunchTemplateName=name, LaunchTemplateData=data),
    )
    assert f"({name}) version 2" in reason(prune(keep={"newest": 1, "count_in_use": True}), images[1])


def test_an_image_of_a_recipe_stays(account: Account, front: Front, prune: Prune) -> None:
    images = account.images(3)
    front.recipes.append({"name": "golden", "arn": "arn:recipe", "parentImage": images[0]})
    report = prune()
    assert ids(report["removed"]) == {images[1]}
    assert reason(report, images[0]) == "used by Image Builder recipe golden"


def test_copies_of_a_bake_stay_together_or_go_apart(account: Account, elsewhere: Account, prune: Prune) -> None:
    mine, copy = account.image(release="r1"), elsewhere.image(release="r1")
    account.images(1), elsewhere.images(1)
    elsewhere.instance(copy)
    regions = ["eu-west-1", "us-east-1"]
    report = prune(regions=regions)
    assert not report["changed"]
    assert reason(report, mine) == f"the same bake as {copy} in us-east-1, which stays"
    assert ids(prune(regions=regions, copies="apart")["removed"]) == {mine}


def test_only_so_many_versions_of_a_launch_template_count_if_told_so(account: Account, prune: Prune) -> None:
    images = account.images(4)
    account.template(images[3], images[0], images[1], images[3])
    report = prune(references={"launch_template_versions": 2})
    assert ids(report["removed"]) == {images[0]} and "version 3" in reason(report, images[1])


THEIRS = "210987654321"
ROLE = f"arn:aws:iam::{THEIRS}:role/retention"


def test_an_account_that_can_be_assumed_into_is_looked_into(account: Account, front: Front, prune: Prune) -> None:
    images = account.images(4)
    for image_id in images[:3]:
        by_sharing(account, image_id)
    theirs = account.of_role(ROLE)
    theirs.instance(images[0])
    by_stranger: t.Any = {"Add": [{"UserId": "111122223333"}]}
    account.ec2.modify_image_attribute(ImageId=images[1], LaunchPermission=by_stranger)
    assert not prune(references={"accounts": [ROLE]})["changed"]
    report = prune(references={"accounts": [ROLE]}, keep={"newest": 1, "shared": False})
    assert ids(report["removed"]) == {images[2]}
    assert f"(running) in account {THEIRS}" in reason(report, images[0])
    assert "account 111122223333, which it is shared with" in reason(report, images[1])


def test_what_cannot_be_read_in_another_account_counts_as_used(account: Account, front: Front, prune: Prune) -> None:
    images = account.images(3)
    front.fail("UnauthorizedOperation", "DescribeInstances", assumed=True)
    report = prune(references={"accounts": [ROLE]})
    assert account.left() == set(images)
    assert {one["account"] for one in report["unread"]} == {THEIRS}
    assert f"instances of eu-west-1 in account {THEIRS} could not be read" in reason(report, images[0])


def test_a_region_that_is_down_stops_no_other(account: Account, elsewhere: Account, front: Front, prune: Prune) -> None:
    here, there = account.images(3), elsewhere.images(3)
    front.fail("ServiceUnavailable", "", region="us-east-1")
    once = {"retries": {"total_max_attempts": 1}}
    arguments: Report = {"regions": ["eu-west-1", "us-east-1"], "copies": "apart", "aws_config": once}
    # What is there may be built from images here, unless nobody cares for that.
    assert not prune(**arguments)["changed"]
    report = prune(**arguments, keep={"newest": 1, "lineage": False})
    assert ids(report["removed"]) == set(here[:2])
    front.reset()
    assert elsewhere.left() == set(there) and {one["region"] for one in report["unread"]} == {"us-east-1"}
