# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An alarm in the middle of a canary whose controller is dead: how long the new release goes on answering."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from tests.benchmarks.stage import Place
from tests.benchmarks.swaps import AFTERWARDS_SECONDS, PATHS, RATE
from tests.lab.deployments.env import until
from tests.lab.deployments.seen import failed

CANARY: dict[str, Any] = {"strategy": "canary", "canary": [50], "bake_time": "30m"}
PATIENCE_SECONDS = 240.0


@dataclass(frozen=True)
class TurnedBack:
    """One alarm.

    Attributes:
        alarm_to_zero: seconds from right before the call that sets the alarm to the last response of the new release.
        alarm_to_listener: the same to the moment in which the listener was seen to send it nothing.
        failed: requests that failed.
    """

    alarm_to_zero: float
    alarm_to_listener: float
    failed: int

    def shown(self) -> dict[str, Any]:
        """As data for JSON."""
        return {
            "alarm_to_zero_seconds": round(self.alarm_to_zero, 2),
            "alarm_to_listener_seconds": round(self.alarm_to_listener, 2),
            "failed_requests": self.failed,
        }


def turned_back(place: Place) -> TurnedBack:
    """Let an alarm fire at 50 % of the traffic; afterwards the env is as before."""
    env, release, new, old = place.env, place.next, place.idle, place.live
    place.write(**CANARY)
    with env.load(RATE, PATHS) as load:
        controller = env.start("deploy", image=release)
        controller.says("shift 50 % of the traffic", PATIENCE_SECONDS)
        until(lambda: env.weights == (50, 50), "half of the traffic is on each colour", PATIENCE_SECONDS)
        time.sleep(AFTERWARDS_SECONDS)  # both colours answer for a while
        controller.kill()
        fired = env.ring()
        safe = (100, 0) if old == "blue" else (0, 100)
        until(lambda: env.weights == safe, "all traffic is back", PATIENCE_SECONDS)
        listener = time.time() - fired
        time.sleep(AFTERWARDS_SECONDS)
    records = list(load.records())
    last = max(record.t + record.ms / 1000 for record in records if record.release == release)
    env.hush()
    env.lease_over()
    ended = env.deploy(release)
    assert ended.result == "rolled_back", ended.said
    place.leave(new)
    place.write()
    return TurnedBack(last - fired, listener, len(failed(records)))
