# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run sees itself while it is under way: responses, gates, the command's answer."""

from __future__ import annotations

import collections
import typing as t
from dataclasses import replace
from datetime import datetime, timedelta

from ansible_collections.immutable.ec2.plugins.module_utils.aws import cloudwatch
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock, proof
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates import alarms, analysis, window
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.model import (
    ALARMS,
    ANALYSIS,
    PreviewAccess,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.readings import Readings, after_deadline
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    ALL_TRAFFIC,
    Colour,
    Deployed,
    GateState,
    Observed,
    RolledBack,
    Verdict,
    Wanted,
    Watch,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.naming import PREVIEW_HEADER
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan.shifts import shown
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import (
    DeleteColour,
    OpenPreview,
    Plan,
    Shift,
    Step,
)

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.model import AlarmState
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import Deployment
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.naming import EdgeStack
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.settings import Settings

ALARMS_EVERY = timedelta(seconds=4)
METRICS_EVERY = timedelta(seconds=15)
"""The load balancer's metrics change once a minute."""

QUIET_MINUTES: t.Final = 5
"""The last minutes in which a colour that is to go must have had no request."""


class Watcher:
    """The memory of one run.

    Args:
        clients: the way to AWS.
        settings: how a swap is judged.
    """

    def __init__(self, clients: Clients, settings: Settings) -> None:
        self._clients = clients
        self._settings = settings
        self._watch = Watch()
        self._answers: collections.Counter[str] | None = None
        self._readings = Readings()
        self._shifted_at: datetime | None = None
        self._analysed_at: datetime | None = None
        self._counted_at: datetime | None = None
        self._analysis: Verdict | None = None
        self._alarm: Verdict | None = None
        self._alarmed_at: datetime | None = None
        self._weights: Mapping[Colour, int] = {}
        self._states: Mapping[str, AlarmState] = {}

    def did(self, step: Step) -> None:
        """A step was done: what was seen before it is no proof any more."""
        if isinstance(step, Shift):
            self._forget()
            self._watch = replace(self._watch, shifted=True)
        if isinstance(step, OpenPreview):
            self._watch = replace(self._watch, preview_shown=False, command=None)
            self._answers = None

    def command_said(self, verdict: Verdict) -> None:
        self._watch = replace(self._watch, command=verdict)

    def continued(self) -> None:
        self._watch = replace(self._watch, continued=self._watch.continued + 1)

    @property
    def unproven(self) -> bool:
        return self._watch.unproven

    def add(self, edge: EdgeStack, seen: Observed, wanted: Wanted) -> Observed:
        """The observation with what this run saw: responses where traffic is split or was just moved, gates."""
        if isinstance(wanted, (Deployed, RolledBack)) and seen.edge.weights != self._weights:
            self._weights = seen.edge.weights
            self._forget()
        target = self._target(seen)
        if target and seen.ledger.deployment and not seen.ledger.deployment.turned_back:
            if seen.edge.share(target) > 0:
                self._prove(edge, seen, target)
                if isinstance(wanted, Deployed):
                    self._judge(edge, seen, target)
            elif seen.edge.preview and seen.edge.preview.colour is target:
                self._try_preview(seen, target)
        return replace(seen, watch=self._watch, answers=self._answers)

    def before_end(self, edge: EdgeStack, seen: Observed, decision: Plan) -> Observed:
        """Asks once more where it matters: before the end, and before anything is deleted."""
        deletes = bool(decision.steps) and isinstance(decision.steps[0], DeleteColour)
        if seen.edge.live is None or not (deletes or not decision.steps):
            return seen
        answers = proof.ask(seen.edge, self._settings.health_path)
        idle = seen.edge.live.other
        requests = self._requests(edge, idle) if deletes and seen.colours[idle] else 0
        return replace(seen, answers=answers, idle_requests=requests)

    # ------------------------------------------------------------ proof

    def _forget(self) -> None:
        self._answers = None
        self._readings.forget()
        self._analysis, self._analysed_at, self._counted_at, self._shifted_at = None, None, None, clock.now()
        self._watch = replace(self._watch, proven_at=None, verdicts=())

    def _target(self, seen: Observed) -> Colour | None:
        return seen.ledger.deployment.colour if seen.ledger.deployment else None

    def _prove(self, edge: EdgeStack, seen: Observed, target: Colour) -> None:
        if self._watch.proven_at:
            return
        stack = seen.colours[target]
        only = stack.release if stack and seen.edge.share(target) == ALL_TRAFFIC else None
        answers = proof.ask(seen.edge, self._settings.health_path, only=only)
        if answers is None:
            self._count(edge, target)
            return
        before = self._answers or collections.Counter()
        # What the load balancer did before it followed is no evidence for ever.
        whole = seen.edge.share(target) == ALL_TRAFFIC or sum(before.values()) > MOST_ANSWERS
        self._answers = collections.Counter(answers) if whole else before + collections.Counter(answers)
        if shown(replace(seen, answers=self._answers), target):
            self._watch = replace(self._watch, proven_at=clock.now())

    def _count(self, edge: EdgeStack, target: Colour) -> None:
        """The load balancer can't be reached from here: what it counted itself stands in, once it has counted."""
        now, shifted_at = clock.now(), self._shifted_at or clock.now()
        self._watch = replace(self._watch, unproven=True)
        if self._counted_at and now - self._counted_at < METRICS_EVERY:
            return
        self._counted_at = now
        since = window.minutes_since(shifted_at, now)
        balancer, group = _full_name(edge.outputs["LoadBalancerArn"]), _full_name(edge.target_group(target))
        count = (
            cloudwatch.colour_metrics(self._clients, balancer, {target: group}, since.start, since.end)[target].requests
            if since
            else 0
        )
        if count or now - shifted_at > COUNTS_COME_WITHIN:
            self._watch = replace(self._watch, proven_at=now)

    def _try_preview(self, seen: Observed, target: Colour) -> None:
        preview, stack = seen.edge.preview, seen.colours[target]
        if self._watch.preview_shown or preview is None or stack is None:
            return
        headers = {PREVIEW_HEADER: preview.secret}
        answers = proof.ask(seen.edge, self._settings.health_path, PREVIEW_REQUESTS, headers, stack.release)
        self._answers = collections.Counter(answers) if answers else None
        if answers is None or set(answers) == {stack.release}:
            self._watch = replace(self._watch, preview_shown=True, unproven=answers is None)

    def preview_access(self, seen: Observed, url: str) -> PreviewAccess:
        """How a command, or a person, gets to the new colour."""
        assert seen.edge.preview
        return PreviewAccess(url, PREVIEW_HEADER, seen.edge.preview.secret)

    # ------------------------------------------------------------ gates

    def alarm_names(self, edge: EdgeStack) -> tuple[str, ...]:
        """The alarms that count: those of the edge and those that the env's file names."""
        return tuple(dict.fromkeys((*edge.alarms, *self._settings.gates.alarms)))

    def _judge(self, edge: EdgeStack, seen: Observed, target: Colour) -> None:
        gates, now = self._settings.gates, clock.now()
        began = seen.ledger.deployment.started_at if seen.ledger.deployment else now
        if self._alarm is None or self._alarmed_at is None or now - self._alarmed_at >= ALARMS_EVERY:
            self._alarmed_at = now
            self._alarm = self._readings.read(ALARMS, lambda: self._alarms(edge, began))
        verdicts = [self._alarm]
        if gates.analysis and self._shifted_at:
            verdicts.append(self._analyse(edge, seen, target))
        self._watch = replace(self._watch, verdicts=tuple(after_deadline(verdict, gates, now) for verdict in verdicts))

    def _alarms(self, edge: EdgeStack, began: datetime) -> Verdict:
        names = self.alarm_names(edge)
        self._states = cloudwatch.describe_alarms(self._clients, names)
        return alarms.check_alarms(names, self._states, self._settings.gates.expected_alarms, began, clock.now())

    def before_start(self, edge: EdgeStack) -> tuple[tuple[str, ...], Verdict]:
        """The alarms that don't exist, and what the others say before anything begins."""
        names, now = self.alarm_names(edge), clock.now()
        expected = self._settings.gates.expected_alarms
        self._states = cloudwatch.describe_alarms(self._clients, (*names, *expected))
        missing = alarms.missing_alarms((*names, *expected), self._states)
        return missing, alarms.check_alarms(names, self._states, expected, now, now)

    def guard_alarms(self, edge: EdgeStack, begun: Deployment) -> tuple[str, ...]:
        """The alarms that the guard acts on: all that count, but for expected ones that were in ALARM before."""
        names = self.alarm_names(edge)
        self._states = self._states or cloudwatch.describe_alarms(self._clients, names)
        out = alarms.left_out(self._states, self._settings.gates.expected_alarms, begun.started_at)
        return tuple(name for name in names if name not in out)

    def _analyse(self, edge: EdgeStack, seen: Observed, target: Colour) -> Verdict:
        settings, now = self._settings.gates.analysis, clock.now()
        assert settings and self._shifted_at
        if self._analysis is None or self._analysed_at is None or now - self._analysed_at >= METRICS_EVERY:
            self._analysed_at = now
            self._analysis = self._readings.read(ANALYSIS, lambda: self._compare(edge, seen, target))
        proven = self._watch.proven_at
        over = proven is not None and now >= proven + self._settings.bake_time
        return analysis.settle(self._analysis, settings) if over else self._analysis

    def _compare(self, edge: EdgeStack, seen: Observed, target: Colour) -> Verdict:
        settings, now = self._settings.gates.analysis, clock.now()
        assert settings and self._shifted_at
        since = window.minutes_since(self._shifted_at, now)
        if since is None:
            return Verdict(ANALYSIS, GateState.UNDECIDED, "no complete minute of metrics yet", now)
        groups = {colour: _full_name(edge.target_group(colour)) for colour in Colour}
        balancer = _full_name(edge.outputs["LoadBalancerArn"])
        if seen.edge.share(target) < ALL_TRAFFIC:
            both = cloudwatch.colour_metrics(self._clients, balancer, groups, since.start, since.end)
            return analysis.judge(both[target], both[target.other], settings, now)
        new = cloudwatch.colour_metrics(self._clients, balancer, {target: groups[target]}, since.start, since.end)
        before, old = window.minutes_before(self._shifted_at), target.other
        live = cloudwatch.colour_metrics(self._clients, balancer, {old: groups[old]}, before.start, before.end)
        return analysis.judge(new[target], live[old], settings, now)

    def _requests(self, edge: EdgeStack, colour: Colour) -> int:
        now = clock.now()
        balancer, group = _full_name(edge.outputs["LoadBalancerArn"]), _full_name(edge.target_group(colour))
        start = now.replace(second=0, microsecond=0) - timedelta(minutes=QUIET_MINUTES)
        if edge.swapped_at:
            start = max(start, edge.swapped_at + timedelta(minutes=1))
        if start >= now:
            return 0
        return cloudwatch.colour_metrics(self._clients, balancer, {colour: group}, start, now)[colour].requests


MOST_ANSWERS: t.Final = 240
COUNTS_COME_WITHIN: t.Final = timedelta(minutes=3)
"""Without a request there is no count, and nobody who could be hurt either."""
PREVIEW_REQUESTS: t.Final = 3


def _full_name(arn: str) -> str:
    """``app/name/id`` or ``targetgroup/name/id``, as metrics name them, from an ARN."""
    return arn.rpartition(":")[2].removeprefix("loadbalancer/")
