# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The faults against real servers: points of a deployment where something changes, in the lab of the deployments."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.demo import configuration
from lab.demo.scenario import ENVS
from tests.faults.__main__ import LANES, seed_of_the_day
from tests.faults.campaign import choose, run_points
from tests.faults.playbooks import Playbooks
from tests.faults.points import Call, points_of
from tests.faults.world import Ground, Sizes
from tests.lab.contract.support import Api
from tests.lab.shop import APP, DRAIN_SECONDS, Shop

POINTS = 20
#: Real servers need real seconds to boot.
SPEED = 5.0
SIZES = Sizes(minimum=1, maximum=3, baseline=2)
EDGE = {"DeregistrationDelaySeconds": DRAIN_SECONDS, "ErrorsPerMinute": 100_000, "SlowSeconds": 60}
#: What a deployment writes: preview and shifts, the colour, its secret's label, lock and guard, minimums, processes.
WRITES = {
    ("cloudformation", "UpdateStack"): 4,
    ("cloudformation", "CreateStack"): 1,
    ("secretsmanager", "UpdateSecretVersionStage"): 1,
    ("dynamodb", "UpdateItem"): 1,
    ("dynamodb", "TransactWriteItems"): 2,
    ("autoscaling", "CreateOrUpdateTags"): 1,
    ("autoscaling", "UpdateAutoScalingGroup"): 2,
    ("autoscaling", "SuspendProcesses"): 1,
    ("autoscaling", "ResumeProcesses"): 1,
    ("autoscaling", "DeleteTags"): 1,
}


@pytest.fixture(scope="module")
def ground(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder: Path = tmp_path_factory.mktemp("faults")
    playbooks = Playbooks(folder / "playbooks")
    (folder / "ops").mkdir()

    def prepare(env: str) -> None:
        configuration.ensure(shop.settings, shop.cloud, APP, (*ENVS, env))

    api = Api(shop.settings.api_url, folder)
    releases = shop.first, shop.second
    yield Ground(api, playbooks, folder / "ops", APP, releases, SPEED, SIZES, {}, EDGE, prepare)
    playbooks.close()


def test_promise_3_with_real_servers_too(ground: Ground) -> None:
    seed = seed_of_the_day()
    print(f"FAULTS_SEED={seed} repeats the choice")
    calls = [Call(*name, nth) for name, count in WRITES.items() for nth in range(1, count + 1)]
    results = run_points([ground], choose(points_of("", calls), POINTS, seed), LANES // 2)
    assert not results.broken, f"seed {seed}: " + "\n".join(results.broken)
    assert not results.failed, f"seed {seed}: " + "\n".join(map(str, results.failed))
    assert [str(report.point) for report in results.reports if not report.reached] == []
