# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One swap under load, seen from outside: when the new servers were healthy, and when they had all traffic."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from tests.benchmarks.controllers import Run
from tests.benchmarks.stage import SERVERS, Place
from tests.lab.deployments.env import Env
from tests.lab.deployments.seen import failed

RATE = 25
PATHS = ("/up",)
"""What is asked for names its release and costs little."""

LOOK_SECONDS = 0.2
AFTERWARDS_SECONDS = 3.0
"""For so long it is seen that the old release answers no more."""


@dataclass(frozen=True)
class Swap:
    """One swap.

    Attributes:
        run: what it cost.
        healthy_to_swapped: seconds from the moment in which the last server was healthy to the last response of the old
            release.
        failed: requests that failed.
    """

    run: Run
    healthy_to_swapped: float
    failed: int

    def shown(self) -> dict[str, Any]:
        """As data for JSON."""
        seen = {"healthy_to_swapped_seconds": round(self.healthy_to_swapped, 2), "failed_requests": self.failed}
        return {**seen, **self.run.shown()}


def swap(place: Place, run: Callable[[], Run]) -> Swap:
    """Swap to the idle colour under load, and remove the colour that was live."""
    before, left = place.serving, place.live
    with place.env.load(RATE, PATHS) as load, Health(place.env, place.idle) as health:
        done = run()
        time.sleep(AFTERWARDS_SECONDS)
    assert place.serving != before, done.ended.said
    records = list(load.records())
    swapped = max(record.t + record.ms / 1000 for record in records if record.release == before)
    assert health.since, f"the servers of the new colour were not seen to be healthy: {done.ended.said}"
    place.leave(left)
    return Swap(done, swapped - health.since, len(failed(records)))


class Health:
    """Looks at a colour's targets in the background until all of them are healthy.

    Args:
        env: whose.
        colour: which.
    """

    def __init__(self, env: Env, colour: str) -> None:
        self._balancers = env.shop.cloud.balancers
        self._group = env.edge[f"{colour.title()}TargetGroupArn"]
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="health")
        self.since = 0.0
        """When they were first seen to be, in seconds since the epoch; 0 if they were not."""

    def __enter__(self) -> Health:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self.since and not self._end.wait(LOOK_SECONDS):
            targets = self._balancers.describe_target_health(TargetGroupArn=self._group)["TargetHealthDescriptions"]
            if sum(target["TargetHealth"]["State"] == "healthy" for target in targets) >= SERVERS:
                self.since = time.time()
