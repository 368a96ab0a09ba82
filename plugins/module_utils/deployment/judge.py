# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the gates that watch traffic, no more often than they can change."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta

from ansible_collections.immutable.ec2.plugins.module_utils.aws import cloudwatch
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates import alarms, analysis, window
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.model import ALARMS, ANALYSIS
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.readings import Readings, after_deadline
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    ALL_TRAFFIC,
    Colour,
    GateState,
    Observed,
    Verdict,
)

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.model import AlarmState
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.settings import AnalysisSettings
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import Deployment
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.naming import EdgeStack
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.settings import Settings

ALARMS_EVERY = timedelta(seconds=4)
METRICS_EVERY = timedelta(seconds=15)
"""The load balancer's metrics change once a minute."""

COUNTS_COME_WITHIN: t.Final = timedelta(minutes=3)
"""Without a request there is no count, and nobody who could be hurt either."""

QUIET_MINUTES: t.Final = 5
"""The last minutes in which a colour that is to go must have had no request."""


class Judge:
    """The gates of one run.

    Args:
        clients: the way to AWS.
        settings: which gates there are.
    """

    def __init__(self, clients: Clients, settings: Settings) -> None:
        self._clients = clients
        self._settings = settings
        self._readings = Readings()
        self._states: Mapping[str, AlarmState] = {}
        self.begin_anew()

    def begin_anew(self) -> None:
        """Traffic was shifted: what was measured before says nothing of now."""
        self._readings.forget()
        self._since = clock.now()
        self._alarm: Verdict | None = None
        self._analysis: Verdict | None = None
        self._alarms_read = self._metrics_read = datetime.min.replace(tzinfo=self._since.tzinfo)

    def verdicts(self, edge: EdgeStack, seen: Observed, target: Colour, baked: bool) -> tuple[Verdict, ...]:
        """What the gates say of the colour that gets traffic.

        Args:
            baked: whether its bake time is over, when too few requests mean what the env's file says.
        """
        gates, now = self._settings.gates, clock.now()
        began = seen.ledger.deployment.started_at if seen.ledger.deployment else now
        if self._alarm is None or now - self._alarms_read >= ALARMS_EVERY:
            self._alarms_read = now
            self._alarm = self._readings.read(ALARMS, lambda: self._alarms(edge, began))
        found = [self._alarm]
        if rules := gates.analysis:
            if self._analysis is None or now - self._metrics_read >= METRICS_EVERY:
                self._metrics_read = now
                self._analysis = self._readings.read(ANALYSIS, lambda: self._compare(rules, edge, seen, target))
            found.append(analysis.settle(self._analysis, rules) if baked else self._analysis)
        return tuple(after_deadline(verdict, gates, now) for verdict in found)

    def before_start(self, edge: EdgeStack) -> tuple[tuple[str, ...], Verdict]:
        """The alarms that don't exist, and what the others say before anything begins."""
        names, now = self._alarm_names(edge), clock.now()
        expected = self._settings.gates.expected_alarms
        self._states = cloudwatch.describe_alarms(self._clients, (*names, *expected))
        missing = alarms.missing_alarms((*names, *expected), self._states)
        return missing, alarms.check_alarms(names, self._states, expected, now, now)

    def guard_alarms(self, edge: EdgeStack, begun: Deployment) -> tuple[str, ...]:
        """The alarms that the guard acts on: all that count, but for expected ones that were in ALARM before."""
        names = self._alarm_names(edge)
        self._states = self._states or cloudwatch.describe_alarms(self._clients, names)
        out = alarms.left_out(self._states, self._settings.gates.expected_alarms, begun.started_at)
        return tuple(name for name in names if name not in out)

    def counted(self, edge: EdgeStack, target: Colour) -> bool:
        """Whether the load balancer's own counts show traffic on a colour since the shift, or that there is none to
        show."""
        now = clock.now()
        if now - self._since > COUNTS_COME_WITHIN:
            return True
        if now - self._metrics_read < METRICS_EVERY:
            return False
        self._metrics_read = now
        since = window.minutes_since(self._since, now)
        return since is not None and self._requests(edge, target, since.start, since.end) > 0

    def requests(self, edge: EdgeStack, colour: Colour) -> int:
        """The requests that a colour got in the last minutes, those of the minute in which it was swapped left out."""
        now = clock.now()
        start = now.replace(second=0, microsecond=0) - timedelta(minutes=QUIET_MINUTES)
        if edge.swapped_at:
            start = max(start, edge.swapped_at + timedelta(minutes=1))
        return self._requests(edge, colour, start, now) if start < now else 0

    def _requests(self, edge: EdgeStack, colour: Colour, start: datetime, end: datetime) -> int:
        group = {colour: _full_name(edge.target_group(colour))}
        return cloudwatch.colour_metrics(self._clients, _balancer(edge), group, start, end)[colour].requests

    def _alarm_names(self, edge: EdgeStack) -> tuple[str, ...]:
        """Those of the edge and those that the env's file names."""
        return tuple(dict.fromkeys((*edge.alarms, *self._settings.gates.alarms)))

    def _alarms(self, edge: EdgeStack, began: datetime) -> Verdict:
        names = self._alarm_names(edge)
        self._states = cloudwatch.describe_alarms(self._clients, names)
        return alarms.check_alarms(names, self._states, self._settings.gates.expected_alarms, began, clock.now())

    def _compare(self, rules: AnalysisSettings, edge: EdgeStack, seen: Observed, target: Colour) -> Verdict:
        now, old = clock.now(), target.other
        since = window.minutes_since(self._since, now)
        if since is None:
            return Verdict(ANALYSIS, GateState.UNDECIDED, "no complete minute of metrics yet", now)
        groups = {colour: _full_name(edge.target_group(colour)) for colour in Colour}
        balancer = _balancer(edge)
        if seen.edge.share(target) < ALL_TRAFFIC:
            both = cloudwatch.colour_metrics(self._clients, balancer, groups, since.start, since.end)
            return analysis.judge(both[target], both[old], rules, now)
        new = cloudwatch.colour_metrics(self._clients, balancer, {target: groups[target]}, since.start, since.end)
        before = window.minutes_before(self._since)
        live = cloudwatch.colour_metrics(self._clients, balancer, {old: groups[old]}, before.start, before.end)
        return analysis.judge(new[target], live[old], rules, now)


def _balancer(edge: EdgeStack) -> str:
    return _full_name(edge.outputs["LoadBalancerArn"])


def _full_name(arn: str) -> str:
    """``app/name/id`` or ``targetgroup/name/id``, as metrics name them, from an ARN."""
    return arn.rpartition(":")[2].removeprefix("loadbalancer/")
