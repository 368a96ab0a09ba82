# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wrong input: one line that says what to do, before anything is changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.deployments.env import Env
from tests.lab.shop import APP, Shop

ABSENT = "ami-0123456789abcdef0"


@pytest.fixture
def env(shop: Shop, envs: dict[str, Env]) -> Env:
    return envs["steps"]


@pytest.fixture(scope="module")
def images(envs: dict[str, Env]) -> Iterator[dict[str, str]]:
    """Images that can't be deployed here, by what is wrong with them."""
    made = {
        "of another architecture": envs["steps"].register("arm64", APP),
        "another app's": envs["steps"].register("x86_64", "blog"),
        "in another region": envs["steps"].register("x86_64", APP, region="eu-central-1"),
    }
    yield made
    for what, image in made.items():
        envs["steps"].deregister(image, region="eu-central-1" if "region" in what else "eu-west-1")


def refused(env: Env, keys: dict[str, Any], **extra: Any) -> str:
    """The one line that a deployment ends with, which has written nothing."""
    env.write(**keys)
    since = env.lab.last_call()
    ended = env.run("deploy", client="wrong", **extra)
    assert ended.code != 0
    assert env.lab.writes("wrong", since) == []
    errors = [line for line in ended.said.splitlines() if line.startswith("[ERROR]:")]
    assert len(errors) == 1, ended.said
    assert "Traceback" not in ended.said
    return errors[0]


@pytest.mark.parametrize(
    ("what", "hint"),
    {
        "of another architecture": "is of the architecture arm64, and t3.small runs",
        "another app's": "it belongs to the app blog",
        "in another region": "an image of another region must be copied here first",
    }.items(),
)
def test_an_image_that_can_not_be_deployed(env: Env, images: dict[str, str], what: str, hint: str) -> None:
    said = refused(env, {}, image=images[what])
    assert images[what] in said
    assert hint in said


@pytest.mark.parametrize(
    ("keys", "extra", "hint"),
    {
        "an image that doesn't exist": ({}, {"image": ABSENT}, f"shop has no image '{ABSENT}' in eu-west-1; use"),
        "an unknown env": ({}, {"env": "nowhere"}, "nowhere"),
        "a capacity of 0": ({"capacity": {"min": 0, "max": 0}}, {}, "capacity.min"),
        "an alarm that doesn't exist": (
            {"gates": {"alarms": ["no-such-alarm"]}},
            {"image": "r-good"},
            "there is no alarm no-such-alarm; mend gates.alarms",
        ),
    }.values(),
    ids=["no image", "no env", "capacity", "alarm"],
)
def test_input_that_is_wrong(env: Env, keys: dict[str, Any], extra: dict[str, Any], hint: str) -> None:
    assert hint in refused(env, keys, **extra)


def test_an_env_without_an_edge(shop: Shop, env: Env, tmp_path_factory: pytest.TempPathFactory) -> None:
    bare = Env(shop, tmp_path_factory.mktemp("bare"), "bare")
    assert "environment.yml -e env=bare" in refused(bare, {}, image=shop.first)
