# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells people and the edge's topic what a run is at."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.immutable.ec2.plugins.module_utils.aws import console
from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock, events
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.events import Event, Phase
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.progress import Reporter
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.report import url
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import (
    Await,
    Plan,
    Result,
    Shift,
    Step,
    TurnBack,
)

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import Deployment, Observed
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.observe import Observer
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.settings import Environment


class Herald:
    """The voice of one run.

    Args:
        clients: the way to AWS.
        environment: whose run it is.
        observer: knows the edge's topic.
        tell: is called with each line for a person.
    """

    def __init__(
        self, clients: Clients, environment: Environment, observer: Observer, tell: Callable[[str], None]
    ) -> None:
        self._clients = clients
        self._environment = environment
        self._observer = observer
        self._report = Reporter(environment.env, tell)
        self._deployment: Deployment | None = None
        self._ready = False
        self._shift: Shift | None = None

    def url(self, seen: Observed) -> str:
        return url(seen.edge)

    def note(self, text: str) -> None:
        """Something that a person should know and that stops nothing."""
        self._report.notice(text)

    def started(self, seen: Observed) -> None:
        """The lock is held."""
        self._deployment = seen.ledger.deployment
        if self._deployment and self._deployment.by == self._observer.ledger.holder:
            self._publish(seen, Phase.STARTED)
        elif self._deployment:
            self._report.notice(f"going on with {self._deployment.id}, begun by {self._deployment.by}")

    def _tell_news(self) -> None:
        """Stack events as they come."""
        self._report.happened(self._observer.news)
        self._observer.news.clear()

    def doing(self, seen: Observed, step: Step) -> None:
        self._tell_news()
        if isinstance(step, Shift):
            if not self._ready:
                self._publish(seen, Phase.READY)
            self._ready = True
            self._report.weights(seen.edge.weights, step.weights)
        if isinstance(step, TurnBack):
            self._report.turning_back(step.reason)
        self._report.doing(step)

    def shifting(self, step: Shift) -> None:
        """An update of the edge was begun; its event goes out when it is seen to be done."""
        self._shift = step

    def turning_back(self, seen: Observed, reason: str) -> None:
        self._report.turning_back(reason)
        self._publish(seen, Phase.TURNING_BACK, reason)

    def waiting(self, seen: Observed, step: Await) -> None:
        """Called at each look."""
        if self._shift and seen.edge.weights == self._shift.weights:
            self._shift = None
            self._publish(seen, Phase.SHIFTED)
        guard = seen.ledger.guard
        if guard and guard.fired_at and seen.ledger.deployment:
            self._report.guard_fired(guard)
        self._tell_news()
        self._report.waiting(step)
        if seen.watch.verdicts:
            self._report.gates(seen.watch.verdicts)

    def ended(self, seen: Observed, end: Plan) -> None:
        self._tell_news()
        if self._shift and seen.edge.weights == self._shift.weights:
            self._publish(seen, Phase.SHIFTED)
        self._report.ended(end)
        if self._deployment:
            self._publish(seen, Phase.ENDED, end.reason, end.result)

    def with_console(self, seen: Observed, end: Plan) -> Plan:
        """The end with the last lines of the console of a server that never got healthy: they tell why."""
        deployment = seen.ledger.deployment
        stack = seen.colours[deployment.colour] if deployment else None
        if end.result not in (Result.ABORTED, Result.ROLLED_BACK) or stack is None or not stack.unhealthy_server:
            return end
        try:
            lines = console.last_lines(self._clients, stack.unhealthy_server)
        except AwsError as error:
            lines = [str(error)]
        if not lines:
            return end
        return replace(end, reason="\n".join([end.reason, f"{stack.unhealthy_server} last wrote:", *lines]))

    def _publish(self, seen: Observed, phase: Phase, reason: str = "", result: Result | None = None) -> None:
        deployment = self._deployment
        if deployment is None:
            return
        event = Event(
            app=self._environment.app,
            env=self._environment.env,
            deployment=deployment.id,
            phase=phase,
            release=deployment.release,
            previous_release=deployment.previous_release,
            colour=deployment.colour,
            weights=seen.edge.weights,
            by=deployment.by,
            at=clock.now(),
            url=self.url(seen),
            reason=reason,
            result=result,
        )
        events.publish(self._clients, self._observer.stack.topic, event, self._report.notice)
