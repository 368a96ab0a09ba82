# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of CloudWatch, and what its answers mean; the calls' shapes are botocore's own."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.stub import Stubber

from ansible_collections.immutable.ec2.plugins.module_utils.aws.cloudwatch import colour_metrics, describe_alarms
from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.model import AlarmState, Metrics

START = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
MINUTES = [START + timedelta(minutes=number) for number in range(3)]
END = START + timedelta(minutes=3)
BALANCER = "app/shop-prod/50dc6c495c0c9188"
GROUPS = {"blue": "targetgroup/shop-prod-blue/73e2d6bc24d8a067", "green": "targetgroup/shop-prod-green/a1b2"}
Answer = dict[str, t.Any]


@pytest.fixture
def clients() -> Clients:
    session = boto3.session.Session("AKIDEXAMPLE", "secret", region_name="eu-west-1")
    return Clients(session, {})


@pytest.fixture
def cloudwatch(clients: Clients) -> Iterator[Stubber]:
    with Stubber(clients.cloudwatch) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


# ---------------------------------------------------------------- alarms


def asked(names: list[str]) -> Answer:
    return {"AlarmNames": names, "AlarmTypes": ["MetricAlarm", "CompositeAlarm"], "MaxRecords": 100}


def alarm(name: str, **more: object) -> Answer:
    return {"AlarmName": name, "StateValue": "OK", "StateTransitionedTimestamp": START, **more}


def test_metric_and_composite_alarms_are_read_with_what_a_gate_looks_at(clients: Clients, cloudwatch: Stubber) -> None:
    metric = alarm(
        "a",
        StateValue="ALARM",
        StateReason="2 datapoints\nwere  over",
        TreatMissingData="ignore",
        StateUpdatedTimestamp=END,
    )
    cloudwatch.add_response(
        "describe_alarms", {"MetricAlarms": [metric], "CompositeAlarms": [alarm("b")]}, asked(["a", "b"])
    )
    assert describe_alarms(clients, ["a", "b"]) == {
        "a": AlarmState("a", "ALARM", "2 datapoints were over", "ignore", START),
        "b": AlarmState("b", "OK", "", "", START),
    }


def test_an_alarm_that_does_not_say_treats_missing_data_as_missing(clients: Clients, cloudwatch: Stubber) -> None:
    cloudwatch.add_response("describe_alarms", {"MetricAlarms": [alarm("a")]}, asked(["a"]))
    assert describe_alarms(clients, ["a"])["a"].missing_data == "missing"


def test_an_alarm_that_never_changed_is_as_old_as_its_state(clients: Clients, cloudwatch: Stubber) -> None:
    never = {"AlarmName": "a", "StateValue": "INSUFFICIENT_DATA", "StateUpdatedTimestamp": START}
    cloudwatch.add_response("describe_alarms", {"MetricAlarms": [never]}, asked(["a"]))
    assert describe_alarms(clients, ["a"])["a"].since == START


def test_a_hundred_names_a_call_each_name_once_and_all_pages(clients: Clients, cloudwatch: Stubber) -> None:
    names = [f"alarm-{number}" for number in range(101)]
    cloudwatch.add_response(
        "describe_alarms", {"MetricAlarms": [alarm("alarm-0")], "NextToken": "more"}, asked(names[:100])
    )
    cloudwatch.add_response(
        "describe_alarms", {"MetricAlarms": [alarm("alarm-1")]}, {**asked(names[:100]), "NextToken": "more"}
    )
    cloudwatch.add_response("describe_alarms", {"MetricAlarms": [alarm("alarm-100")]}, asked(names[100:]))
    assert list(describe_alarms(clients, [*names, *names])) == ["alarm-0", "alarm-1", "alarm-100"]


def test_without_names_nothing_is_asked(clients: Clients, cloudwatch: Stubber) -> None:
    assert describe_alarms(clients, []) == {}


# ---------------------------------------------------------------- metrics


def points(query: str, values: dict[datetime, float], **more: object) -> Answer:
    return {
        "Id": query,
        "StatusCode": "Complete",
        "Timestamps": list(values),
        "Values": list(values.values()),
        **more,
    }


def answer(**given: dict[datetime, float]) -> Answer:
    """Every query's answer; those that are not given have no points."""
    queries = ["b", *(f"c{colour}{query}" for colour in (0, 1) for query in (*(f"m{n}" for n in range(6)), "p"))]
    return {"MetricDataResults": [points(query, given.get(query, {})) for query in queries]}


def read(clients: Clients) -> dict[str, Metrics]:
    return colour_metrics(clients, BALANCER, GROUPS, START, END)


def every(value: float) -> dict[datetime, float]:
    return dict.fromkeys(MINUTES, value)


def query(query_id: str, metric: str, statistic: str, period: int, **dimension: str) -> Answer:
    dimensions = [{"Name": name, "Value": value} for name, value in {**dimension, "LoadBalancer": BALANCER}.items()]
    stat = {"Namespace": "AWS/ApplicationELB", "MetricName": metric, "Dimensions": dimensions}
    return {"Id": query_id, "MetricStat": {"Metric": stat, "Period": period, "Stat": statistic}}


def test_counts_are_asked_by_the_minute_and_p95_over_the_whole_time_in_one_call(
    clients: Clients, cloudwatch: Stubber
) -> None:
    own = query("b", "HTTPCode_ELB_5XX_Count", "Sum", 60)
    queries = [
        query(f"c{number}{name}", metric, statistic, period, TargetGroup=group)
        for number, group in enumerate(GROUPS.values())
        for name, metric, statistic, period in (
            ("m0", "RequestCount", "Sum", 60),
            ("m1", "HTTPCode_Target_2XX_Count", "Sum", 60),
            ("m2", "HTTPCode_Target_3XX_Count", "Sum", 60),
            ("m3", "HTTPCode_Target_4XX_Count", "Sum", 60),
            ("m4", "HTTPCode_Target_5XX_Count", "Sum", 60),
            ("m5", "TargetConnectionErrorCount", "Sum", 60),
            ("p", "TargetResponseTime", "p95", 180),
        )
    ]
    asked = {"MetricDataQueries": [own, *queries], "StartTime": START, "EndTime": END}
    cloudwatch.add_response("get_metric_data", answer(), asked)
    read(clients)


def test_each_colour_has_its_own_figures(clients: Clients, cloudwatch: Stubber) -> None:
    first = {MINUTES[1]: 4.0}
    cloudwatch.add_response(
        "get_metric_data",
        answer(c0m0=every(900), c0p={START: 0.2}, c1m0=every(100), c1m4=first, c1m5=first, c1p={START: 0.6}),
    )
    assert read(clients) == {"blue": Metrics(2700, 0, 0, 0.2), "green": Metrics(300, 4, 4, 0.6)}


def test_a_p95_in_pieces_is_their_median(clients: Clients, cloudwatch: Stubber) -> None:
    pieces = dict(zip(MINUTES, (0.2, 9.0, 0.3), strict=True))
    cloudwatch.add_response("get_metric_data", answer(c0p=pieces))
    assert read(clients)["blue"].p95 == 0.3


def test_without_requests_there_is_nothing(clients: Clients, cloudwatch: Stubber) -> None:
    cloudwatch.add_response("get_metric_data", answer())
    assert read(clients) == {"blue": Metrics(0, 0, 0, None), "green": Metrics(0, 0, 0, None)}


def test_what_the_load_balancer_answered_itself_is_of_the_colour_that_did_not(
    clients: Clients, cloudwatch: Stubber
) -> None:
    answered = {"c0m1": every(800), "c0m2": every(60), "c0m3": every(40), "c1m1": every(97)}
    cloudwatch.add_response("get_metric_data", answer(c0m0=every(900), c1m0=every(100), b=every(3), **answered))
    assert read(clients) == {"blue": Metrics(2700, 0, 0, None, 0), "green": Metrics(300, 0, 0, None, 9)}


def test_points_on_several_pages_are_put_together(clients: Clients, cloudwatch: Stubber) -> None:
    whole = answer(c0m0=every(900), c1m0=every(100))
    half = [points("c0m0", {MINUTES[0]: 900.0}, StatusCode="PartialData")]
    cloudwatch.add_response("get_metric_data", {"MetricDataResults": half, "NextToken": "more"})
    whole["MetricDataResults"][1] = points("c0m0", {MINUTES[1]: 900.0, MINUTES[2]: 900.0})
    cloudwatch.add_response("get_metric_data", whole)
    assert read(clients)["blue"].requests == 2700


@pytest.mark.parametrize("status", ["PartialData", "InternalError", "Forbidden"])
def test_an_incomplete_answer_is_none(clients: Clients, cloudwatch: Stubber, status: str) -> None:
    broken = answer(c0m0=every(900), c1m0=every(100))
    broken["MetricDataResults"][1].update(StatusCode=status, Messages=[{"Code": "x", "Value": "not now"}])
    cloudwatch.add_response("get_metric_data", broken)
    with pytest.raises(AwsError, match=f"read the metrics of {BALANCER}: the answer is incomplete: {status} not now"):
        read(clients)


def test_a_query_without_an_answer_is_no_answer(clients: Clients, cloudwatch: Stubber) -> None:
    short = answer(c0m0=every(900), c1m0=every(100))
    del short["MetricDataResults"][5]
    cloudwatch.add_response("get_metric_data", short)
    with pytest.raises(AwsError, match="incomplete: no answer"):
        read(clients)


def test_a_refused_call_is_an_error_of_ours(clients: Clients, cloudwatch: Stubber) -> None:
    cloudwatch.add_client_error("get_metric_data", "AccessDenied", "no")
    with pytest.raises(AwsError, match=f"Could not read the metrics of {BALANCER}: AccessDenied: no"):
        read(clients)
