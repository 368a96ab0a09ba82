# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A canary under load: nobody notices, and each step has the share that it says."""

from __future__ import annotations

from collections.abc import Callable

from lab.load import Summary
from tests.lab.deployments.env import Env
from tests.lab.deployments.seen import failed, shares
from tests.lab.shop import Shop

RATE = 220
LEAST_RATE = 200
STEPS = [10, 50]
POINTS = 3


def test_a_canary_under_load_fails_no_request_and_shifts_what_it_says(
    shop: Shop, envs: dict[str, Env], measured: Callable[..., None]
) -> None:
    env = envs["steps"]
    env.write(strategy="canary", canary=STEPS, bake_time="12s")
    env.answering(100)  # the server has just booted
    with env.load(RATE) as load, env.watched() as weights:
        ended = env.deploy(shop.second)
    assert ended.result == "deployed", ended.said
    assert ended.facts["proven"]
    assert isinstance(load.summary, Summary)
    assert load.summary.rate >= LEAST_RATE
    records = list(load.records())
    assert failed(records) == []
    seen = shares(records, weights, shop.second, "green")
    for step in STEPS:
        share, requests = seen[step]
        measured(f"share at {step} %, of {requests} requests", share, "%")
        assert requests > 10 * RATE
        assert abs(share - step) <= POINTS
