# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wrong input: one line that says what to do, before anything is changed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.deployments.env import Env
from tests.lab.shop import APP, Shop

ABSENT = "ami-0123456789abcdef0"


@pytest.fixture
def env(shop: Shop, envs: dict[str, Env]) -> Env:
    """The first release serves."""
    steps = envs["steps"]
    steps.write()
    return steps.serves(shop.first)


def refused(where: Env, keys: dict[str, Any], **extra: Any) -> str:
    """The one line that a deployment ends with, which has written nothing."""
    where.write(**keys)
    since = where.lab.last_call()
    ended = where.run("deploy", client="wrong", **extra)
    assert ended.code != 0
    assert where.lab.writes("wrong", since) == []
    errors = [line for line in ended.said.splitlines() if line.startswith("[ERROR]:")]
    assert len(errors) == 1, ended.said
    assert "Traceback" not in ended.said
    return errors[0]


@pytest.mark.parametrize(
    ("app", "region", "hint"),
    [
        ("blog", "eu-west-1", "it belongs to the app blog"),
        (APP, "eu-central-1", "an image of another region must be copied here first"),
    ],
    ids=["another app's", "in another region"],
)
def test_an_image_that_can_not_be_deployed(env: Env, app: str, region: str, hint: str) -> None:
    image = env.register(app, region)
    said = refused(env, {}, image=image)
    env.deregister(image, region)
    assert image in said
    assert hint in said


@pytest.mark.parametrize(
    ("keys", "extra", "hint"),
    {
        "an image that doesn't exist": ({}, {"image": ABSENT}, f"shop has no image '{ABSENT}' in eu-west-1; use"),
        "another architecture": (
            {"instance_type": "t4g.small"},
            {"image": "r-good"},
            "is of the architecture x86_64, and t4g.small runs arm64 only",
        ),
        "an unknown env": ({}, {"env": "nowhere"}, "nowhere"),
        "a capacity of 0": ({"capacity": {"min": 0, "max": 0}}, {}, "capacity.min"),
        "an alarm that doesn't exist": (
            {"gates": {"alarms": ["no-such-alarm"]}},
            {"image": "r-good"},
            "there is no alarm no-such-alarm; mend gates.alarms",
        ),
    }.values(),
    ids=["no image", "architecture", "no env", "capacity", "alarm"],
)
def test_input_that_is_wrong(env: Env, keys: dict[str, Any], extra: dict[str, Any], hint: str) -> None:
    assert hint in refused(env, keys, **extra)


def test_an_env_without_an_edge(shop: Shop, env: Env, tmp_path_factory: pytest.TempPathFactory) -> None:
    bare = Env(shop, tmp_path_factory.mktemp("bare"), "bare")
    assert "environment.yml -e env=bare" in refused(bare, {}, image=shop.first)
