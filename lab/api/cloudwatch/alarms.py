# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alarms are evaluated once a minute of the lab, and what changes is announced at once.

Only whole periods count, and only half a second after their end, so that what was seen in them has arrived. As on
AWS, a state that SetAlarmState has set stays until the next evaluation.

Private to ministack 1.5.33: the tables and records of alarms, ``_evaluate_alarm`` (its own evaluation of an
alarm that was put, which knows no missing data and no M of N), ``_dispatch_alarm_actions``,
``_evaluate_parent_alarms``, ``_record_history``, and how alarms are put.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

from ministack.services import cloudwatch

from lab.api.cloudwatch import announce, store
from lab.api.cloudwatch.announce import Alarm, State
from lab.api.cloudwatch.clock import Clock, index
from lab.api.cloudwatch.data import metric_of
from lab.api.cloudwatch.judge import COMPARISONS, MISSING_DATA, SPARE_PERIODS, Rule, judge
from lab.api.cloudwatch.statistics import is_statistic
from lab.api.patching import replace

log = logging.getLogger(__name__)
_ARRIVAL_SECONDS = 0.5
_TICK_SECONDS = 0.2


class Alarms:
    """The alarms' evaluation. Everything happens on the API's event loop, as the requests that change alarms do."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._evaluated: dict[str, int] = {}
        self._announced: dict[str, State] = {}
        replace(cloudwatch, "_evaluate_alarm", _tidy)
        replace(cloudwatch, "_dispatch_alarm_actions", self._announce)
        _refuse_wrong_alarms()

    async def watch(self, stop: asyncio.Event) -> None:
        """Evaluate until told to stop."""
        while not stop.is_set():
            self.tick(time.time())
            try:
                await asyncio.wait_for(stop.wait(), _TICK_SECONDS)
            except TimeoutError:
                continue

    def tick(self, now: float) -> None:
        """Evaluate every alarm whose minute has ended since it was evaluated last."""
        for alarm in list(cloudwatch._alarms.values()):
            try:
                self._evaluate(alarm, now)
            except Exception:  # the other alarms are evaluated; what went wrong is in the log
                log.exception("alarm %s could not be evaluated", alarm["AlarmName"])

    def _evaluate(self, alarm: Alarm, now: float) -> None:
        step = self._clock.resolution(alarm["Period"])
        minute = index(now - _ARRIVAL_SECONDS, 0, step)
        if self._evaluated.get(alarm["AlarmName"]) == minute:
            return
        self._evaluated[alarm["AlarmName"]] = minute
        length, count = self._clock.length(alarm["Period"]), alarm["EvaluationPeriods"] + SPARE_PERIODS
        statistic = alarm.get("ExtendedStatistic") or alarm["Statistic"]
        start = minute * step - count * length
        values = store.series(metric_of(alarm), [statistic], start, length, count, alarm.get("Unit"))[statistic]
        found = judge(_rule(alarm), values, alarm["StateValue"])
        if found.state != alarm["StateValue"]:
            self._change(alarm, found.state, found.reason)

    def _change(self, alarm: Alarm, new: str, reason: str) -> None:
        old = alarm["StateValue"]
        alarm["StateValue"], alarm["StateReason"] = new, reason
        cloudwatch._record_history(alarm["AlarmName"], old, new, reason)
        cloudwatch._dispatch_alarm_actions(alarm, old, new, reason)
        cloudwatch._evaluate_parent_alarms(alarm)

    def _announce(self, alarm: Alarm, old: str, _new: str, _reason: str) -> None:
        """In the place of ministack's: every change of a metric or composite alarm comes here, its record has it."""
        alarm["StateUpdatedTimestamp"] = alarm["StateTransitionedTimestamp"] = round(time.time(), 3)
        previous = self._announced.get(alarm["AlarmArn"], {})
        self._announced[alarm["AlarmArn"]] = announce.state_of(alarm)
        announce.put_event(alarm, previous if previous.get("value") == old else {"value": old})
        announce.notify(alarm, old)


def _rule(alarm: Alarm) -> Rule:
    periods = alarm["EvaluationPeriods"]
    return Rule(
        comparison=alarm["ComparisonOperator"],
        threshold=alarm["Threshold"],
        periods=periods,
        to_alarm=alarm.get("DatapointsToAlarm") or periods,
        missing=alarm["TreatMissingData"],
    )


def _tidy(alarm: Alarm) -> None:
    """Leave out of the record of an alarm that was put what AWS leaves out."""
    if alarm.get("ExtendedStatistic"):
        alarm.pop("Statistic", None)


def _refuse_wrong_alarms() -> None:
    """What could never be evaluated is refused when it is put, by an API call or by a stack."""
    put = cloudwatch._put_metric_alarm
    put_by_stack = cloudwatch.cloudformation_put_metric_alarm

    def checked(params: object, data: dict[str, Any], is_cbor: bool, is_json: bool = False) -> Any:
        problem = _problem(data) if is_cbor or is_json else None
        if problem:
            return cloudwatch._error("ValidationError", problem, 400, use_json=is_json, use_cbor=is_cbor)
        return put(params, data, is_cbor, is_json)

    def checked_by_stack(alarm: Alarm) -> None:
        problem = _problem(alarm)
        if problem:
            raise ValueError(problem)
        put_by_stack(alarm)

    replace(cloudwatch, "_put_metric_alarm", checked)
    replace(cloudwatch, "cloudformation_put_metric_alarm", checked_by_stack)


def _problem(given: dict[str, Any]) -> str | None:
    """What is wrong with an alarm's settings, or what the lab can't evaluate."""
    if given.get("Metrics"):
        return "The lab has no metric math: give the alarm MetricName and Namespace"
    statistic = given.get("ExtendedStatistic") or given.get("Statistic") or ""
    periods = int(given.get("EvaluationPeriods") or 0)
    checks = {
        f"the statistic {statistic!r}": is_statistic(statistic),
        f"ComparisonOperator {given.get('ComparisonOperator')}": given.get("ComparisonOperator") in COMPARISONS,
        f"TreatMissingData {given.get('TreatMissingData')}": given.get("TreatMissingData") in (None, *MISSING_DATA),
        f"Period {given.get('Period')}": int(given.get("Period") or 0) > 0,
        f"EvaluationPeriods {periods}": periods > 0,
        "DatapointsToAlarm above EvaluationPeriods": int(given.get("DatapointsToAlarm") or 1) <= periods,
    }
    wrong = [what for what, right in checks.items() if not right]
    return f"The alarm {given.get('AlarmName')} can't have {', '.join(wrong)}" if wrong else None
