# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What environment files may say: tables of wrong ones and their messages, of right ones and their settings."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ansible_collections.immutable.ec2.plugins.module_utils.environment.rules import keys_in
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
    ({"app": "shop", "strategy": "yolo"}, 'strategy is "yolo", allowed is all_at_once or canary or linear'),
    (
        {"app": "shop", "image": 20260101},
        "image is 20260101, allowed is newest, channel:<name>, a release (bake id) or an image id",
    ),
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
    (
        {"app": "shop", "pipeline": "main"},
        'pipeline is "main", allowed is a mapping with the keys repository, connection',
    ),
    ({"app": "shop", "pipeline": {"app_dir": "../shop"}}, 'pipeline.app_dir is "../shop", allowed is a folder of the'),
    ({"app": "shop", "pipeline": {"schedule": "weekly"}}, 'pipeline.schedule is "weekly", allowed is rate(7 days)'),
    ({"app": "shop", "pipeline": {"app_dir": "/shop"}}, 'pipeline.app_dir is "/shop", allowed is a folder of the'),
    (
        {"app": "shop", "pipeline": {"build_timeout": "2d"}},
        "allowed is a duration such as 30s, 5m or 1h, from 5m to 36h",
    ),
    (
        {"app": "shop", "pipeline": {"slack_secret": "https://hooks.slack.com/services/T0/B0/x"}},
        "allowed is the name of a secret in Secrets Manager, never the webhook's address itself",
    ),
    (
        {"app": "shop", "pipeline": {"connection": "arn:aws:codeconnections:eu-west-1:123456789012:connection/0"}},
        "pipeline.connection is set but pipeline.repository is not, allowed is a connection with the repository",
    ),
    ({"app": "shop", "account": 123}, "account is 123, allowed is the id of an account, 12 digits, in quotes"),
    ({"app": "shop", "account": "12345"}, 'account is "12345", allowed is the id of an account, 12 digits'),
    ({"app": "shop", "role": "deployer"}, 'role is "deployer", allowed is the ARN of a role'),
    (
        {"app": "shop", "account": "111122223333", "role": "arn:aws:iam::444444444444:role/deployer"},
        'but account is "111122223333", allowed is a role of that account',
    ),
    *(
        ({"app": "shop", "canary": steps}, "allowed is a list of whole percentages from 1 to 99, rising")
        for steps in ([50, 5], [5, 5], [0, 50], [50, 100], [], ["5"], [True], [2.5], 25, None)
    ),
    ({"app": "shop", "linear": 0}, "linear is 0, allowed is a whole number from 1 to 99"),
    ({"app": "shop", "linear": 100}, "linear is 100, allowed is a whole number from 1 to 99"),
    (
        {"app": "shop", "strategy": "linear", "canary": [5]},
        "canary is set but strategy is linear, allowed is canary with strategy: canary only",
    ),
    (
        {"app": "shop", "strategy": "all_at_once", "linear": 20},
        "linear is set but strategy is all_at_once, allowed is linear with strategy: linear only",
    ),
    ({"app": "shop", "canary": [5], "linear": 20}, "canary and linear are both set, allowed is one of them"),
    ({"app": "shop", "bake_time": 300}, "bake_time is 300, allowed is a duration such as 30s, 5m or 1h, from 0s to"),
    (
        {"app": "shop", "strategy": "canary", "bake_time": "179s", "gates": {"analysis": {}}},
        "bake_time is 179s but gates.analysis is set, allowed with it is a bake_time of at least 3m, since the load "
        "balancer's metrics come once a minute",
    ),
    (
        {"app": "shop", "strategy": "all_at_once", "gates": {"analysis": {}}},
        "bake_time is 0s (the default of strategy all_at_once) but gates.analysis is set",
    ),
    ({"app": "shop", "gates": {"analysis": None}}, "gates.analysis is empty, allowed is a mapping with the keys max_e"),
    ({"app": "shop", "gates": {"analysis": True}}, "not_enough, or false"),
    (
        {"app": "shop", "bake_time": "5m", "gates": {"analysis": {"max_error_rate": 2}}},
        "(did you mean gates.analysis.max_error_ratio?)",
    ),
    (
        {"app": "shop", "bake_time": "5m", "gates": {"analysis": {"max_error_ratio": 0.5}}},
        "gates.analysis.max_error_ratio is 0.5, allowed is a number from 1 to 100, such as 1.5",
    ),
    (
        {"app": "shop", "bake_time": "5m", "gates": {"analysis": {"not_enough": "ignore"}}},
        'gates.analysis.not_enough is "ignore", allowed is wait or pass or fail',
    ),
    ({"app": "shop", "gates": {"command": {"name": "smoke"}}}, "gates.command.run is missing"),
    ({"app": "shop", "gates": {"command": {"run": " "}}}, 'gates.command.run is " ", allowed is a command line'),
    ({"app": "shop", "gates": {"alarms": "prod-5xx"}}, 'gates.alarms is "prod-5xx", allowed is a list of different'),
    (
        {"app": "shop", "gates": {"alarms": ["arn:aws:cloudwatch:eu-west-1:111122223333:alarm:slow"]}},
        "allowed is a list of different names of CloudWatch alarms",
    ),
    ({"app": "shop", "gates": {"approval": "yes"}}, 'gates.approval is "yes", allowed is true or false'),
    ({"app": "shop", "gates": {"deadlin": "5m"}}, "gates.deadlin is not a key (did you mean gates.deadline?)"),
    ({"app": "shop", "rollback": "slowly"}, 'rollback is "slowly", allowed is at_once or in_steps'),
    ({"app": "shop", "accept_drift": 1}, "accept_drift is 1, allowed is true or false"),
    ({"app": "shop", "assets": "s3"}, 'assets is "s3", allowed is auto or bucket or cdn or none'),
    ({"app": "shop", "assets_bucket": "Shop"}, "allowed is the name of a bucket"),
    ({"app": "shop", "assets": "none", "assets_bucket": "shop"}, "assets_bucket is set but assets is none"),
    ({"app": "shop", "edge_may_skip": ["Dash board"]}, "allowed is a list of different logical ids of the edge"),
    (
        {"app": "shop", "instance_type": "t3.small", "instance_types": ["t3.small", "t3a.small"]},
        "instance_type and instance_types are both set, allowed is one of them",
    ),
    ({"app": "shop", "instance_types": [f"m{n}.large" for n in range(6)]}, "allowed is a list of at most 5 different"),
    ({"app": "shop", "spot": {"share": 101}}, "spot.share is 101, allowed is a whole number from 0 to 100"),
    ({"app": "shop", "spot": {"base": 2}}, "spot.base is 2 but spot.share is 0, so that no server is a spot one"),
    ({"app": "shop", "lifecycle_hooks": {"launch": {"timeout": "5s"}}}, "lifecycle_hooks.launch.timeout is"),
    ({"app": "shop", "lifecycle_hooks": {"start": {}}}, "lifecycle_hooks.start is not a key"),
    *(
        ({"app": "shop", "tags": tags}, "allowed is a mapping of at most 30 keys without spaces and slashes")
        for tags in (
            {"cost centre": "web"},
            {"team/web": "yes"},
            {"release": "mine"},
            {"aws:own": "yes"},
            {"team": 7},
            {"team": "x" * 257},
            ["team"],
        )
    ),
    ({"app": "shop", "stickiness": "8d"}, "from 0s to 168h"),
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
        "account": None,
        "role": None,
        "strategy": "all_at_once",
        "canary": None,
        "linear": None,
        "bake_time": 0,
        "image": "newest",
        "capacity": {"min": 2, "max": 4},
        "instance_type": "t3.small",
        "instance_types": None,
        "spot": {"share": 0, "base": 0},
        "warm_up": 0,
        "lifecycle_hooks": {"launch": None, "terminate": None},
        "tags": {},
        "health": {"path": "/up", "deadline": 600},
        "gates": {
            "alarms": [],
            "expected_alarms": [],
            "analysis": None,
            "command": None,
            "approval": False,
            "deadline": 600,
            "approval_deadline": 86400,
        },
        "rollback": "at_once",
        "rollback_window": 3600,
        "inspect_window": 3600,
        "assets": "auto",
        "assets_bucket": None,
        "lock_wait": 0,
        "accept_drift": False,
        "edge_may_skip": [],
        "stickiness": 0,
        "network": {"vpc": None, "subnets": None},
        "certificate": None,
        "pipeline": {
            "repository": None,
            "connection": None,
            "branch": "main",
            "app_dir": ".",
            "channel": "main",
            "collection": "immutable.ec2",
            "build_image": "public.ecr.aws/docker/library/debian:12",
            "build_size": "small",
            "build_timeout": 7200,
            "schedule": "rate(7 days)",
            "slack_secret": None,
            "keep_builds": 90,
            "validation_profile": True,
        },
    }


def test_strategy_image_and_capacity_are_a_complete_file_beside_the_shared_one() -> None:
    shared = Document("environments/all.yml", {"app": "shop"})
    own = Document(FILE, {"strategy": "canary", "image": "newest", "capacity": {"min": 2, "max": 6}})
    found = settings([shared, own], NONE)
    assert (found["canary"], found["bake_time"]) == ([5, 25, 50], 300)


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
        ({"account": "000000000000"}, "account", "000000000000"),
        ({"strategy": "canary"}, "canary", [5, 25, 50]),
        ({"strategy": "canary", "canary": [1, 99]}, "canary", [1, 99]),
        ({"strategy": "linear"}, "linear", 20),
        ({"strategy": "linear"}, "canary", None),
        ({"strategy": "linear"}, "bake_time", 300),
        ({"strategy": "canary", "bake_time": "0s"}, "bake_time", 0),
        ({"canary": [10]}, "strategy", "canary"),
        ({"linear": 10}, "strategy", "linear"),
        ({"instance_types": ["t3a.small", "t3.small"]}, "instance_type", "t3a.small"),
        ({"tags": {"team": "web shop", "cost:centre": "12"}}, "tags", {"team": "web shop", "cost:centre": "12"}),
        (
            {"lifecycle_hooks": {"terminate": {"timeout": "1m"}}},
            "lifecycle_hooks",
            {"launch": None, "terminate": {"timeout": 60, "result": "continue"}},
        ),
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


def test_a_later_strategy_leaves_the_steps_of_an_earlier_file_behind() -> None:
    shared = Document("environments/all.yml", {"app": "shop", "strategy": "canary", "canary": [10]})
    assert settings([shared, Document(FILE, {"strategy": "all_at_once"})], NONE)["canary"] is None
    assert settings([shared, Document(FILE, {"strategy": "canary"})], NONE)["canary"] == [10]


def test_the_later_of_one_and_several_instance_types_wins() -> None:
    several: dict[object, object] = {"instance_types": ["m6i.large", "m5.large"]}
    one: dict[object, object] = {"instance_type": "t3.small"}
    found = settings([Document("environments/all.yml", {"app": "shop", **several}), Document(FILE, {**one})], NONE)
    assert (found["instance_type"], found["instance_types"]) == ("t3.small", None)
    found = settings([Document("environments/all.yml", {"app": "shop", **one}), Document(FILE, {**several})], NONE)
    assert (found["instance_type"], found["instance_types"]) == ("m6i.large", ["m6i.large", "m5.large"])


def test_false_takes_a_gate_away_that_the_shared_file_has() -> None:
    gates = {"analysis": {"min_requests": 50}, "command": {"run": "bin/smoke"}}
    shared = Document("environments/all.yml", {"app": "shop", "bake_time": "5m", "gates": gates})
    found = settings([shared, Document(FILE, {"gates": {"analysis": False}})], NONE)["gates"]
    assert found["analysis"] is None
    assert found["command"] == {"name": "command", "run": "bin/smoke", "timeout": 300}


def test_a_gate_of_the_shared_file_counts_for_the_bake_time_of_the_own() -> None:
    shared = Document("environments/all.yml", {"app": "shop", "strategy": "canary", "gates": {"analysis": {}}})
    with pytest.raises(WrongSettings, match=rf"^{FILE}: bake_time is 60s but gates\.analysis is set"):
        settings([shared, Document(FILE, {"bake_time": "1m"})], NONE)


def test_the_file_of_the_documentation_is_right() -> None:
    page = (Path(__file__).parents[3] / "docs/how_to/deploy.md").read_text(encoding="utf-8")
    written = yaml.safe_load(page.split("```yaml")[1].split("```")[0])
    found = settings([Document(FILE, {"app": "shop", **written})], NONE)
    assert found["canary"] == [5, 25, 50]
    assert found["gates"]["command"]["run"] == "bin/smoke {{ preview_url }}"


def test_the_ops_repo_explains_every_key() -> None:
    readme = (Path(__file__).parents[3] / "examples/ops_repo/README.md").read_text(encoding="utf-8")
    table = {cell for line in readme.splitlines() if line.startswith("| `") for cell in line.split("|")[1].split()}
    assert table >= {f"`{key}`" for key in keys_in("")}
