# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gate's readings over time: what can't be read holds the deployment, and never lets it go on."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.model import ALARMS
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import GateState, Verdict

if t.TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.settings import GateSettings


class Readings:
    """Since when each gate has said what it says."""

    def __init__(self) -> None:
        self._last: dict[str, Verdict] = {}

    def read(self, gate: str, look: Callable[[], Verdict]) -> Verdict:
        """Looks at a gate.

        Args:
            gate: its name.
            look: reads it, and may raise AwsError.

        Returns:
            Its verdict, UNREADABLE where AWS gave no answer; `since` is kept for as long as its state stays the same.
        """
        try:
            verdict = look()
        except AwsError as error:
            verdict = Verdict(gate, GateState.UNREADABLE, str(error), clock.now())
        last = self._last.get(gate)
        if last and last.state is verdict.state:
            verdict = replace(verdict, since=last.since)
        self._last[gate] = verdict
        return verdict

    def forget(self) -> None:
        """Begins anew, as after a shift."""
        self._last.clear()


def after_deadline(verdict: Verdict, settings: GateSettings, now: datetime) -> Verdict:
    """The verdict, failed where it has held the deployment for too long.

    A gate that can't be read and an alarm that lost its data have `deadline`; too few requests and a person who has
    not answered have `approval_deadline`.
    """
    patience = _patience(verdict, settings)
    if patience is None or now - verdict.since < patience:
        return verdict
    minutes = f"{patience.total_seconds() / 60:g} min"
    return replace(verdict, state=GateState.FAILED, words=f"{verdict.state} for {minutes}: {verdict.words}")


def _patience(verdict: Verdict, settings: GateSettings) -> timedelta | None:
    if verdict.state is GateState.UNREADABLE:
        return settings.deadline
    if verdict.state is GateState.UNDECIDED:
        return settings.deadline if verdict.gate == ALARMS else settings.approval_deadline
    return None
