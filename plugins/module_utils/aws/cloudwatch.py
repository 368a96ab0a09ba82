# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudWatch: the states of alarms, and what the load balancer counted for each colour."""

from __future__ import annotations

import collections
import math
import typing as t
from datetime import timedelta

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError, aws_call, one_line
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.counts import Counted, compare
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.model import AlarmState

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from mypy_boto3_cloudwatch.type_defs import (
        CompositeAlarmTypeDef,
        MetricAlarmTypeDef,
        MetricDataQueryTypeDef,
        MetricDataResultTypeDef,
    )

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.counts import Points
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.model import Metrics

K = t.TypeVar("K")

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
NAMES_A_CALL: t.Final = 100

MINUTE_SECONDS: t.Final = 60
REQUESTS: t.Final = "RequestCount"
RESPONSES: t.Final = tuple(f"HTTPCode_Target_{code}XX_Count" for code in (2, 3, 4, 5))
CONNECTION_ERRORS: t.Final = "TargetConnectionErrorCount"
COUNTS: t.Final = (REQUESTS, *RESPONSES, CONNECTION_ERRORS)
RESPONSE_TIME: t.Final = "TargetResponseTime"
OWN_ERRORS: t.Final = "HTTPCode_ELB_5XX_Count"
"""Known for the load balancer as a whole only."""


@aws_call("read the alarms")
def describe_alarms(clients: Clients, names: Iterable[str]) -> dict[str, AlarmState]:
    """Name → alarm, metric or composite, of those that exist. No names asks nothing (AWS would return every alarm)."""
    unique = list(dict.fromkeys(names))
    found: dict[str, AlarmState] = {}
    for start in range(0, len(unique), NAMES_A_CALL):
        pages = clients.cloudwatch.get_paginator("describe_alarms").paginate(
            AlarmNames=unique[start : start + NAMES_A_CALL],
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],  # without it composite alarms are left out
            PaginationConfig={"PageSize": NAMES_A_CALL},
        )
        for page in pages:
            for metric in page.get("MetricAlarms", []):
                found[metric["AlarmName"]] = _alarm(metric, metric.get("TreatMissingData") or "missing")
            for composite in page.get("CompositeAlarms", []):
                found[composite["AlarmName"]] = _alarm(composite, "")
    return found


def _alarm(alarm: MetricAlarmTypeDef | CompositeAlarmTypeDef, missing_data: str) -> AlarmState:
    # "Updated" moves with more than the state's value.
    since = alarm.get("StateTransitionedTimestamp") or alarm["StateUpdatedTimestamp"]
    reason = one_line(alarm.get("StateReason", ""))
    return AlarmState(alarm["AlarmName"], alarm["StateValue"], reason, missing_data, since)


def colour_metrics(
    clients: Clients, load_balancer: str, target_groups: Mapping[K, str], start: datetime, end: datetime
) -> dict[K, Metrics]:
    """What the load balancer counted for each colour, in one call.

    Counts come by the minute (see `counts.compare`, which puts them together). Percentiles can't be added up, so p95
    is CloudWatch's own over the whole time, as one period (periods begin at the start time); where it nevertheless
    comes in pieces, their median is taken.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html

    Args:
        clients: the way to the env's account and region.
        load_balancer: its full name, as in ``app/shop-prod/50dc6c495c0c9188``.
        target_groups: colour → full name, as in ``targetgroup/shop-prod-blue/73e2d6bc24d8a067``.
        start: a whole minute.
        end: a whole minute, at most a day after the start.

    Raises:
        AwsError: the call failed, or the answer is incomplete.
    """
    balancer = {"LoadBalancer": load_balancer}
    queries = [_query("b", OWN_ERRORS, balancer)]
    for number, group in enumerate(target_groups.values()):
        both = {"TargetGroup": group, **balancer}
        queries += [_query(f"c{number}m{place}", name, both) for place, name in enumerate(COUNTS)]
        queries.append(_query(f"c{number}p", RESPONSE_TIME, both, "p95", end - start))
    points = _metric_data(clients, load_balancer, queries, start, end)
    counted = {colour: _counted(points, f"c{number}") for number, colour in enumerate(target_groups)}
    return compare(counted, points["b"])


def _counted(points: Mapping[str, Points], colour: str) -> Counted:
    requests, ok, moved, refused, failed, connection_errors = (
        points[f"{colour}m{place}"] for place in range(len(COUNTS))
    )
    return Counted(requests, (ok, moved, refused, failed), connection_errors, points[f"{colour}p"])


def _query(
    query_id: str,
    metric: str,
    dimensions: Mapping[str, str],
    statistic: str = "Sum",
    period: timedelta = timedelta(seconds=MINUTE_SECONDS),
) -> MetricDataQueryTypeDef:
    return {
        "Id": query_id,
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/ApplicationELB",
                "MetricName": metric,
                "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
            },
            "Period": math.ceil(period.total_seconds() / MINUTE_SECONDS) * MINUTE_SECONDS,
            "Stat": statistic,
        },
    }


@aws_call("read the metrics of {}")
def _metric_data(
    clients: Clients, load_balancer: str, queries: list[MetricDataQueryTypeDef], start: datetime, end: datetime
) -> dict[str, dict[datetime, float]]:
    """Query's id → time → value; an id's points may come on several pages, and its last status counts."""
    points: dict[str, dict[datetime, float]] = collections.defaultdict(dict)
    status: dict[str, str] = {}
    pages = clients.cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries, StartTime=start, EndTime=end
    )
    for page in pages:
        for result in page["MetricDataResults"]:
            points[result["Id"]].update(zip(result["Timestamps"], result["Values"], strict=True))
            status[result["Id"]] = _status(result)
    incomplete = sorted({status.get(query["Id"], "no answer") for query in queries} - {"Complete"})
    if incomplete:
        raise AwsError(f"read the metrics of {load_balancer}", f"the answer is incomplete: {', '.join(incomplete)}")
    return points


def _status(result: MetricDataResultTypeDef) -> str:
    """``Complete``, or why not (``PartialData``, ``InternalError``, ``Forbidden``)."""
    said = [one_line(message.get("Value", "")) for message in result.get("Messages", [])]
    return " ".join([result.get("StatusCode", "Complete"), *(said if result.get("StatusCode") != "Complete" else [])])
