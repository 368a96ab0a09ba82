# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A colour's identity, and arguments that can't be."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.settings import Settings, read_settings
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import Release

RELEASE = Release("r1", "ami-1")


def settings(**changed: Any) -> Settings:
    arguments: dict[str, Any] = {
        "app": "shop",
        "env": "prod",
        "image": "newest",
        "capacity": {"min": 2, "max": 4},
        "instance_type": "t3.small",
        "launch": {"KeyName": "ops", "VolumeGiB": 20},
        "health": {},
        "rollback_window": 3600,
        "immediate": False,
    }
    return read_settings({**arguments, **changed}, "")


SAME: dict[str, dict[str, Any]] = {
    "capacity, which scaling changes on a running colour": {"capacity": {"min": 1, "max": 9}},
    "the order of launch settings": {"launch": {"VolumeGiB": 20, "KeyName": "ops"}},
    "how health is judged": {"health": {"path": "/health", "deadline": 60}},
    "the rollback window": {"rollback_window": 60},
    "how traffic is shifted": {"strategy": "linear", "bake_time": 60},
    "the same values, written down": {"instance_types": ["t3.small"], "spot": {"share": 0, "base": 0}, "warm_up": 0},
}
OTHER: dict[str, dict[str, Any]] = {
    "the instance type": {"instance_type": "t3.large"},
    "a launch setting": {"launch": {"KeyName": "ops", "VolumeGiB": 30}},
    "one launch setting less": {"launch": {"KeyName": "ops"}},
    "further instance types": {"instance_types": ["t3.small", "t3a.small"]},
    "spot servers": {"spot": {"share": 50}},
    "on-demand servers before spot ones": {"spot": {"share": 50, "base": 2}},
    "the warm-up": {"warm_up": 60},
    "a launch hook": {"lifecycle_hooks": {"launch": {"timeout": 60}}},
    "a termination hook": {"lifecycle_hooks": {"terminate": {}}},
    "a tag": {"tags": {"team": "web"}},
}


@pytest.mark.parametrize("changed", SAME.values(), ids=SAME.keys())
def test_not_part_of_the_identity(changed: dict[str, Any]) -> None:
    assert settings(**changed).identity(RELEASE) == settings().identity(RELEASE)


@pytest.mark.parametrize("changed", OTHER.values(), ids=OTHER.keys())
def test_part_of_the_identity(changed: dict[str, Any]) -> None:
    assert settings(**changed).identity(RELEASE) != settings().identity(RELEASE)


def test_another_release_is_another_identity_and_its_copy_in_another_region_is_not() -> None:
    assert settings().identity(Release("r2", "ami-1")) != settings().identity(RELEASE)
    assert settings().identity(Release("r1", "ami-2")) == settings().identity(RELEASE)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, (100,)),
        ({"strategy": "canary"}, (5, 25, 50, 100)),
        ({"strategy": "canary", "canary": [10, 50]}, (10, 50, 100)),
        ({"strategy": "linear"}, (20, 40, 60, 80, 100)),
        ({"strategy": "linear", "linear": 30}, (30, 60, 90, 100)),
        ({"strategy": "linear", "linear": 99}, (99, 100)),
        ({"strategy": "linear", "linear": 50}, (50, 100)),
    ],
)
def test_the_steps_of_a_strategy_end_with_all_traffic(changed: dict[str, Any], expected: tuple[int, ...]) -> None:
    assert settings(**changed).steps == expected


def test_spot_types_warm_up_and_hooks_are_parameters_of_the_template() -> None:
    found = settings(
        instance_types=["m6i.large", "m5.large", "m5a.large"],
        spot={"share": 60, "base": 1},
        warm_up=90,
        lifecycle_hooks={"launch": {"timeout": 120, "result": "continue"}, "terminate": None},
        launch={"KeyName": "ops"},
    )
    assert found.instance_type == "m6i.large"
    assert found.launch == {
        "KeyName": "ops",
        "InstanceType2": "m5.large",
        "InstanceType3": "m5a.large",
        "OnDemandBase": "1",
        "OnDemandPercent": "40",
        "WarmUpSeconds": "90",
        "LaunchHookSeconds": "120",
        "LaunchHookResult": "CONTINUE",
    }


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"capacity": {"min": 0, "max": 4}}, "capacity.min is 0, allowed is a whole number from 1 to 1000"),
    ({"capacity": {"min": 3, "max": 2}}, "capacity.min is 3 but capacity.max is 2, allowed is a min of at most max"),
    ({"env": "Prod"}, 'env is "Prod", allowed is a name of lower-case letters'),
    ({"strategy": "all_at_once", "canary": [5]}, "canary is set but strategy is all_at_once"),
    ({"strategy": "canary", "canary": [50, 5]}, "canary is [50, 5], allowed is a list of whole percentages"),
    ({"bake_time": -1}, "bake_time is -1, allowed is a number of seconds from 0 to 86400"),
    ({"gates": {"analysis": {}}}, "bake_time is 0s (the default of strategy all_at_once) but gates.analysis is set"),
    ({"strategy": "canary", "bake_time": 60, "gates": {"analysis": {}}}, "bake_time is 60s but gates.analysis is set"),
    ({"account": "1"}, 'account is "1", allowed is the id of an account, 12 digits'),
    ({"launch": {"MinSize": 1}}, "launch.MinSize can't be given, capacity sets it"),
    ({"launch": {"OnDemandPercent": 1}}, "launch.OnDemandPercent can't be given, spot sets it"),
    ({"approve": "yes"}, 'approve is "yes", allowed is the id of a deployment such as'),
    ({"approve": "20261123-204512-3f9a", "state": "retired"}, "approve is set but state is retired"),
    ({"immediate": True}, "immediate is set but state is deployed, allowed is immediate with rolled_back or retired"),
]


@pytest.mark.parametrize(("changed", "message"), WRONG)
def test_arguments_that_no_file_could_say_are_refused_in_one_line(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(Refused) as error:
        settings(**changed)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_all_wrong_arguments_are_told_at_once() -> None:
    with pytest.raises(Refused, match=r'^env is "Prod".*; warm_up is -1.*; spot\.base is 2 but'):
        settings(env="Prod", warm_up=-1, spot={"base": 2})
