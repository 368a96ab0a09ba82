# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad releases are turned back, or never get traffic; what is left can be looked at."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.lab.deployments.env import Env
from tests.lab.deployments.releases import Releases
from tests.lab.deployments.seen import failed, is_as_before
from tests.lab.shop import Shop

RATE = 60
#: What takes minutes is begun here: they pass while other things are tested.
pytestmark = pytest.mark.usefixtures("overtaken", "analysed")


def test_a_release_that_never_gets_healthy_gets_no_traffic(
    shop: Shop, envs: dict[str, Env], releases: Releases
) -> None:
    env = envs["steps"]
    env.serves(shop.second)
    env.write(strategy="canary", canary=[10, 50], bake_time="10s", health={"path": "/up", "deadline": "40s"})
    with env.load(RATE) as load:
        ended = env.deploy("r-never")
    assert ended.result == "aborted", ended.said
    assert "0 of 1 server of blue healthy after 40 s" in ended.message
    # What its console says last: why the app doesn't start.
    assert "CATALOGUE_URL is not set" in ended.message
    is_as_before(env, ended, shop.second, "r-never")
    records = list(load.records())
    assert failed(records) == []
    assert {record.release for record in records} == {shop.second}


def test_a_release_that_crashes_under_half_of_the_traffic_is_turned_back(
    shop: Shop, envs: dict[str, Env], releases: Releases, measured: Callable[..., None]
) -> None:
    env = envs["steps"]
    env.serves(shop.second)
    env.write(strategy="canary", canary=[10, 50], bake_time="12s")
    with env.load(RATE) as load:
        ended = env.deploy("r-crashing")
    assert ended.result == "rolled_back", ended.said
    assert "0 of 1 server that 50 % of the traffic needs are healthy" in ended.reason
    is_as_before(env, ended, shop.second, "r-crashing")
    hurt = failed(load.records())
    assert hurt
    assert {record.release for record in hurt} == {"r-crashing"}
    times = [record.t for record in hurt]
    measured("users were hurt for", max(times) - min(times), "s")
    # Two failed health checks and a look of the engine's: it looks every 5 s at least.
    assert max(times) - min(times) < 15
