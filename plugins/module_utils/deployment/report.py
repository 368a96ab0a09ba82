# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An env, its history and a run's result as data, for playbooks and other programs; times are ISO 8601 in UTC."""

from __future__ import annotations

import typing as t
from datetime import UTC, timedelta

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import Colour, servers
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.windows import idle_window
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.words import span

if t.TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.history import Record
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
        ColourStack,
        Deployment,
        Edge,
        GuardOrder,
        Lease,
        Observed,
    )
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.outcome import Outcome
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.windows import Window


def environment_facts(
    seen: Observed,
    now: datetime | None = None,
    window: timedelta = timedelta(0),
    inspect_window: timedelta = timedelta(0),
    records: Iterable[Record] = (),
) -> dict[str, t.Any]:
    """An env as data: the edge, which colour is live, the weights, the colours, and what is under way.

    Args:
        seen: the env.
        now: without it no window is worked out.
        window: the env's rollback window.
        inspect_window: how long it keeps a colour that was turned back.
        records: the last deployments, the newest first: they say who deployed what a colour holds.
    """
    edge, known = seen.edge, list(records)
    idle = idle_window(seen, window, inspect_window, now) if now else None
    return {
        "edge": {"stack": edge.name, "status": edge.status, "url": url(edge)},
        "live": edge.live.value if edge.live else None,
        "weights": {colour.value: weight for colour, weight in edge.weights.items()},
        "swapped_at": _iso(edge.swapped_at),
        "colours": {
            colour.value: stack and _colour_facts(stack, edge, idle, known) for colour, stack in seen.colours.items()
        },
        "deployment": _deployment_facts(seen.ledger.deployment),
        "lock": _lock_facts(seen.ledger.lease, now),
        "guard": _guard_facts(seen.ledger.guard),
    }


def history_facts(records: Iterable[Record]) -> list[dict[str, t.Any]]:
    """Deployments that have ended, in the given order."""
    return [
        {
            "id": record.id,
            "kind": record.kind,
            "release": record.release,
            "image": record.image,
            "colour": record.colour.value,
            "previous_release": record.previous_release or None,
            "strategy": record.strategy,
            "by": record.by,
            "started_at": _iso(record.started_at),
            "ended_at": _iso(record.ended_at),
            "took": span(record.ended_at - record.started_at),
            "result": record.result,
            "reason": record.reason,
        }
        for record in records
    ]


def outcome_facts(outcome: Outcome, check_mode: bool) -> dict[str, t.Any]:
    """A run's result, as the module returns it. In check mode: what a run would return if nothing else happened."""
    end = outcome.plan
    steps = end.steps if check_mode else outcome.done
    seen = outcome.before if check_mode else outcome.after
    live = seen.colours[seen.edge.live] if seen.edge.live else None
    facts = {
        "changed": bool(steps),
        "failed": outcome.failed,
        "result": end.result.value,
        "reason": end.reason,
        "steps": [{"step": str(step), "reason": step.reason} for step in steps],
        "proven": end.proven and not check_mode,
        "live": seen.edge.live.value if seen.edge.live else None,
        "release": live.release if live else None,
        "environment": environment_facts(seen),
        "diff": {
            "before": _lines(outcome.before),
            "after": _lines(outcome.after),
        },
    }
    if outcome.failed:
        facts["msg"] = f"{end.result}: {end.reason}"
    return facts


def url(edge: Edge) -> str:
    """Where the env answers."""
    standard = edge.port == (443 if edge.tls else 80)
    return f"{'https' if edge.tls else 'http'}://{edge.address}{'' if standard else f':{edge.port}'}/"


def _colour_facts(stack: ColourStack, edge: Edge, idle: Window | None, records: list[Record]) -> dict[str, t.Any]:
    live = edge.live is stack.colour
    made_by = next((each for each in records if each.colour is stack.colour and each.release == stack.release), None)
    return {
        "release": stack.release,
        "image": stack.image,
        "status": stack.status,
        "desired": stack.desired,
        "min": stack.minimum,
        "max": stack.maximum,
        "healthy": stack.healthy,
        "created_at": _iso(stack.created_at),
        "since": _iso(edge.swapped_at if live and edge.swapped_at else stack.created_at),
        "by": made_by.by if made_by else None,
        "window_left": int(idle.left.total_seconds()) if idle and not live else None,
        "turned_back": idle.turned_back if idle and not live else False,
    }


def _deployment_facts(deployment: Deployment | None) -> dict[str, t.Any] | None:
    if deployment is None:
        return None
    return {
        "id": deployment.id,
        "kind": deployment.kind,
        "release": deployment.release,
        "image": deployment.image,
        "colour": deployment.colour.value,
        "previous_release": deployment.previous_release or None,
        "strategy": deployment.strategy,
        "by": deployment.by,
        "started_at": _iso(deployment.started_at),
        "turned_back": deployment.turned_back or None,
        "abort_by": deployment.abort_by or None,
        "approved_by": deployment.approved_by or None,
    }


def _lock_facts(lease: Lease | None, now: datetime | None) -> dict[str, t.Any] | None:
    if lease is None:
        return None
    return {
        "holder": lease.holder,
        "what": lease.what,
        "since": _iso(lease.since),
        "until": _iso(lease.until),
        "expired": None if now is None else lease.until <= now,
    }


def _guard_facts(order: GuardOrder | None) -> dict[str, t.Any] | None:
    if order is None:
        return None
    return {
        "deployment": order.deployment,
        "armed": order.armed,
        "safe": {colour.value: weight for colour, weight in order.safe.items()},
        "alarms": list(order.alarms),
        "fired_at": _iso(order.fired_at),
        "fired_by": order.fired_by or None,
    }


def _iso(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="seconds") if at else None


def _lines(seen: Observed) -> str:
    """What a run can change, a line each."""
    return "".join(_line(colour, seen.colours[colour], seen.edge.weights.get(colour, 0)) for colour in Colour)


def _line(colour: Colour, stack: ColourStack | None, weight: int) -> str:
    holds = f"{stack.release}, {servers(stack.desired)}" if stack else "nothing"
    return f"{colour}: weight {weight}, {holds}\n"
