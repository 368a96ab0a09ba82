# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PutMetricData, GetMetricData, GetMetricStatistics and ListMetrics over the lab's store.

Private to ministack 1.5.33: its handlers' arguments (``params`` of the Query protocol, which SDKs no longer use; the
request's data; whether it came as CBOR, as JSON), ``_parse_ts``, ``_store_datum``, ``record_metric``, and how it writes
answers (``_cbor_ok``, ``_cbor_timestamp``, ``_json_ok``, ``_error``).
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ministack.services import cloudwatch

from lab.api.cloudwatch import store
from lab.api.cloudwatch.clock import Clock
from lab.api.cloudwatch.statistics import is_statistic, of_set, of_values
from lab.api.cloudwatch.store import Metric
from lab.api.patching import replace

Data = dict[str, Any]
Response = tuple[int, dict[str, str], bytes]

_SHORT_PERIODS = (1, 5, 10, 20, 30)
_PAGE = 500
#: AWS returns no more datapoints in one answer.
_MOST_POINTS = 100_800


class Refused(Exception):
    """What was asked for is wrong; the message says what."""


def use_data(clock: Clock) -> None:
    """Let ministack's actions on data work on the lab's store."""
    replace(cloudwatch, "_store_datum", _store)
    replace(cloudwatch, "record_metric", _record)
    replace(cloudwatch, "_get_metric_data", action(lambda data: _metric_data(clock, data)))
    replace(cloudwatch, "_get_metric_statistics", action(lambda data: _metric_statistics(clock, data)))
    replace(cloudwatch, "_list_metrics", action(_list_metrics))


def action(answer: Callable[[Data], Data]) -> Callable[..., Response]:
    """A handler as ministack calls it, from what a request's data is answered with."""

    def handle(_params: object, data: Data, is_cbor: bool, is_json: bool = False) -> Response:
        if not (is_cbor or is_json):
            return _refuse("The lab takes this action as JSON or CBOR only, as SDKs of 2025 and later send it", False)
        try:
            answered = answer(data)
        except Refused as refused:
            return _refuse(str(refused), is_json, is_cbor)
        response: Response = cloudwatch._cbor_ok(_tagged(answered)) if is_cbor else cloudwatch._json_ok(answered)
        return response

    return handle


def _refuse(message: str, is_json: bool, is_cbor: bool = False) -> Response:
    refusal: Response = cloudwatch._error("ValidationError", message, 400, use_json=is_json, use_cbor=is_cbor)
    return refusal


def _tagged(value: Any, key: str = "") -> Any:
    """The answer with its times as CBOR has them."""
    if isinstance(value, dict):
        return {name: _tagged(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_tagged(item, key.removesuffix("s")) for item in value]
    return cloudwatch._cbor_timestamp(value) if key == "Timestamp" else value


def _store(
    namespace: str,
    name: str,
    dimensions: Mapping[str, str],
    at: float,
    unit: str,
    value: float | None,
    values: Sequence[float] | None,
    counts: Sequence[float] | None,
    statistics: Mapping[str, float] | None,
) -> None:
    metric = Metric.of(namespace, name, dimensions)
    if values:
        store.add(metric, of_values(at, unit, [float(each) for each in values], counts))
    elif statistics:
        store.add(metric, of_set(at, unit, statistics))
    else:
        store.add(metric, of_values(at, unit, [float(value or 0)]))


def _record(
    namespace: str, name: str, value: float, unit: str = "None", dimensions: Mapping[str, str] | None = None
) -> None:
    """What ministack's services count."""
    store.add(Metric.of(namespace, name, dimensions or {}), of_values(time.time(), unit, [float(value)]))


def _metric_data(clock: Clock, data: Data) -> Data:
    results = [
        _result(clock, query, data) for query in data.get("MetricDataQueries", []) if query.get("ReturnData", True)
    ]
    return {"MetricDataResults": results, "Messages": []}


def _result(clock: Clock, query: Data, data: Data) -> Data:
    wanted = query.get("MetricStat")
    if not wanted:
        raise Refused(f"The lab has no metric math: give MetricStat in {query.get('Id')}")
    metric, statistic = metric_of(wanted["Metric"]), wanted["Stat"]
    times, found = _read(clock, metric, [statistic], wanted["Period"], data, wanted.get("Unit"))
    points = [point for point in zip(times, found[statistic], strict=True) if point[1] is not None]
    if data.get("ScanBy") != "TimestampAscending":
        points.reverse()
    return {
        "Id": query["Id"],
        "Label": query.get("Label") or metric.name,
        "Timestamps": [at for at, _ in points],
        "Values": [value for _, value in points],
        "StatusCode": "Complete",
    }


def _metric_statistics(clock: Clock, data: Data) -> Data:
    metric = metric_of(data)
    basic, extended = data.get("Statistics") or [], data.get("ExtendedStatistics") or []
    if not basic and not extended:
        raise Refused("Give Statistics or ExtendedStatistics")
    times, found = _read(clock, metric, [*basic, *extended], data["Period"], data, data.get("Unit"))
    points = []
    for number, at in enumerate(times):
        values = {name: found[name][number] for name in found if found[name][number] is not None}
        if values:
            point: Data = {"Timestamp": at, "Unit": data.get("Unit") or store.unit(metric)}
            point |= {name: value for name, value in values.items() if name in basic}
            if extended:
                point["ExtendedStatistics"] = {name: value for name, value in values.items() if name in extended}
            points.append(point)
    return {"Label": metric.name, "Datapoints": points}


def metric_of(given: Data) -> Metric:
    """The metric that a request or an alarm names."""
    dimensions = {each["Name"]: each["Value"] for each in given.get("Dimensions") or []}
    return Metric.of(given["Namespace"], given["MetricName"], dimensions)


def _read(
    clock: Clock, metric: Metric, statistics: Sequence[str], period: Any, data: Data, unit: str | None
) -> tuple[list[float], dict[str, list[float | None]]]:
    """The begins of the periods between the request's StartTime and EndTime, and the statistics' values in them.

    The start is rounded down to the minute (of a shorter period: to the period), as AWS does.
    """
    seconds = int(period)
    if seconds < 1 or (seconds not in _SHORT_PERIODS and seconds % 60):
        raise Refused(f"Period is {period}: it must be 1, 5, 10, 20, 30 or a multiple of 60")
    for statistic in statistics:
        if not is_statistic(statistic):
            raise Refused(f"The lab has no statistic {statistic!r}: SampleCount, Average, Sum, Minimum, Maximum or pNN")
    first, end = (cloudwatch._parse_ts(data.get(key)) for key in ("StartTime", "EndTime"))
    if first is None or end is None or first >= end:
        raise Refused("StartTime must be before EndTime, and both must be given")
    start, length = clock.begin(first, seconds), clock.length(seconds)
    count = math.ceil((end - start) / length)
    if count > _MOST_POINTS:
        raise Refused(f"{count} periods are too many: ask for a shorter time or a longer period")
    found = store.series(metric, statistics, start, length, count, unit)
    return [start + number * length for number in range(count)], found


def _list_metrics(data: Data) -> Data:
    token = data.get("NextToken") or "0"
    if not token.isdecimal():
        raise Refused(f"Invalid nextToken: {token}")
    found = [metric for metric in store.metrics() if _is_listed(metric, data)]
    page = found[int(token) : int(token) + _PAGE]
    answer: Data = {
        "Metrics": [
            {
                "Namespace": metric.namespace,
                "MetricName": metric.name,
                "Dimensions": [{"Name": name, "Value": value} for name, value in sorted(metric.dimensions)],
            }
            for metric in page
        ]
    }
    if len(found) > int(token) + _PAGE:
        answer["NextToken"] = str(int(token) + _PAGE)
    return answer


def _is_listed(metric: Metric, data: Data) -> bool:
    dimensions = dict(metric.dimensions)
    return (
        data.get("Namespace") in (None, metric.namespace)
        and data.get("MetricName") in (None, metric.name)
        and all(
            each["Name"] in dimensions and each.get("Value") in (None, dimensions[each["Name"]])
            for each in data.get("Dimensions") or []
        )
    )
