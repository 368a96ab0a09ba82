# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people read: lines while a run is under way, and its result as data."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import Colour, servers

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.engine import Outcome
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
        Await,
        ColourStack,
        Observed,
        Plan,
        Step,
    )

AT_LEAST_EVERY_SECONDS: t.Final = 60


class Reporter:
    """A line when something changed, and at least once a minute.

    Args:
        env: whose deployment it is; each line begins with it.
        tell: is called with each line.
    """

    def __init__(self, env: str, tell: Callable[[str], None]) -> None:
        self._env = env
        self._tell = tell
        self._last = ""
        self._told_at = time.monotonic()

    def doing(self, step: Step) -> None:
        self._line(f"{step} ({step.reason})")

    def waiting(self, step: Await) -> None:
        text = f"{step} ({step.reason})"
        if text != self._last or time.monotonic() - self._told_at >= AT_LEAST_EVERY_SECONDS:
            self._line(text)

    def ended(self, end: Plan) -> None:
        unproven = "" if end.proven else "; unproven, since the load balancer can't be reached from here"
        self._line(f"{end.result}: {end.reason}{unproven}")

    def _line(self, text: str) -> None:
        self._last, self._told_at = text, time.monotonic()
        self._tell(f"{self._env} | {text}")


def colour_facts(stack: ColourStack | None) -> dict[str, t.Any] | None:
    """One colour as data, None where there is none."""
    if stack is None:
        return None
    return {
        "release": stack.release,
        "image": stack.image,
        "status": stack.status,
        "desired": stack.desired,
        "min": stack.minimum,
        "max": stack.maximum,
        "healthy": stack.healthy,
        "created_at": stack.created_at.isoformat(),
    }


def environment_facts(seen: Observed) -> dict[str, t.Any]:
    """An env as data: the edge, which colour is live, the weights, the colours."""
    edge = seen.edge
    return {
        "edge": {"stack": edge.name, "status": edge.status, "url": _url(seen)},
        "live": edge.live.value if edge.live else None,
        "weights": {colour.value: weight for colour, weight in edge.weights.items()},
        "swapped_at": edge.swapped_at.isoformat() if edge.swapped_at else None,
        "colours": {colour.value: colour_facts(stack) for colour, stack in seen.colours.items()},
    }


def outcome_facts(outcome: Outcome, check_mode: bool) -> dict[str, t.Any]:
    """A run's result, as the module returns it. In check mode: what a run would return if nothing else happened."""
    steps = outcome.plan.steps if check_mode else outcome.done
    seen = outcome.before if check_mode else outcome.after
    live = seen.colours[seen.edge.live] if seen.edge.live else None
    failed = outcome.plan.result.is_failure
    facts = {
        "changed": bool(steps),
        "failed": failed,
        "result": outcome.plan.result.value,
        "reason": outcome.plan.reason,
        "steps": [{"step": str(step), "reason": step.reason} for step in steps],
        "proven": outcome.plan.proven and not check_mode,
        "live": seen.edge.live.value if seen.edge.live else None,
        "release": live.release if live else None,
        "environment": environment_facts(seen),
        "diff": {
            "before": _lines(outcome.before),
            "after": _lines(outcome.after),
        },
    }
    if failed:
        facts["msg"] = f"{outcome.plan.result}: {outcome.plan.reason}"
    return facts


def _url(seen: Observed) -> str:
    edge = seen.edge
    standard = edge.port == (443 if edge.tls else 80)
    return f"{'https' if edge.tls else 'http'}://{edge.address}{'' if standard else f':{edge.port}'}/"


def _lines(seen: Observed) -> str:
    """What a run can change, a line each."""
    return "".join(_line(colour, seen.colours[colour], seen.edge.weights.get(colour, 0)) for colour in Colour)


def _line(colour: Colour, stack: ColourStack | None, weight: int) -> str:
    holds = f"{stack.release}, {servers(stack.desired)}" if stack else "nothing"
    return f"{colour}: weight {weight}, {holds}\n"
