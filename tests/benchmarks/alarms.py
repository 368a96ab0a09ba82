# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An alarm in the middle of a canary whose controller is dead: how long the new release goes on answering."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3

from lab.cli.environment import variables
from tests.benchmarks.stage import Place
from tests.benchmarks.swaps import AFTERWARDS_SECONDS, PATHS, RATE
from tests.lab.deployments.env import Env, until
from tests.lab.deployments.seen import failed

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

CANARY: dict[str, Any] = {"strategy": "canary", "canary": [50], "bake_time": "30m"}
PATIENCE_SECONDS = 240.0


@dataclass(frozen=True)
class TurnedBack:
    """One alarm.

    Attributes:
        alarm_to_zero: seconds from the alarm's StateUpdatedTimestamp to the last response of the new release.
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
    watch = _cloudwatch(env)
    with env.load(RATE, PATHS) as load:
        controller = env.start("deploy", image=release)
        until(lambda: env.weights == (50, 50), "half of the traffic is on each colour", PATIENCE_SECONDS)
        controller.says("50 % of the traffic", PATIENCE_SECONDS)
        time.sleep(AFTERWARDS_SECONDS)  # both colours answer for a while
        controller.kill()
        alarm = env.alarm
        watch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="for a measurement")
        fired = watch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"][0]["StateUpdatedTimestamp"].timestamp()
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


def _cloudwatch(env: Env) -> CloudWatchClient:
    lab = variables(env.shop.settings)
    session = boto3.session.Session("observer", lab["AWS_SECRET_ACCESS_KEY"], region_name=lab["AWS_DEFAULT_REGION"])
    return session.client("cloudwatch", endpoint_url=lab["AWS_ENDPOINT_URL"])
