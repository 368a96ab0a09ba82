# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many points, several at a time, each in an env that is at rest."""

from __future__ import annotations

import itertools
import json
import queue
import random
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.points import Call, Point, common, points_of
from tests.faults.trial import Report, run_point
from tests.faults.world import Env, Ground

PROGRESS_SECONDS = 10.0
#: Runs without a fault that show which calls a deployment makes.
RECORDED = 3
NUMBERS = itertools.count(1)


@dataclass
class Results:
    """What became of all points."""

    reports: list[Report] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """Points that could not be judged at all, with why: mistakes of the harness or the lab."""
    seconds: float = 0.0

    @property
    def failed(self) -> list[Report]:
        return [report for report in self.reports if not report.clean]

    def facts(self, seed: int) -> dict[str, object]:
        """For build/faults.json."""
        return {
            "points": len(self.reports),
            "runs": sum(len(report.results) for report in self.reports),
            "dirty": sum(report.dirty for report in self.reports),
            "violations": sum(len(report.violations) for report in self.reports),
            "broken": len(self.broken),
            "not_reached": sum(not report.reached for report in self.reports),
            "run_again": sum(len(report.results) > 1 for report in self.reports),
            "rolled_back": sum(report.results[-1:] == ["rolled_back"] for report in self.reports),
            "seconds": round(self.seconds, 1),
            "seed": seed,
        }


def record(
    grounds: Sequence[Ground], releases: Mapping[str, Call | None], tell: Callable[[str], None] = print
) -> list[Point]:
    """Every point of the deployments of these releases, from some runs of each without a fault.

    Args:
        grounds: the labs.
        releases: "" for the other good one, else the release's name → the call after which it differs from others that
            are given; None for every call.
        tell: is called with lines of progress.
    """
    runs = run_points(grounds, [Point(release, None) for release in releases] * RECORDED, RECORDED, tell)
    failed = [str(report) for report in runs.failed] + runs.broken
    failed += [f"took a second run: {report}" for report in runs.reports if len(report.results) > 1]
    assert not failed, "without a fault: " + "; ".join(failed)
    points = []
    for release, since in releases.items():
        calls = common([one.calls for one in runs.reports if one.point.release == release])
        points += points_of(release, calls[calls.index(since) + 1 :] if since else calls)
    return points


def run_points(
    grounds: Sequence[Ground],
    points: Sequence[Point],
    lanes: int,
    tell: Callable[[str], None] = print,
    bug: str = "",
) -> Results:
    """Runs the points, in each of the labs so many at a time.

    Args:
        grounds: the labs, which share the points.
        points: in any order.
        lanes: envs in each lab.
        tell: is called with lines of progress, and each failure as it comes.
        bug: a mistake that is made on purpose in every run.
    """
    waiting: queue.SimpleQueue[Point] = queue.SimpleQueue()
    for point in points:
        waiting.put(point)
    results, begun = Results(), time.monotonic()
    threads = [
        threading.Thread(target=_lane, args=(ground, waiting, results, tell, bug), daemon=True)
        for _ in range(lanes)
        for ground in grounds
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        deadline = time.monotonic() + PROGRESS_SECONDS
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        passed = time.monotonic() - begun
        tell(
            f"faults: {len(results.reports)} of {len(points)} points, {len(results.failed)} failed, "
            f"{len(results.broken)} not judged, {passed:.0f} s"
        )
    results.seconds = time.monotonic() - begun
    return results


def _lane(
    ground: Ground,
    waiting: queue.SimpleQueue[Point],
    results: Results,
    tell: Callable[[str], None],
    bug: str,
) -> None:
    """One point after another in an env, in a new one after something went wrong."""
    env = None
    while True:
        try:
            point = waiting.get_nowait()
        except queue.Empty:
            break
        try:
            if env is None:
                env = Env(ground, f"f{next(NUMBERS):04}")
                env.make()
            report = run_point(env, point, bug)
            results.reports.append(report)
            if report.clean:
                env.retire_idle()
                env.ready()
            else:
                tell(f"faults: FAILED {report}")
                env = None
        except Exception:  # the other points can be judged
            results.broken.append(f"{point}: {traceback.format_exc()}")
            tell(f"faults: NOT JUDGED {point} in {env.name if env else '?'}: {traceback.format_exc()}")
            env = None
    if env:
        env.remove()


def choose(points: Sequence[Point], count: int, seed: int) -> list[Point]:
    """So many of them, other ones for each seed."""
    return random.Random(seed).sample(list(points), min(count, len(points)))


def write(results: Results, seed: int, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results.facts(seed), indent=2) + "\n", encoding="utf-8")
