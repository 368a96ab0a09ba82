# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a deployment costs in calls, time and processor, beside a plain playbook that does the same swap.

Both deploy by turns, each to an env of its own, in a lab of their own whose clock is AWS's (factor 1): real servers, a
real load balancer, real requests; the API is emulated. ``BENCH_RUNS`` says how often (3).
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks.alarms import TurnedBack, turned_back
from tests.benchmarks.controllers import Run, typical
from tests.benchmarks.results import circumstances
from tests.benchmarks.stage import CLOCK_FACTOR, SERVERS, Place, stage
from tests.benchmarks.swaps import RATE, Swap, swap

RUNS = int(os.environ.get("BENCH_RUNS", "3"))


def main() -> None:
    with stage() as places:
        measurements = Measurements()
        for number in range(1, RUNS + 1):
            measurements.ours(places["ours"])
            measurements.plain(places["plain"])
            measurements.alarm(places["ours"])
            print(f"run {number} of {RUNS} is done", flush=True)
    figures = measurements.figures()
    print(json.dumps(figures["summary"], indent=2))
    Path(sys.argv[1]).write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


class Measurements:
    """All runs so far."""

    def __init__(self) -> None:
        self._ours: list[Swap] = []
        self._nothing: list[Run] = []
        self._plain: list[Swap] = []
        self._again: list[Run] = []
        self._alarms: list[TurnedBack] = []

    def ours(self, place: Place) -> None:
        """A deployment, and the same once more."""
        release = place.next
        self._ours.append(swap(place, lambda: place.ours(release)))
        again = place.ours(release)
        assert again.ended.result == "nothing_to_do", again.ended.said
        self._nothing.append(again)

    def plain(self, place: Place) -> None:
        """The plain playbook's swap, and the same once more."""
        release, colour = place.next, place.idle
        self._plain.append(swap(place, lambda: place.plain(release, colour)))
        self._again.append(place.plain(release, colour))

    def alarm(self, place: Place) -> None:
        """An alarm, while nobody is there to see it."""
        self._alarms.append(turned_back(place))

    def figures(self) -> dict[str, Any]:
        """The medians, what they are made of, and where."""
        ours, plain = _swaps(self._ours), _swaps(self._plain)
        nothing = typical(self._nothing)
        # The slowest: between two deployments the guard's function goes to sleep, as it does on AWS.
        alarm = round(max(run.alarm_to_zero for run in self._alarms), 2)
        return {
            "ours": ours,
            "plain_playbook": {**plain, "second_run": typical(self._again)},
            "alarm_to_zero_seconds": alarm,
            "nothing_to_do": {"seconds": nothing["seconds"], **nothing["calls"], "cpu_seconds": nothing["cpu_seconds"]},
            "summary": {
                "calls, ours": ours["calls"],
                "calls, plain": plain["calls"],
                "calls, ours to plain": _ratio(sum(ours["calls"].values()), sum(plain["calls"].values())),
                "CPU seconds, ours": ours["cpu_seconds"],
                "CPU seconds, plain": plain["cpu_seconds"],
                "CPU seconds, ours to plain": _ratio(ours["cpu_seconds"], plain["cpu_seconds"]),
                "healthy to swapped, seconds, ours": ours["healthy_to_swapped_seconds"],
                "healthy to swapped, seconds, plain": plain["healthy_to_swapped_seconds"],
                "alarm to zero, seconds": alarm,
                "nothing to do, seconds": nothing["seconds"],
                "nothing to do, calls": nothing["calls"],
                "second run of the plain playbook, calls": typical(self._again)["calls"],
            },
            "label": (
                "figures of the lab: the API is emulated, servers, load balancer and requests are real; "
                "medians of the runs below, of the alarms the slowest"
            ),
            "lab_clock_factor": CLOCK_FACTOR,
            "servers": SERVERS,
            "requests_a_second": RATE,
            **circumstances(),
            "runs": {
                "ours": [run.shown() for run in self._ours],
                "plain_playbook": [run.shown() for run in self._plain],
                "nothing_to_do": [run.shown() for run in self._nothing],
                "plain_playbook_second_run": [run.shown() for run in self._again],
                "alarm": [run.shown() for run in self._alarms],
            },
        }


def _swaps(swaps: list[Swap]) -> dict[str, Any]:
    waited = median(one.healthy_to_swapped for one in swaps)
    return {**typical([one.run for one in swaps]), "healthy_to_swapped_seconds": round(waited, 2)}


def _ratio(ours: float, plain: float) -> float:
    return round(ours / plain, 2)


if __name__ == "__main__":
    main()
