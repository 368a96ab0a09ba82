# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A person says go, or stop: to a controller that works, and where it has died."""

from __future__ import annotations

import pytest

from tests.lab.deployments.env import Env
from tests.lab.deployments.releases import Releases
from tests.lab.shop import Shop

HALF = {"strategy": "canary", "canary": [50]}


@pytest.fixture
def env(shop: Shop, envs: dict[str, Env], releases: Releases) -> Env:
    """The first release serves, another one is warm."""
    guarded = envs["guarded"]
    guarded.write()
    return guarded.serves(shop.first)


def test_a_deployment_that_waits_for_a_person_goes_on_when_one_approves_it(env: Env) -> None:
    env.write(**HALF, bake_time="1s", gates={"approval": True})
    controller = env.start("deploy", image="r-good").says("wait until a person says go")
    waiting = env.status["environment"]["deployment"]
    assert f"deploy.yml -e approve={waiting['id']}" in controller.said
    assert env.weights[0] == env.weights[1]
    refused = env.run("deploy", approve="20260101-000000-0000")
    assert "deployment 20260101-000000-0000 can't be approved" in refused.message
    approved = env.run("deploy", approve=waiting["id"])
    ended = controller.end()
    assert (approved.result, ended.result) == ("deployed", "deployed"), ended.said
    assert sorted(env.weights) == [0, 100]
    assert ended.facts["release"] == "r-good"


def test_an_abort_ends_what_another_controller_is_at(env: Env) -> None:
    live = env.weights
    env.write(**HALF, bake_time="10m")
    controller = env.start("deploy", image="r-good").says("wait until 50 % was watched")
    aborted = env.run("abort")
    ended = controller.end()
    assert (aborted.result, aborted.code) == ("aborted", 0), aborted.said
    assert (ended.result, ended.code) == ("aborted", 2), ended.said
    assert "asked for its end" in ended.reason
    assert env.weights == env.asked == live
    assert env.status["history"][0]["result"] == "aborted"


def test_an_abort_waits_for_a_dead_controllers_lease_and_ends_what_it_was_at(env: Env) -> None:
    live = env.weights
    env.write(**HALF, bake_time="10m")
    env.start("deploy", image="r-good").says("wait until 50 % was watched").kill()
    aborted = env.run("abort")
    assert (aborted.result, aborted.code) == ("aborted", 0), aborted.said
    assert env.weights == env.asked == live
    assert env.status["environment"]["deployment"] is None
    assert env.run("abort").result == "nothing_to_do"


def test_a_killed_deployment_is_resumed_by_the_same_command_and_by_no_other(shop: Shop, env: Env) -> None:
    env.write(**HALF, bake_time="10m")
    env.start("deploy", image="r-good").says("wait until 50 % was watched").kill()
    env.lease_over()
    other = env.deploy(shop.second)
    assert (other.result, other.code) == ("aborted", 2)
    assert "finish it (deploy.yml -e image=r-good) or end it (abort.yml)" in other.message
    env.write(**HALF, bake_time="1s")
    resumed = env.deploy("r-good")
    assert resumed.result == "deployed", resumed.said
    assert "shift 50 % of the traffic to" not in resumed.said
    assert sorted(env.weights) == [0, 100]
