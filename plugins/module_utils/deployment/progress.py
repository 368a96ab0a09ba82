# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people read while a run is under way: a line when something changed, and at least once a minute."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws.stack_events import line as event_line
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.words import plain, shares, span

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.stack_events import StackEvent
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
        Colour,
        GateState,
        GuardOrder,
        Lease,
        Verdict,
    )
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import Await, Plan, Step

AT_LEAST_EVERY_SECONDS: t.Final = 60
"""What goes on unchanged is said again after this long, and so are figures that change all the time."""

LINE_LENGTH: t.Final = 119


class Reporter:
    """The lines of one run.

    Args:
        env: whose deployment it is; each line begins with it.
        tell: is called with each line.
    """

    def __init__(self, env: str, tell: Callable[[str], None]) -> None:
        self._env = env
        self._tell = tell
        self._told_at = clock.monotonic()
        self._shown: dict[str, str] = {}
        self._gates: dict[str, tuple[GateState, str, float]] = {}

    def doing(self, step: Step) -> None:
        """A step begins."""
        self._shown.pop("waiting", None)
        self._line(f"{step} ({step.reason})")

    def waiting(self, step: Await) -> None:
        """Someone else is at work; called at each look. Time that goes by is no change."""
        text = f"{step} ({step.reason})"
        left = (f"; {step.seen}" if step.seen else "") + ("" if step.left is None else f", {span(step.left)} left")
        if self._changed("waiting", text) or clock.monotonic() - self._told_at >= AT_LEAST_EVERY_SECONDS:
            self._line(text + left)

    def happened(self, events: Iterable[StackEvent]) -> None:
        """Events of a stack since the last look, the oldest first: each resource once, failures with their reason."""
        for text in _event_lines(events, LINE_LENGTH - len(self._prefix)):
            self._line(text)

    def weights(self, now: Mapping[Colour, int], then: Mapping[Colour, int] | None = None) -> None:
        """Who gets how much of the traffic, and who will after the next shift; called at each look."""
        text = f"traffic: {shares(now)}" + (f"; next: {shares(then)}" if then else "")
        if self._changed("weights", text):
            self._line(text)

    def gates(self, verdicts: Iterable[Verdict]) -> None:
        """What each gate says; called at each look. A new answer is told at once, new figures once a minute."""
        for verdict in verdicts:
            now = clock.monotonic()
            state, words, at = self._gates.get(verdict.gate, (None, "", now))
            is_new = verdict.state is not state
            if is_new or (verdict.words != words and now - at >= AT_LEAST_EVERY_SECONDS):
                self._gates[verdict.gate] = (verdict.state, verdict.words, now)
                self._line(f"gate {verdict.gate} {verdict.state}: {verdict.words}")

    def locked(self, lease: Lease) -> None:
        """Another controller holds the env's lock; called at each look."""
        text = f"{lease.holder} has held the lock since {lease.since:%H:%M:%S} UTC to {lease.what}"
        if self._changed("lock", text) or clock.monotonic() - self._told_at >= AT_LEAST_EVERY_SECONDS:
            self._line(f"waiting: {text}")

    def guard_fired(self, order: GuardOrder) -> None:
        """The guard has turned traffic back; called at each look."""
        at = f" at {order.fired_at:%H:%M:%S} UTC" if order.fired_at else ""
        text = f"the guard has fired{at} on the alarm {order.fired_by}: {shares(order.safe)}"
        if self._changed("guard", text):
            self._line(text)

    def turning_back(self, reason: str) -> None:
        """Traffic goes back; called at each look."""
        if self._changed("turning back", reason):
            self._line(f"turning back: {reason}")

    def notice(self, text: str) -> None:
        """Something that a person should know and that stops nothing."""
        self._line(f"note: {text}")

    def ended(self, end: Plan) -> None:
        """The run is over. Lines of the reason after the first (a server's log) are told below it."""
        unproven = "" if end.proven else "; unproven, since the load balancer can't be reached from here"
        first, *more = end.reason.splitlines() or [""]
        self._line(f"{end.result}: {first}{unproven}")
        for each in more:
            self._line(f"  {each}")

    @property
    def _prefix(self) -> str:
        return f"{self._env} | "

    def _changed(self, kind: str, text: str) -> bool:
        before = self._shown.get(kind)
        self._shown[kind] = text
        return text != before

    def _line(self, text: str) -> None:
        self._told_at = clock.monotonic()
        self._tell(self._prefix + plain(text))


def _event_lines(events: Iterable[StackEvent], room: int) -> Iterator[str]:
    """As many events in a line as it has room for; a failure has a line of its own."""
    latest: dict[str, StackEvent] = {}
    for event in events:
        key = event.id if event.failed else event.name
        latest.pop(key, None)  # so that it goes to the end
        latest[key] = event
    text = ""
    for event in latest.values():
        item = event_line(event)
        if text and not event.failed and len(text) + len(item) + 2 <= room:
            text += f", {item}"
            continue
        if text:
            yield text
        text = f"stack {event.stack}: {item}"
        if event.failed:
            yield text
            text = ""
    if text:
        yield text
