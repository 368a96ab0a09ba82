# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A colour's identity, and arguments that can't be."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import Release
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.settings import Settings, read_settings

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
}
OTHER: dict[str, dict[str, Any]] = {
    "the instance type": {"instance_type": "t3.large"},
    "a launch setting": {"launch": {"KeyName": "ops", "VolumeGiB": 30}},
    "one launch setting less": {"launch": {"KeyName": "ops"}},
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


@pytest.mark.parametrize("capacity", [{"min": 0, "max": 4}, {"min": 3, "max": 2}])
def test_a_capacity_that_can_not_be_is_refused(capacity: dict[str, int]) -> None:
    with pytest.raises(Refused, match="min must be at least 1 and max at least min"):
        settings(capacity=capacity)
