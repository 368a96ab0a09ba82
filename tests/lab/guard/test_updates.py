# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""environment.yml while an edge has traffic on both colours: it updates everything but what deployments wrote."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.errors import LockHeld
from tests.edge import edge_template
from tests.lab.contract import faulty
from tests.lab.contract.support import outputs
from tests.lab.guard.conftest import Play, Start
from tests.lab.guard.world import ID, SPLIT, World

SECRET = "00112233445566778899aabbccddeeff"


def is_free(world: World) -> bool:
    return world.ledger.read().lease is None


def previewed(world: World) -> list[dict[str, Any]]:
    """The conditions of the listener's rules."""
    rules = world.api.elb.describe_rules(ListenerArn=world.edge["ListenerArn"])["Rules"]
    return [condition for rule in rules for condition in rule["Conditions"]]


def test_an_update_moves_no_traffic_and_leaves_the_preview(begun: Callable[..., World], play: Play) -> None:
    world = begun(PreviewColour="green", PreviewSecret=SECRET)
    world.ledger.finish("deployed", "all gates passed")
    opened = previewed(world)
    assert opened[0]["HttpHeaderConfig"] == {"HttpHeaderName": "X-Preview", "Values": [SECRET]}
    well, said = play(world.env, SlowSeconds=2, BlueWeight=7, GreenWeight=0, PreviewColour="blue")
    assert well, said
    assert world.parameters["SlowSeconds"] == "2"
    assert (world.weights, previewed(world)) == (SPLIT, opened)


def test_the_same_again_changes_nothing(begun: Callable[..., World], play: Play) -> None:
    world = begun()
    world.ledger.finish("deployed", "all gates passed")
    play(world.env)
    assert "changed=0" in play(world.env)[1]
    assert is_free(world)


@pytest.mark.parametrize("mode", [(), ("--check",)])
def test_it_is_refused_while_a_controller_has_the_lock(
    begun: Callable[..., World], play: Play, mode: tuple[str, ...]
) -> None:
    world = begun()
    well, said = play(world.env, *mode, SlowSeconds=2)
    assert not well
    assert f"ann@desk (1) holds the deployment lock: deploy r2 (deployment {ID} of release r2), since" in said
    assert world.parameters["SlowSeconds"] == "1"


def test_it_waits_for_a_controller_as_long_as_the_file_says(begun: Callable[..., World], start: Start) -> None:
    world = begun()
    process = start(world.env, keys={"lock_wait": "5m"}, SlowSeconds=2)
    look = faulty.arm(world.api, "hold_after", {"service": "dynamodb", "operation": "UpdateItem"})
    assert look.seen(60)["hit"]  # the playbook has asked for the lock
    world.ledger.finish("deployed", "all gates passed")
    look.release()
    said, _nothing = process.communicate()
    assert process.returncode == 0, said
    assert "for the deployment lock: ann@desk (1) holds the deployment lock: deploy r2" in said
    assert world.parameters["SlowSeconds"] == "2"


def test_it_is_refused_while_a_deployment_is_unfinished(world: World, play: Play) -> None:
    well, said = play(world.env, SlowSeconds=2)
    assert not well
    assert "of release r2, begun by ann at" in said and "has not ended and nobody works on it" in said
    assert world.parameters["SlowSeconds"] == "1"


def test_a_deployment_that_begins_during_an_update_is_told_so_and_may_wait(
    begun: Callable[..., World], start: Start
) -> None:
    world = begun()
    ended = world.ledger.held and world.ledger.held.deployment
    assert ended
    next_one = replace(ended, id="20260102-040506-00ff", release="r3")
    world.ledger.finish("deployed", "all gates passed")
    slow = faulty.arm(world.api, "slow_resource", {"stack": world.name, "resource": "LatencyAlarm", "action": "update"})
    process = start(world.env, SlowSeconds=2)
    assert slow.seen(60)["hit"]
    with pytest.raises(
        LockHeld, match=r"^\S+ holds the deployment lock: updates the edge, since \d{4}-.* UTC; "
    ) as met:
        world.ledger.acquire("deploys r3", next_one)
    assert str(met.value).endswith("Wait for it with lock_wait")
    told: list[str] = []

    def tell(line: str) -> None:
        told.append(line)
        slow.release()

    world.ledger.wait_for("deploys r3", next_one, timedelta(minutes=2), tell)
    assert world.parameters["SlowSeconds"] == "2"  # the update was over then
    assert "updates the edge" in told[0]
    said, _nothing = process.communicate()
    assert process.returncode == 0, said


def test_an_update_that_fails_leaves_the_lock_free(begun: Callable[..., World], play: Play) -> None:
    world = begun()
    world.ledger.finish("deployed", "all gates passed")
    fence = world.ledger.acquire("looks", None).lease.fence
    world.ledger.release()
    well, _said = play(world.env, SlowSeconds="soon")
    assert not well
    assert is_free(world)
    assert world.ledger.acquire("looks", None).lease.fence == fence + 2  # it was taken


def test_the_lock_of_an_update_that_was_killed_ends_by_itself(begun: Callable[..., World], start: Start) -> None:
    world = begun()
    world.ledger.finish("deployed", "all gates passed")
    held = faulty.arm(world.api, "hold_before", {"service": "elbv2", "operation": "DescribeLoadBalancers"})
    process = start(world.env, SlowSeconds=2)
    assert held.seen(60)["hit"]
    process.kill()
    process.communicate()
    held.release()
    lease = world.ledger.read().lease
    assert lease and timedelta(minutes=14) < lease.until - lease.since <= timedelta(minutes=15, seconds=1)


def test_a_check_takes_no_lock(begun: Callable[..., World], play: Play) -> None:
    world = begun()
    world.ledger.finish("deployed", "all gates passed")
    before = world.ledger.acquire("looks", None).lease.fence
    world.ledger.release()
    well, said = play(world.env, "--check", SlowSeconds=2)
    assert well, said
    assert world.ledger.acquire("looks", None).lease.fence == before + 1


def test_an_edge_is_not_destroyed_while_a_controller_has_the_lock(begun: Callable[..., World], play: Play) -> None:
    world = begun()
    well, said = play(world.env, "-e", "environment_state=absent")
    assert not well
    assert "ann@desk (1) holds the deployment lock: deploy r2" in said
    assert world.parameters


def test_it_is_refused_while_the_listener_is_not_as_the_stack_says(begun: Callable[..., World], play: Play) -> None:
    world = begun()
    world.ledger.finish("rolled_back", "by hand")
    world.shift([100, 0])
    well, said = play(world.env, SlowSeconds=2)
    assert not well
    assert f"{world.name} says blue 50, green 50 but its listener has blue 100, green 0" in said
    assert is_free(world)
    assert world.parameters["SlowSeconds"] == "1"


def test_an_edge_of_an_earlier_version_gets_its_guard(begun: Callable[..., World], play: Play) -> None:
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
    well, said = play(world.env)
    assert well, said
    assert "GuardFunctionName" in outputs(world.api.settled(world.name))
    assert world.weights == SPLIT
