# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""environment.yml while an edge has traffic on both colours: it updates everything but what deployments wrote."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.edge import edge_template
from tests.lab.contract.support import CHECKOUT, outputs
from tests.lab.guard.world import SPLIT, World

SECRET = "00112233445566778899aabbccddeeff"
Play = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Runs environment.yml for a world, with parameters of the template."""

    def run(world: World, **parameters: object) -> subprocess.CompletedProcess[str]:
        (tmp_path / "environments").mkdir(exist_ok=True)
        (tmp_path / "environments" / f"{world.env}.yml").write_text("---\napp: shop\nregion: eu-west-1\n")
        extra = {"env": world.env, "environment_edge_parameters": parameters}
        return subprocess.run(
            [
                Path(sys.executable).parent / "ansible-playbook",
                CHECKOUT / "playbooks" / "environment.yml",
                "-e",
                json.dumps(extra),
            ],
            cwd=tmp_path,
            env={
                **os.environ,
                "AWS_ENDPOINT_URL": world.api.url,
                "AWS_ACCESS_KEY_ID": "lab",
                "AWS_SECRET_ACCESS_KEY": "lab",
                "AWS_EC2_METADATA_DISABLED": "true",
                "ANSIBLE_LOCALHOST_WARNING": "false",
            },
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def previewed(world: World) -> list[dict[str, Any]]:
    """The conditions of the listener's rules."""
    rules = world.api.elb.describe_rules(ListenerArn=world.edge["ListenerArn"])["Rules"]
    return [condition for rule in rules for condition in rule["Conditions"]]


def test_an_update_moves_no_traffic_and_leaves_the_preview(begun: Callable[..., World], play: Play) -> None:
    world = begun(PreviewColour="green", PreviewSecret=SECRET)
    world.ledger.finish("deployed", "all gates passed")
    opened = previewed(world)
    assert opened[0]["HttpHeaderConfig"] == {"HttpHeaderName": "X-Preview", "Values": [SECRET]}
    run = play(world, SlowSeconds=2, BlueWeight=7, GreenWeight=0, PreviewColour="blue")
    assert run.returncode == 0, run.stdout
    assert world.parameters["SlowSeconds"] == "2"
    assert (world.weights, previewed(world)) == (SPLIT, opened)


def test_the_same_again_changes_nothing(begun: Callable[..., World], play: Play) -> None:
    world = begun()
    world.ledger.finish("deployed", "all gates passed")
    play(world)
    assert "changed=0" in play(world).stdout


def test_it_is_refused_while_a_controller_has_the_lock(begun: Callable[..., World], play: Play) -> None:
    world = begun()
    run = play(world, SlowSeconds=2)
    assert run.returncode != 0
    assert f"{world.name} is not updated while ann@desk (1) has the deployment lock (deploy r2, since" in run.stdout
    assert world.parameters["SlowSeconds"] == "1"


def test_it_is_refused_while_a_deployment_is_unfinished(world: World, play: Play) -> None:
    run = play(world, SlowSeconds=2)
    assert run.returncode != 0
    assert "of release r2, begun by ann, has not ended" in run.stdout
    assert world.parameters["SlowSeconds"] == "1"


def test_it_is_refused_while_the_listener_is_not_as_the_stack_says(begun: Callable[..., World], play: Play) -> None:
    world = begun()
    world.ledger.finish("rolled_back", "by hand")
    world.shift([100, 0])
    run = play(world, SlowSeconds=2)
    assert run.returncode != 0
    assert f"{world.name} says blue 50, green 50 but its listener has blue 100, green 0" in run.stdout
    assert world.parameters["SlowSeconds"] == "1"


def test_an_edge_of_an_earlier_version_gets_its_guard(begun: Callable[..., World], play: Play, tmp_path: Path) -> None:
    world = begun()
    world.ledger.finish("deployed", "all gates passed")
    earlier = edge_template()
    for part, names in {
        "Parameters": ("PreviewColour", "PreviewSecret"),
        "Conditions": ("HasPreview", "PreviewsBlue"),
        "Resources": ("PreviewRule",),
        "Outputs": ("AlarmNames", "GuardFunctionName"),
    }.items():
        for name in names:
            del earlier[part][name]
    kept = [
        {"ParameterKey": name, "UsePreviousValue": True} for name in world.parameters if name in earlier["Parameters"]
    ]
    world.api.stacks.update_stack(
        StackName=world.name, TemplateBody=json.dumps(earlier), Parameters=kept, Capabilities=["CAPABILITY_IAM"]
    )
    assert "GuardFunctionName" not in outputs(world.api.settled(world.name))
    run = play(world)
    assert run.returncode == 0, run.stdout
    assert "GuardFunctionName" in outputs(world.api.settled(world.name))
    assert world.weights == SPLIT
