# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a file says reaches the module, and means the same there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.arguments import argument_spec
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.settings import read_settings
from ansible_collections.immutable.ec2.plugins.module_utils.environment.rules import RULES, keys_in
from ansible_collections.immutable.ec2.plugins.module_utils.environment.schema import Document, settings

#: Keys for the edge and for images; a deployment reads them from AWS, or not at all.
NOT_THE_MODULES = {
    *("network.vpc", "network.subnets", "certificate", "stickiness", "retention.newest"),
    *(key for key in RULES if key.startswith("pipeline.")),
}
#: The module has these where nobody says; their defaults follow from other keys.
FOLLOWS = {"canary", "linear", "bake_time", "region", "account", "role", "instance_types"}
KEYS = [key for key in RULES if key not in NOT_THE_MODULES]
TASKS = Path(__file__).parents[3] / "roles/deployment/tasks"
FULL: dict[object, object] = {
    "app": "shop",
    "strategy": "canary",
    "canary": [10, 50],
    "bake_time": "4m",
    "instance_types": ["m6i.large", "m5.large"],
    "spot": {"share": 30},
    "warm_up": "30s",
    "lifecycle_hooks": {"launch": {"timeout": "2m"}},
    "tags": {"team": "web"},
    "gates": {"alarms": ["prod-5xx"], "analysis": {"not_enough": "fail"}, "command": {"run": "bin/smoke"}},
    "rollback": "in_steps",
}


def argument(key: str) -> dict[str, Any]:
    options: dict[str, Any] = argument_spec()
    *groups, name = key.split(".")
    for group in groups:
        options = options[group]["options"]
    found: dict[str, Any] = options[name]
    return found


@pytest.mark.parametrize("key", KEYS)
def test_a_key_of_the_file_is_an_argument_with_the_same_default(key: str) -> None:
    spec, rule = argument(key), RULES[key]
    assert bool(spec.get("required")) == rule.required or key.startswith("capacity.")
    if key.startswith("capacity."):
        assert argument_spec()["capacity"]["default"][key.removeprefix("capacity.")] == rule.default
    elif key not in FOLLOWS:
        assert spec.get("default") == rule.default


def test_the_role_gives_the_module_every_key_that_the_module_knows() -> None:
    (call,) = (
        task for task in _all(yaml.safe_load((TASKS / "run.yml").read_text())) if "immutable.ec2.blue_green" in task
    )
    given = call["immutable.ec2.blue_green"]
    wanted = {key for key in keys_in("") if key in argument_spec()}
    assert wanted <= {key for key, value in given.items() if f"environment_settings.{key}" in value}
    assert given.keys() == argument_spec().keys() & given.keys()


def test_a_file_means_the_same_to_the_module() -> None:
    found = settings([Document("environments/prod.yml", FULL)], Document("-e", {}))
    known = {key: value for key, value in found.items() if key in argument_spec()}
    read = read_settings({**known, "env": "prod"}, "")
    assert (read.steps, read.bake_time.total_seconds(), read.in_steps) == ((10, 50, 100), 240, True)
    assert (read.gates.alarms, read.gates.command is not None) == (("prod-5xx",), True)
    assert read.gates.analysis is not None
    assert read.gates.analysis.not_enough == "fail"
    assert read.launch["InstanceType2"] == "m5.large"


def _all(tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    inner = [task[part] for task in tasks for part in ("block", "always", "rescue") if part in task]
    return tasks + [task for part in inner for task in _all(part)]
