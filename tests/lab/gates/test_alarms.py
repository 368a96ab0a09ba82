# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alarms of the lab's CloudWatch, read and judged as a deployment does."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.aws.cloudwatch import describe_alarms
from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.alarms import check_alarms, missing_alarms
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.model import ALARMS
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.readings import Readings
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import GateState, Verdict
from tests.lab.contract.support import Api, wait_for

_numbers = count(1)


@pytest.fixture
def name(api: Api) -> str:
    """An alarm without data that keeps its state then, so that only a test changes it."""
    name = f"orders-{next(_numbers)}"
    put_alarm(api, name)
    return name


def put_alarm(api: Api, name: str, missing_data: str = "ignore") -> None:
    api.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="Shop",
        MetricName=name,
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData=missing_data,
    )


def set_state(api: Api, name: str, state: str) -> None:
    api.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue=state, StateReason=f"set to {state}")


def check(clients: Clients, *names: str, started_at: datetime | None = None, expected: tuple[str, ...] = ()) -> Verdict:
    now = datetime.now(UTC)
    return check_alarms(names, describe_alarms(clients, names), expected, started_at or now, now)


def test_a_firing_alarm_fails_with_its_reason(api: Api, clients: Clients, name: str) -> None:
    set_state(api, name, "ALARM")
    verdict = check(clients, name)
    assert verdict.state is GateState.FAILED and verdict.words == f"{name} is in ALARM: set to ALARM"


def test_an_expected_alarm_is_left_out_until_it_fires_anew(api: Api, clients: Clients, name: str) -> None:
    set_state(api, name, "ALARM")
    started_at = datetime.now(UTC)
    assert check(clients, name, started_at=started_at, expected=(name,)).state is GateState.PASSED
    set_state(api, name, "OK")
    set_state(api, name, "ALARM")
    assert check(clients, name, started_at=started_at, expected=(name,)).state is GateState.FAILED


def test_an_alarm_that_never_had_data_holds_nothing_up(api: Api, clients: Clients, name: str) -> None:
    assert describe_alarms(clients, [name])[name].value == "INSUFFICIENT_DATA"
    assert check(clients, name, started_at=datetime.now(UTC)).state is GateState.PASSED


def test_an_alarm_that_loses_its_data_holds_the_deployment(api: Api, clients: Clients, name: str) -> None:
    set_state(api, name, "OK")
    started_at = datetime.now(UTC)
    set_state(api, name, "INSUFFICIENT_DATA")
    assert check(clients, name, started_at=started_at).state is GateState.UNDECIDED


def test_an_alarm_that_takes_missing_data_for_good_is_ok_without_any(api: Api, clients: Clients) -> None:
    put_alarm(api, "quiet", "notBreaching")
    wait_for(lambda: describe_alarms(clients, ["quiet"])["quiet"].value == "OK", "an evaluation")
    assert check(clients, "quiet").state is GateState.PASSED


def test_a_composite_alarm_counts_like_any_other(api: Api, clients: Clients, name: str) -> None:
    api.client("cloudwatch").put_composite_alarm(AlarmName=f"{name}-any", AlarmRule=f'ALARM("{name}")')
    set_state(api, name, "ALARM")
    wait_for(lambda: check(clients, f"{name}-any").state is GateState.FAILED, "the composite alarm in ALARM")


def test_alarms_that_do_not_exist_are_named(clients: Clients, name: str) -> None:
    names = ["no-such-alarm", name]
    assert missing_alarms(names, describe_alarms(clients, names)) == ("no-such-alarm",)


def test_more_alarms_than_a_call_takes_are_all_read(api: Api, clients: Clients) -> None:
    names = [f"many-{number}" for number in range(101)]
    for name in names:
        put_alarm(api, name)
    assert set(describe_alarms(clients, names)) == set(names)


# ---------------------------------------------------------------- unreadable


@pytest.fixture
def faults(api: Api) -> Iterator[str]:
    """Where faults are asked for; there are none afterwards."""
    url = f"{api.url}/_lab/faults"
    yield url
    urllib.request.urlopen(urllib.request.Request(url, method="DELETE"), timeout=10).close()


@pytest.mark.parametrize(("effect", "code"), [("throttle", "Throttling"), ("denied", "AccessDenied")])
def test_alarms_that_cannot_be_read_never_pass(
    faults: str, clients: Clients, name: str, effect: str, code: str
) -> None:
    readings, fault = Readings(), {"match": {"operation": "DescribeAlarms"}, "effect": effect, "times": 2}
    urllib.request.urlopen(urllib.request.Request(faults, json.dumps(fault).encode()), timeout=10).close()
    first, second, third = (readings.read(ALARMS, lambda: check(clients, name)) for _look in range(3))
    assert first.state is second.state is GateState.UNREADABLE and code in first.words
    assert second.since == first.since
    assert third.state is GateState.PASSED and third.since - first.since > timedelta(0)
