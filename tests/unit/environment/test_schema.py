# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What environment files may say: tables of wrong ones and their messages, and of right ones and their settings."""

from __future__ import annotations

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.environment.schema import Document, WrongSettings, settings

FILE = "environments/staging.yml"
NONE = Document("-e", {})

WRONG = [
    ({}, "app is missing"),
    ({"app": "shop", "capcity": {"min": 1}}, "capcity is not a key (did you mean capacity?), allowed are app, region,"),
    ({"app": "shop", "colour": "blue"}, "colour is not a key, allowed are app, region,"),
    ({"app": "shop", 5: "five"}, "5 is not a key, allowed are app,"),
    ({"app": "Shop"}, 'app is "Shop", allowed is a name of lower-case letters'),
    ({"app": 7}, "app is 7, allowed is a name of lower-case letters, digits and hyphens"),
    ({"app": None}, "app is empty, allowed is"),
    ({"app": "a" * 32}, "at most 31"),
    ({"app": "shop", "region": "Ireland"}, 'region is "Ireland", allowed is a region such as eu-west-1'),
    ({"app": "shop", "strategy": "yolo"}, 'strategy is "yolo", allowed is all_at_once'),
    ({"app": "shop", "image": 20260101}, "image is 20260101, allowed is newest, a release (bake id) or an image id"),
    ({"app": "shop", "image": 20260101}, ", in quotes"),
    ({"app": "shop", "image": "ami-xyz"}, 'image is "ami-xyz", allowed is newest'),
    ({"app": "shop", "capacity": 3}, "capacity is 3, allowed is a mapping with the keys min, max"),
    ({"app": "shop", "capacity": {"min": "two"}}, 'capacity.min is "two", allowed is a whole number from 1 to 1000'),
    ({"app": "shop", "capacity": {"min": True}}, "capacity.min is true, allowed is a whole number"),
    ({"app": "shop", "capacity": {"min": 0}}, "capacity.min is 0, allowed is a whole number from 1"),
    ({"app": "shop", "capacity": {"max": 1.5}}, "capacity.max is 1.5, allowed is a whole number"),
    ({"app": "shop", "capacity": {"desired": 2}}, "capacity.desired is not a key"),
    ({"app": "shop", "capacity": {"min": 3, "max": 2}}, "capacity.min is 3 but capacity.max is 2"),
    ({"app": "shop", "capacity": {"min": 9}}, "capacity.min is 9 but capacity.max is 4"),
    ({"app": "shop", "capacity": {"max": 1}}, "capacity.min is 2 but capacity.max is 1"),
    ({"app": "shop", "instance_type": "small"}, 'instance_type is "small", allowed is an instance type such as'),
    ({"app": "shop", "rollback_window": 3600}, "rollback_window is 3600, allowed is a duration such as 30s, 5m or 1h"),
    ({"app": "shop", "rollback_window": "1 hour"}, 'rollback_window is "1 hour", allowed is a duration'),
    ({"app": "shop", "rollback_window": "169h"}, "from 0s to 168h"),
    ({"app": "shop", "health": {"path": "up"}}, 'health.path is "up", allowed is a path that begins with /'),
    ({"app": "shop", "health": {"deadline": "1s"}}, "from 10s to 6h"),
    ({"app": "shop", "network": {"vpc": "vpc-0a1b2c3d"}}, "network.vpc is set but network.subnets is not"),
    (
        {"app": "shop", "network": {"subnets": ["subnet-0a1b2c3d", "subnet-0a1b2c3e"]}},
        "network.subnets is set but network.vpc is not",
    ),
    (
        {"app": "shop", "network": {"vpc": "vpc-0a1b2c3d", "subnets": ["subnet-0a1b2c3d"]}},
        "network.subnets is ['subnet-0a1b2c3d'], allowed is a list of at least two different subnet ids",
    ),
    (
        {"app": "shop", "network": {"vpc": "vpc-0a1b2c3d", "subnets": ["subnet-0a1b2c3d"] * 2}},
        "allowed is a list of at least two different subnet ids",
    ),
    ({"app": "shop", "network": {"subnets": "subnet-0a1b2c3d"}}, 'network.subnets is "subnet-0a1b2c3d", allowed'),
    ({"app": "shop", "certificate": ""}, 'certificate is "", allowed is the ARN of a certificate'),
    ({"app": "shop", "retention": {"newest": 0}}, "retention.newest is 0, allowed is a whole number from 1"),
]


@pytest.mark.parametrize(("content", "message"), WRONG)
def test_a_mistake_is_told_with_file_and_key(content: dict[object, object], message: str) -> None:
    with pytest.raises(WrongSettings) as error:
        settings([Document(FILE, content)], NONE)
    assert len(error.value.mistakes) == 1
    assert error.value.mistakes[0].startswith(f"{FILE}: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_all_mistakes_of_all_sources_are_told_at_once() -> None:
    shared = Document("environments/all.yml", {"app": "-", "regoin": "eu-west-1"})
    own = Document(FILE, {"capacity": {"min": "two"}, "rollback_window": "soon"})
    with pytest.raises(WrongSettings) as error:
        settings([shared, own], Document("-e", {"image": "NEW"}))
    told = [mistake.split(" is ")[0] for mistake in error.value.mistakes]
    assert told == [
        "environments/all.yml: app",
        "environments/all.yml: regoin",
        "environments/staging.yml: capacity.min",
        "environments/staging.yml: rollback_window",
        "-e: image",
    ]


def test_a_long_or_many_lined_value_stays_on_one_line() -> None:
    with pytest.raises(WrongSettings) as error:
        settings([Document(FILE, {"app": "line\n" * 100})], NONE)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 250


def test_defaults() -> None:
    assert settings([Document(FILE, {"app": "shop"})], NONE) == {
        "app": "shop",
        "region": None,
        "strategy": "all_at_once",
        "image": "newest",
        "capacity": {"min": 2, "max": 4},
        "instance_type": "t3.small",
        "rollback_window": 3600,
        "network": {"vpc": None, "subnets": None},
        "certificate": None,
        "health": {"path": "/up", "deadline": 600},
        "retention": {"newest": 5},
    }


@pytest.mark.parametrize(
    ("content", "key", "expected"),
    [
        ({"rollback_window": "30s"}, "rollback_window", 30),
        ({"rollback_window": "5m"}, "rollback_window", 300),
        ({"rollback_window": "2h"}, "rollback_window", 7200),
        ({"rollback_window": "0s"}, "rollback_window", 0),
        ({"image": "20260101-120000-0a1b2c3"}, "image", "20260101-120000-0a1b2c3"),
        ({"image": "ami-0123456789abcdef0"}, "image", "ami-0123456789abcdef0"),
        ({"capacity": {"min": 1, "max": 1}}, "capacity", {"min": 1, "max": 1}),
        ({"region": "us-gov-west-1"}, "region", "us-gov-west-1"),
        ({"health": {"deadline": "10m"}}, "health", {"path": "/up", "deadline": 600}),
    ],
)
def test_values(content: dict[object, object], key: str, expected: object) -> None:
    assert settings([Document(FILE, {"app": "shop", **content})], NONE)[key] == expected


def test_the_own_file_wins_key_by_key_and_overrides_win_over_both() -> None:
    shared = Document("environments/all.yml", {"app": "shop", "capacity": {"min": 3, "max": 9}, "image": "one"})
    own = Document(FILE, {"capacity": {"max": 6}, "image": "two"})
    found = settings([shared, own], Document("-e", {"image": "three"}))
    assert found["capacity"] == {"min": 3, "max": 6}
    assert found["image"] == "three"
