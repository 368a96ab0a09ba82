# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One point: a deployment that meets its fault, and the same command again until it comes to an end."""

from __future__ import annotations

import contextlib
import http.client
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults import clock, invariants
from tests.faults.invariants import Names
from tests.faults.playbooks import Playbook
from tests.faults.points import KILLS, Call, Point, calls_of
from tests.faults.world import COLOURS, Env, Snapshot, until
from tests.lab.contract.faulty import Fault, ask

MORE_RUNS = 2
ENDS = ("deployed", "rolled_back", "nothing_to_do")
REQUESTS = 5
#: Seconds that a run may take; a sleeping one costs nothing.
PATIENCE = 150.0


@dataclass
class Report:
    """What became of a point.

    Attributes:
        results: what each run said, "" where it said nothing.
        reached: whether the fault was met.
        violations: what was wrong, a sentence each.
        calls: of the first run.
        logs: of the runs.
    """

    point: Point
    results: list[str] = field(default_factory=list)
    reached: bool = True
    violations: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def dirty(self) -> bool:
        """Whether it came to no clean end."""
        return self.results[-1:] == [] or self.results[-1] not in ENDS

    @property
    def clean(self) -> bool:
        return not self.dirty and not self.violations

    def __str__(self) -> str:
        said = " → ".join(result or "no result" for result in self.results)
        wrong = "".join(f"\n    {why}" for why in self.violations)
        return f"{self.point}: {said}{wrong}\n    logs: {' '.join(self.logs)}"


def run_point(env: Env, point: Point, bug: str = "") -> Report:
    """Deploys to an env, which must be at rest, with the point's fault, and judges what came of it.

    Args:
        env: with one colour that serves, and no other.
        point: the fault.
        bug: a mistake that is made on purpose in each of the runs.
    """
    trial = _Trial(env, point, bug)
    trial.run()
    return trial.report


class _Trial:
    def __init__(self, env: Env, point: Point, bug: str) -> None:
        self._env, self._point, self._bug = env, point, bug
        self._began = time.monotonic()
        self._before = env.snapshot()
        clock.start(env.clock)
        self._since = env.journal(1 << 60)["last"]
        self._keys: list[str] = []
        self._orphaned_at: int | None = None
        self._orphans: list[int] = []
        self.report = Report(point)
        serving = self._before.release(self._before.live)
        self._release = point.release or next(each for each in env.ground.releases if each != serving)

    def run(self) -> None:
        self._first()
        while self.report.dirty and len(self.report.results) <= MORE_RUNS:
            self.report.violations += invariants.moment(self._env.snapshot())
            self._wait(self._env.deploy(self._release, self._next(), self._bug))
        until(lambda: not any(map(_alive, self._orphans)), "the killed controller's worker ends", PATIENCE)
        self._judge()
        self.report.seconds = time.monotonic() - self._began

    def _next(self) -> str:
        self._keys.append(self._env.key())
        return self._keys[-1]

    def _first(self) -> None:
        call, key = self._point.call, self._next()
        fault = None
        if call:
            who, effect = KILLS.get(self._point.effect, ("", self._point.effect))
            named = {"service": call.service, "operation": call.operation, "nth": call.nth}
            fault = self._env.fault(effect, key, **named)
        run = self._env.deploy(self._release, key, self._bug)
        if fault and who:
            self._kill(run, fault, who)
        self._wait(run)
        if fault:
            self.report.reached = bool(fault.seen()["hit"])
            fault.remove()

    def _kill(self, run: Playbook, fault: Fault, who: str) -> None:
        while not fault.seen(wait=0.5)["hit"]:
            if run.ended.is_set():
                return
        at = ask(self._env.ground.api, "GET", f"/_lab/calls?since={1 << 60}")["last"]
        self._orphans = run.kill(who)
        if who == "parent":
            run.ended.wait(10)
            self._orphaned_at = at
        # What was on the wire arrives, unless the process that waits for the answer is the one that is gone.
        with contextlib.suppress(OSError):
            fault.release(execute=who == "parent")

    def _wait(self, run: Playbook) -> None:
        if not run.ended.wait(PATIENCE):
            run.kill("worker")
            run.kill("parent")
            self.report.violations.append(f"a run did not end in {PATIENCE:.0f} s")
            run.ended.wait(10)
        self.report.results.append(str(self._env.result(self._keys[-1]).get("result") or ""))
        self.report.logs.append(run.request.log)

    def _judge(self) -> None:
        env, report = self._env, self.report
        after = env.snapshot()
        runs = [env.calls(key) for key in self._keys]
        entries = env.journal(self._since)["entries"]
        names = Names(
            env.outputs["ListenerArn"],
            {colour: env.target_group(colour) for colour in COLOURS},
            {colour: env.stack(colour) for colour in COLOURS},
            env.ground.sizes,
        )
        good = not self._point.release
        report.calls = calls_of(runs[0])
        report.violations += invariants.in_between(names, self._before, entries, good)
        report.violations += invariants.written(names, runs, entries, self._orphaned_at)
        if not report.dirty:
            report.violations += invariants.at_the_end(
                names.sizes, self._before, after, self._release, report.results[-1]
            )
            report.violations += _requests(env, after)


def _requests(env: Env, after: Snapshot) -> list[str]:
    """Promise 1, as a user sees it."""
    wanted = after.release(after.live)
    for _ in range(REQUESTS):
        connection = http.client.HTTPConnection(env.outputs["LoadBalancerDnsName"], 80, timeout=5)
        try:
            connection.request("GET", "/up", headers={"Connection": "close"})
            answer = connection.getresponse()
            if answer.status != 200 or answer.getheader("X-Release") != wanted:
                return [f"a request got {answer.status} from {answer.getheader('X-Release')}, not 200 from {wanted}"]
        finally:
            connection.close()
    return []


def _alive(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
