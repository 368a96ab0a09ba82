# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release's way to its channel and back, over HTTP against the emulated API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.publishing.conftest import AWAY, HOME, Account

FRIEND, STRANGER = "210987654321", "111122223333"
ORGANIZATION = "arn:aws:organizations::123456789012:organization/o-abcdefghij"


def test_a_release_is_published_in_two_regions(account: Account) -> None:
    app = account.app()
    home = account.bake(app, "r1")
    done = account.publish(app, "r1", accounts=[FRIEND], organizations=[ORGANIZATION], tags={"team": "web"})
    assert (done["result"], done["changed"], done["previous"]) == ("published", True, ""), done
    assert done["validation"]["app_started"] is False
    assert "the app was not started" in done["validation"]["reason"]
    for region in (HOME, AWAY):
        image = account.image(app, "r1", region)
        assert image and image["ImageId"] == done["images"][region]
        assert image["ImdsSupport"] == "v2.0" and image["DeprecationTime"]
        assert {"publication": "published", "team": "web", "release": "r1"}.items() <= image["Tags"].items()
        shared = account.client("ec2", region).describe_image_attribute(
            ImageId=image["ImageId"], Attribute="launchPermission"
        )["LaunchPermissions"]
        assert {value for each in shared for value in each.values()} == {FRIEND, ORGANIZATION}
        assert account.named(app, region) == "r1"
    assert done["images"][HOME] == home
    assert account.left(app) == []


def test_a_second_run_changes_nothing(account: Account) -> None:
    app = account.app()
    account.bake(app, "r1")
    account.publish(app, "r1")
    again = account.publish(app, "r1")
    assert (again["result"], again["changed"], again["steps"]) == ("nothing_to_do", False, [])


def test_check_mode_tells_the_steps_and_takes_none(account: Account) -> None:
    app = account.app()
    account.bake(app, "r1")
    planned = account.publish(app, "r1", check=True)
    assert planned["changed"] and not account.named(app)
    assert account.image(app, "r1", AWAY) is None and account.left(app) == []
    done = account.publish(app, "r1")
    waits = {"wait until the image in us-east-1 is available"}
    assert [one["step"] for one in done["steps"] if one["step"] not in waits] == [
        one["step"] for one in planned["steps"] if one["step"] not in waits
    ]
    assert done["diff"] == planned["diff"]


def test_withdrawing_moves_the_pointer_back_and_keeps_the_image(account: Account) -> None:
    app = account.app()
    for release in ("r1", "r2"):
        account.bake(app, release)
        account.publish(app, release)
    back = account.publish(app, "r2", state="withdrawn")
    assert (back["result"], back["pointer"]) == ("withdrawn", {HOME: "r1", AWAY: "r1"}), back
    image = account.image(app, "r2")
    assert image and image["Tags"]["publication"] == "withdrawn"
    assert account.publish(app, "r2", state="withdrawn")["changed"] is False


def test_withdrawing_passes_over_what_was_withdrawn_before(account: Account) -> None:
    app = account.app()
    for release in ("r1", "r2", "r3"):
        account.bake(app, release)
        account.publish(app, release, regions=[])
    account.publish(app, "r2", state="withdrawn", regions=[])
    assert account.named(app) == "r3"
    account.publish(app, "r3", state="withdrawn", regions=[])
    assert account.named(app) == "r1"


def test_withdrawing_the_only_release_leaves_no_pointer(account: Account) -> None:
    app = account.app()
    account.bake(app, "r1")
    account.publish(app, "r1", regions=[])
    account.publish(app, "r1", regions=[], state="withdrawn")
    assert account.named(app) == ""


def test_each_channel_has_a_pointer_of_its_own(account: Account) -> None:
    app = account.app()
    for release in ("r1", "r2"):
        account.bake(app, release)
    account.publish(app, "r1", regions=[])
    account.publish(app, "r2", regions=[], channel="edge")
    assert (account.named(app), account.named(app, channel="edge")) == ("r1", "r2")


def test_another_account_is_added_to_those_that_may_launch_it(account: Account) -> None:
    app = account.app()
    account.bake(app, "r1")
    account.publish(app, "r1", regions=[], accounts=[FRIEND])
    more = account.publish(app, "r1", regions=[], accounts=[STRANGER])
    assert [one["step"] for one in more["steps"]] == [f"share the image in {HOME} with {STRANGER}"]


def test_leftovers_of_a_dead_run_for_another_release_go_once_it_must_have_ended(account: Account) -> None:
    app = account.app()
    account.bake(app, "r1")
    for name, expires in (("old", "2026-01-01T00:00:00+00:00"), ("new", "2099-01-01T00:00:00+00:00")):
        tags = {"immutable-validation": app, "release": name, "immutable-expires": expires}
        pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
        account.client("ec2").create_key_pair(
            KeyName=f"{app}-{name}", TagSpecifications=[{"ResourceType": "key-pair", "Tags": pairs}]
        )
    account.publish(app, "r1", regions=[])
    assert account.left(app) == [f"{app}-new"]


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no image": ({}, "there is no image {app}-app-r9 in eu-west-1: bake the release first"),
    "a region that is none": ({"regions": ["[us-east-1]"]}, "which is no region's name"),
    "an account that is none": ({"accounts": ["42"]}, "an account's id has 12 digits"),
    "an organization that is none": ({"organizations": ["o-1"]}, "wants the ARN of an organization"),
    "a key for no region": (
        {"kms_keys": {"ap-south-1": "alias/a"}},
        "kms_keys has ap-south-1, where nothing is copied",
    ),
    "a tag of the bake's own": ({"tags": {"release": "r0"}}, "the tags release are set by the bake itself"),
    "a channel that is none": ({"channel": "Main!"}, "channel 'Main!' must be"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_can_not_be_is_refused_in_one_line(account: Account, name: str) -> None:
    arguments, why = REFUSED[name]
    app = account.app()
    done = account.publish(app, "r9", **arguments)
    assert why.format(app=app) in done["failed"] and "\n" not in done["failed"]


def test_a_server_that_takes_no_login_leaves_the_image_unpublished(account: Account) -> None:
    app = account.app()
    account.bake(app, "r1")
    account.publish(app, "r1", regions=[])
    account.bake(app, "r2")
    settings = {"ssh_interface": "private_ip", "ssh_username": "nobody", "deadline": 3}
    done = account.publish(app, "r2", regions=[], validation=settings)
    assert "no login as nobody within 3 s" in done["failed"] and "Permission denied" in done["failed"]
    image = account.image(app, "r2")
    assert image and image["Tags"]["publication"] == "pending" and image["Tags"]["validation"] == "failed"
    assert image["Tags"]["validation_reason"] in done["failed"]
    assert account.named(app) == "r1" and account.left(app) == []


def test_an_env_for_validation_without_a_profile_is_refused_and_leaves_nothing(account: Account) -> None:
    app = account.app()
    account.bake(app, "r1")
    account.client("ssm").put_parameter(Name=f"/{app}/validation/DATABASE_URL", Value="x", Type="SecureString")
    done = account.publish(app, "r1", regions=[])
    assert f"no instance profile {app}-validation to read it with" in done["failed"]
    assert account.left(app) == [] and account.named(app) == ""
