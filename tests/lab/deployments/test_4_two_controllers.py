# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two controllers: one deploys, the other leaves; and one that was overtaken writes nothing any more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.deployments.env import Env
from tests.lab.shop import Shop

ROUNDS = 20
CLIENTS = ("one", "two")


@pytest.fixture
def env(shop: Shop, envs: dict[str, Env]) -> Iterator[Env]:
    """Both releases are warm, and the first one serves; afterwards no fault is left."""
    pair = envs["pairs"]
    pair.write()
    pair.serves(shop.second).serves(shop.first)
    yield pair
    pair.lab.clear()


def test_promise_4_of_two_controllers_one_deploys_and_the_other_leaves(shop: Shop, env: Env) -> None:
    winners = []
    for number in range(ROUNDS):
        image = (shop.second, shop.first)[number % 2]
        since = env.lab.last_call()
        # Whoever gets the lock goes on when the other has left: none comes so late that nothing is left to do.
        fault = env.lab.fault("hold_before", {"operation": "UpdateStack"})
        controllers = {client: env.start("deploy", image=image, client=client) for client in CLIENTS}
        env.lab.hit(fault)
        winner = next(client for client in CLIENTS if "UpdateStack" in env.lab.writes(client, since))
        loser = next(client for client in CLIENTS if client != winner)
        left = controllers[loser].end()
        env.lab.let_go(fault)
        ended = controllers[winner].end()
        assert ended.result == "deployed", ended.said
        assert left.code != 0
        assert "holds the deployment lock: deploys" in left.message
        assert len(left.message.splitlines()) == 1
        assert env.lab.writes(loser, since) == []
        winners.append(winner)
    assert len(winners) == ROUNDS


def test_promise_4_a_paused_controller_writes_nothing_that_was_not_on_the_wire(shop: Shop, env: Env) -> None:
    """Its shift to one half is on the wire when it is stopped; another one deploys meanwhile, to the end."""
    env.write(strategy="canary", canary=[50], bake_time="1s", lock_wait="3m")
    late = env.lab.fault("hold_before", {"client": "paused", "operation": "UpdateStack", "nth": 2})
    paused = env.start("deploy", image=shop.second, client="paused")
    env.lab.hit(late)
    paused.pause()
    following = env.start("deploy", image=shop.second, client="next").end()
    assert following.result == "deployed", following.said
    assert env.weights == env.asked == (0, 100)

    since = env.lab.last_call()
    env.lab.let_go(late)
    paused.go_on()
    ended = paused.end()
    assert ended.code != 0
    assert "the deployment lock" in ended.message
    assert env.lab.writes("paused", since) == []

    # What was on the wire came after all, and the next controller puts it right.
    assert env.asked == (50, 50)
    repaired = env.deploy(shop.second)
    assert repaired.result == "deployed", repaired.said
    assert env.weights == env.asked == (0, 100)
