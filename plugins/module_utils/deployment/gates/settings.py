# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user asks of the gates, as the arguments say it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import timedelta

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ANALYSIS_LEAST_BAKE: t.Final = timedelta(minutes=3)
"""The shortest bake time that holds a complete minute of metrics wherever in a minute it begins; see window.py."""


@dataclass(frozen=True)
class AnalysisSettings:
    """When the new colour counts as worse than the live one."""

    max_error_ratio: float = 1.5
    max_p95_ratio: float = 1.3
    min_requests: int = 200
    """Requests that each colour must have had before a comparison lets a deployment go on."""
    not_enough: str = "wait"
    """What too few requests mean at the end of a bake time: ``wait``, ``pass`` or ``fail``."""


@dataclass(frozen=True)
class CommandSettings:
    """A check of the user's own, run against the preview."""

    name: str
    run: str
    timeout: timedelta = timedelta(minutes=5)


@dataclass(frozen=True)
class GateSettings:
    """Everything that can hold a deployment or turn it back, besides the health of its servers."""

    alarms: tuple[str, ...] = ()
    """Names of alarms, beside those that the edge makes."""
    expected_alarms: tuple[str, ...] = ()
    """Alarms that may be in ALARM before the start."""
    analysis: AnalysisSettings | None = None
    command: CommandSettings | None = None
    approval: bool = False
    deadline: timedelta = timedelta(minutes=10)
    """How long a gate may be unreadable, or an alarm be without the data that it had before."""
    approval_deadline: timedelta = timedelta(hours=24)
    """How long a deployment waits for a person, or for requests."""


def read_gates(arguments: Mapping[str, t.Any]) -> GateSettings:
    """The gates of an env.

    Args:
        arguments: those of ``immutable.ec2.blue_green``; ``gates`` holds durations in seconds. What is absent or None
            has its default, and ``analysis`` or ``command`` without any value is no such gate.

    Raises:
        Refused: a command has nothing to run.
    """
    gates = _given(arguments.get("gates"))
    return GateSettings(
        alarms=tuple(gates.get("alarms", ())),
        expected_alarms=tuple(gates.get("expected_alarms", ())),
        analysis=_analysis(_given(gates.get("analysis"))),
        command=_command(_given(gates.get("command"))),
        approval=gates.get("approval", False),
        **_durations(gates, "deadline", "approval_deadline"),
    )


def _analysis(given: Mapping[str, t.Any]) -> AnalysisSettings | None:
    kinds: Mapping[str, Callable[[t.Any], t.Any]] = {
        "max_error_ratio": float,
        "max_p95_ratio": float,
        "min_requests": int,
        "not_enough": str,
    }
    return AnalysisSettings(**{key: kind(given[key]) for key, kind in kinds.items() if key in given}) if given else None


def _command(given: Mapping[str, t.Any]) -> CommandSettings | None:
    if not given:
        return None
    run = str(given.get("run", "")).strip()
    if not run:
        raise Refused("gates.command has nothing to run; give it `run`, a line for the shell, or remove it")
    return CommandSettings(str(given.get("name", "command")), run, **_durations(given, "timeout"))


def _durations(given: Mapping[str, t.Any], *keys: str) -> dict[str, t.Any]:
    return {key: timedelta(seconds=given[key]) for key in keys if key in given}


def _given(group: Mapping[str, t.Any] | None) -> dict[str, t.Any]:
    return {key: value for key, value in (group or {}).items() if value is not None}
