# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two controllers: one deploys, the other leaves; and one that was overtaken writes nothing any more."""

from __future__ import annotations

import pytest

from tests.lab.deployments.background import Overtaken
from tests.lab.deployments.env import Env, until
from tests.lab.shop import Shop

ROUNDS = 20


def test_promise_4_a_paused_controller_writes_nothing_that_was_not_on_the_wire(
    shop: Shop, overtaken: Overtaken
) -> None:
    """Its shift to one half is on the wire when it is stopped; another one deploys meanwhile, to the end."""
    env = overtaken.env
    following = overtaken.following.end()
    assert following.result == "deployed", following.said
    assert f"{env.name} | waiting up to" in following.said
    assert env.weights == env.asked == (0, 100)

    since = env.lab.last_call()
    env.lab.let_go(overtaken.late)
    overtaken.paused.go_on()
    ended = overtaken.paused.end()
    assert ended.code != 0
    assert "the deployment lock" in ended.message
    assert env.lab.writes("paused", since) == []

    # What was on the wire came after all, and the next controller puts it right.
    assert env.asked == (50, 50)
    repaired = env.deploy(shop.second)
    assert repaired.result == "deployed", repaired.said
    assert env.weights == env.asked == (0, 100)


@pytest.fixture
def env(shop: Shop, envs: dict[str, Env]) -> Env:
    """Both releases are warm, and the first one serves."""
    pair = envs["pairs"]
    pair.write()
    return pair.serves(shop.second).serves(shop.first)


def test_promise_4_of_two_controllers_one_deploys_and_the_other_leaves(shop: Shop, env: Env) -> None:
    for number in range(ROUNDS):
        one_deploys(env, (shop.second, shop.first)[number % 2], (f"one-{number}", f"two-{number}"))


def one_deploys(env: Env, image: str, clients: tuple[str, str]) -> None:
    """Both begin at once. Whoever gets the lock goes on when the other has left, so that none comes too late for it."""
    since = env.lab.last_call()
    faults = {name: env.lab.fault("hold_before", {"client": name, "operation": "UpdateStack"}) for name in clients}
    controllers = {client: env.start("deploy", image=image, client=client) for client in clients}
    until(lambda: any(map(env.lab.met, faults.values())), "one of them has the lock")
    loser, winner = sorted(clients, key=lambda client: env.lab.met(faults[client]))
    left = controllers[loser].end()
    env.lab.let_all_go()
    ended = controllers[winner].end()
    assert ended.result == "deployed", ended.said
    assert left.code != 0
    assert "holds the deployment lock: deploys" in left.message
    assert len(left.message.splitlines()) == 1
    assert env.lab.writes(loser, since) == []
