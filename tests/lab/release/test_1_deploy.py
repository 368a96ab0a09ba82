# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deployed, promoted under load, rolled back, retired: what users see of the promises. One story, told in order."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from lab.load import Load, Summary
from tests.lab.shop import APP, Shop

PATHS = ("/", "/up", "/articles")
RATE = 220
LEAST_RATE = 200


def test_a_dry_run_shows_the_plan_and_creates_nothing(shop: Shop) -> None:
    before = shop.cloud.everything()
    planned = shop.runs("deploy", "--check", "--diff", env="staging", image=shop.first)
    assert [step["step"] for step in planned["steps"]] == [
        "create blue with 1 server",
        "keep unhealthy servers of blue",
        "wait until 1 server of blue is healthy",
        "open the preview of blue",
        "wait until the preview of blue answers",
        "shift all traffic to blue",
    ]
    assert planned["changed"]
    assert shop.cloud.everything() == before


@pytest.mark.parametrize(("env", "assets"), [("staging", "none"), ("prod", "auto")])
def test_the_first_release_serves(shop: Shop, env: str, assets: str) -> None:
    end = shop.runs("deploy", env=env, environment_overrides={"image": shop.first, "assets": assets})
    assert (end["result"], end["live"], end["release"], end["proven"]) == ("deployed", "blue", shop.first, True)


def test_without_the_bucket_an_asset_of_another_release_is_missing(shop: Shop) -> None:
    """Staging does without: what prod's swap would meet, if nothing were done."""
    for path in shop.assets_of_its_own(shop.second):
        assert shop.asks("staging", path).status == 404


def test_the_same_command_again_changes_nothing(shop: Shop) -> None:
    before = shop.cloud.everything()
    again = shop.runs("deploy", env="prod", image=shop.first)
    assert (again["result"], again["changed"], again["steps"]) == ("nothing_to_do", False, [])
    assert shop.cloud.everything() == before


def test_promise_1_no_request_fails_in_a_promotion_a_rollback_and_a_retire(shop: Shop, tmp_path: Path) -> None:
    paths = (*PATHS, *sorted(shop.assets[shop.first] | shop.assets[shop.second]))
    with Load(shop.cloud.url(APP, "prod"), tmp_path / "load.jsonl", rate=RATE, paths=paths) as load:
        results = [
            shop.runs("deploy", env="prod", image=shop.second)["result"],
            shop.runs("rollback", env="prod")["result"],
            shop.runs("rollback", env="prod")["result"],
            shop.runs("deploy", env="prod", image=shop.second)["result"],
            shop.runs("retire", env="prod")["result"],
            shop.runs("retire", env="prod", immediate=True)["result"],
        ]
    assert results == ["deployed", "rolled_back", "nothing_to_do", "deployed", "nothing_to_do", "retired"]
    summary = load.summary
    assert isinstance(summary, Summary)
    assert (summary.failed, summary.by_error) == (0, {})
    assert summary.rate >= LEAST_RATE
    assert set(summary.by_release) == {shop.first, shop.second}
    # Each colour was asked for what only the other release has, and nothing was missing.
    asked = {(record.path, record.release) for record in load.records()}
    for path in shop.assets_of_its_own(shop.first) | shop.assets_of_its_own(shop.second):
        assert {(path, shop.first), (path, shop.second)} <= asked
    # Each release served, was left, and (the first) served again: three runs of one release after another, at least.
    served = [record.release for record in sorted(load.records(), key=lambda record: record.t)]
    assert Counter(served)[shop.first] > RATE


def test_after_a_retire_one_colour_is_left(shop: Shop) -> None:
    stacks = {stack["StackName"] for stack in shop.cloud.stacks.describe_stacks()["Stacks"]}
    assert {"shop-prod-edge", "shop-prod-green"} <= stacks
    assert "shop-prod-blue" not in stacks


def test_without_a_release_to_turn_back_to_a_rollback_says_what_to_do(shop: Shop) -> None:
    """Staging has had one release."""
    assert "deploy.yml -e image=<release>" in shop.refuses("rollback", env="staging")


def test_promise_9_images_in_use_outlive_a_prune(shop: Shop) -> None:
    """Staging serves the first release and prod the second."""
    shop.runs("prune", prune_keep={"newest": 1, "count_in_use": True})
    left = {tags["release"] for tags in shop.cloud.images(APP).values() if tags["stage"] == "app"}
    assert left == {shop.first, shop.second}


def test_promise_9_an_image_that_nobody_needs_is_pruned(shop: Shop) -> None:
    assert shop.runs("deploy", env="staging", image=shop.second)["result"] == "deployed"
    assert shop.runs("retire", env="staging", immediate=True)["result"] == "retired"
    shop.runs("prune", prune_keep={"newest": 1, "count_in_use": True, "per_env_previous": 0})
    left = {tags["release"] for tags in shop.cloud.images(APP).values() if tags["stage"] == "app"}
    assert left == {shop.second}
    # Its assets go with it.
    listed = shop.cloud.objects.list_objects_v2(Bucket=shop.cloud.make_bucket(APP), Prefix="assets/releases/")
    assert [one["Key"] for one in listed["Contents"]] == [f"assets/releases/{shop.second}.json"]
