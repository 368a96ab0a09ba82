# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The alarms' gate: pure."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.model import ALARMS
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import GateState, Verdict

if t.TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.model import AlarmState


def missing_alarms(names: Collection[str], found: Collection[str]) -> tuple[str, ...]:
    """Those of the names that no alarm has, for a refusal before anything is changed."""
    return tuple(name for name in dict.fromkeys(names) if name not in found)


def left_out(states: Mapping[str, AlarmState], expected: Collection[str], started_at: datetime) -> tuple[str, ...]:
    """Expected alarms that have been in ALARM since before the deployment began: neither gate nor guard looks at them.

    One that recovers and fires again is no longer the alarm that was expected.
    """
    return tuple(
        name
        for name, state in states.items()
        if name in expected and state.value == "ALARM" and state.since <= started_at
    )


def check_alarms(
    names: Collection[str],
    states: Mapping[str, AlarmState],
    expected: Collection[str],
    started_at: datetime,
    now: datetime,
) -> Verdict:
    """What the alarms say of a deployment.

    An alarm in ALARM fails it. One without data (INSUFFICIENT_DATA) is let pass where it can say nothing of this
    deployment: it takes missing data for good (``notBreaching``), or it had none before the deployment began either,
    as in an env without traffic. One that lost its data since then holds the deployment, and so does one that is no
    longer there; `after_deadline` ends that.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html

    Args:
        names: the alarms that count.
        states: name → alarm, of those that were found.
        expected: names of alarms that may be in ALARM since before the start.
        started_at: when the deployment began; now, for a look before it begins.
        now: the time of the look.
    """
    out = left_out(states, expected, started_at)
    counted = [name for name in dict.fromkeys(names) if name not in out]
    firing, silent = [], []
    for name in counted:
        state = states.get(name)
        if state is None:
            silent.append(f"{name} is no longer there")
        elif state.value == "ALARM":
            firing.append(f"{name} is in ALARM: {state.reason}")
        elif state.value != "OK" and state.missing_data != "notBreaching" and state.since > started_at:
            silent.append(f"{name} has had no data since {state.since:%H:%M:%S}: {state.reason}")
    without = f"; left out because expected: {', '.join(out)}" if out else ""
    if firing:
        return Verdict(ALARMS, GateState.FAILED, "; ".join(firing), now)
    if silent:
        return Verdict(ALARMS, GateState.UNDECIDED, "; ".join(silent) + without, now)
    return Verdict(ALARMS, GateState.PASSED, f"none of {len(counted)} in ALARM{without}", now)
