# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard turns traffic back when no controller lives, within five seconds as requests see it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from tests.lab.deployments.controller import Controller
from tests.lab.deployments.env import Env, until
from tests.lab.deployments.releases import Releases
from tests.lab.shop import Shop

RATE = 40
MOST_SECONDS = 5
"""The promise: zero weight on the new release so soon after the alarm's change of state."""

Case = tuple[dict[str, object], Callable[[Env], Controller]]


def in_a_bake_time(env: Env) -> Controller:
    return env.start("deploy", image="r-good").says("wait until 50 % was watched")


def in_an_update(env: Env) -> Controller:
    """The listener has its new weights, and the edge's stack is not ready."""
    match = {"stack": env.stack("edge"), "resource": "HttpListener", "action": "update"}
    fault = env.lab.fault("slow_resource", match, after=True)
    controller = env.start("deploy", image="r-good")
    env.lab.hit(fault)
    return controller


def in_an_approval_pause(env: Env) -> Controller:
    return env.start("deploy", image="r-good").says("wait until a person says go")


HALF = {"strategy": "canary", "canary": [50]}
CASES: dict[str, Case] = {
    "at half of the traffic": ({**HALF, "bake_time": "10m"}, in_a_bake_time),
    "during an update of the edge": ({**HALF, "bake_time": "10m"}, in_an_update),
    "during an approval pause": ({**HALF, "bake_time": "1s", "gates": {"approval": True}}, in_an_approval_pause),
}


@pytest.fixture
def env(shop: Shop, envs: dict[str, Env], releases: Releases) -> Iterator[Env]:
    """The first release serves; afterwards nothing is held and no alarm is left."""
    guarded = envs["guarded"]
    guarded.serves(shop.first)
    yield guarded
    guarded.lab.let_all_go()
    guarded.hush()


@pytest.mark.parametrize(("keys", "until_then"), CASES.values(), ids=CASES.keys())
def test_promise_6_an_alarm_turns_traffic_back_after_the_controller_was_killed(
    env: Env,
    keys: dict[str, object],
    until_then: Callable[[Env], Controller],
    measured: Callable[..., None],
) -> None:
    env.write(**keys)
    live = env.weights
    with env.load(RATE) as load:
        until_then(env).kill()
        until(lambda: load.met("r-good"), "the load meets the new release")
        rang = env.ring()
        until(lambda: env.weights == live, "the guard has set the listener")
        # What was under way goes on to its end, and the guard has the last word.
        released = time.time()
        env.lab.let_all_go()
        env.ready()
        until(lambda: env.weights == live, "the guard has set the listener again")
        env.hush()
        env.lease_over()
        ended = env.deploy("r-good")
    records = list(load.records())
    assert not any(record.failed for record in records)
    new = [record.t for record in records if record.release == "r-good"]
    took = max((at - rang for at in new if at < released), default=0)
    measured("from the alarm to the last request on the new release", took, "s")
    assert took < MOST_SECONDS
    assert all(at - released < MOST_SECONDS for at in new)
    assert ended.result == "rolled_back", ended.said
    assert "the guard turned traffic back" in ended.reason
    assert env.weights == env.asked == live
    assert env.status["environment"]["deployment"] is None
