# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls are recorded, and meet the faults that a test asks for, so that an SDK behaves as it does with AWS."""

from __future__ import annotations

import itertools
import socket
import urllib.error
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError
from botocore.httpsession import URLLib3Session

from tests.lab.contract.faulty import Client, ask
from tests.lab.contract.support import Api, wait_for

#: A read of each protocol's services: boto3's name, operation, codes for throttle, internal and denied.
SERVICES: list[tuple[str, str, str, str, str]] = [
    ("cloudformation", "DescribeStacks", "Throttling", "InternalFailure", "AccessDenied"),
    ("autoscaling", "DescribeAutoScalingGroups", "Throttling", "InternalFailure", "AccessDenied"),
    ("elbv2", "DescribeLoadBalancers", "Throttling", "InternalFailure", "AccessDenied"),
    ("ec2", "DescribeVpcs", "RequestLimitExceeded", "InternalError", "UnauthorizedOperation"),
    ("dynamodb", "ListTables", "ThrottlingException", "InternalServerError", "AccessDeniedException"),
    ("cloudwatch", "DescribeAlarms", "Throttling", "InternalServiceError", "AccessDenied"),
    ("sns", "ListTopics", "Throttling", "InternalError", "AuthorizationError"),
    ("sts", "GetCallerIdentity", "Throttling", "InternalFailure", "AccessDenied"),
    ("ssm", "DescribeParameters", "ThrottlingException", "InternalServerError", "AccessDeniedException"),
    ("lambda", "ListFunctions", "TooManyRequestsException", "ServiceException", "AccessDeniedException"),
]
ONE_OF_EACH_PROTOCOL = ("cloudformation", "ec2", "dynamodb", "cloudwatch", "lambda")


def call(client: Any, operation: str, **arguments: object) -> dict[str, Any]:
    found: dict[str, Any] = client._make_api_call(operation, arguments)
    return found


KEYS = (f"AKFAULTS{number:04}" for number in itertools.count())


@pytest.fixture
def client(api: Api) -> Iterator[Client]:
    """A client that no other test shares; its faults are removed."""
    yield Client(api, next(KEYS))
    ask(api, "DELETE", "/_lab/faults")


# --- recording


def test_calls_are_recorded_in_order_with_who_what_and_the_answer(client: Client) -> None:
    client.of("cloudformation").list_stacks()
    client.of("dynamodb").create_table(
        TableName="recorded",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    with pytest.raises(ClientError):
        client.of("cloudformation").describe_stacks(StackName="none-such")
    with pytest.raises(ClientError):
        client.of("lambda").get_function(FunctionName="none-such")
    facts = ("service", "operation", "writes", "resource", "status", "executed")
    assert [tuple(each[fact] for fact in facts) for each in client.calls()] == [
        ("cloudformation", "ListStacks", False, "", 200, True),
        ("dynamodb", "CreateTable", True, "recorded", 200, True),
        ("cloudformation", "DescribeStacks", False, "none-such", 400, True),
        ("lambda", "GetFunction", False, "none-such", 404, True),
    ]


def test_calls_since_a_number_and_of_one_client(client: Client) -> None:
    client.of("sts").get_caller_identity()
    Client(client.api, "SOMEONEELSE").of("sts").get_caller_identity()
    client.of("sns").list_topics()
    first, second = client.calls()
    assert second["number"] == first["number"] + 2
    assert client.calls(since=first["number"]) == [second]
    assert second["time"] >= first["time"] > 1_700_000_000


def test_numbers_go_on_when_calls_are_forgotten(client: Client) -> None:
    client.of("sts").get_caller_identity()
    (before,) = client.calls()
    ask(client.api, "DELETE", "/_lab/calls")
    assert client.calls() == []
    client.of("sts").get_caller_identity()
    (after,) = client.calls()
    assert after["number"] > before["number"]


# --- answers in the service's own words


@pytest.mark.parametrize(("service", "operation", "throttle", "internal", "denied"), SERVICES)
def test_refusals_have_the_code_of_the_service(
    client: Client, service: str, operation: str, throttle: str, internal: str, denied: str
) -> None:
    sdk = client.of(service)
    for effect, code in (("throttle", throttle), ("internal", internal), ("denied", denied)):
        client.fault(effect, service=service, operation=operation)
        with pytest.raises(ClientError) as refusal:
            call(sdk, operation)
        assert refusal.value.response["Error"]["Code"] == code
    assert call(sdk, operation), "a fault is used up"
    assert [each["executed"] for each in client.calls()] == [False, False, False, True]


@pytest.mark.parametrize(("service", "operation"), [row[:2] for row in SERVICES if row[0] in ONE_OF_EACH_PROTOCOL])
@pytest.mark.parametrize("effect", ["throttle", "internal", "reset", "reset_after"])
def test_an_sdk_retries_what_may_be_retried(client: Client, service: str, operation: str, effect: str) -> None:
    client.fault(effect, service=service)
    assert call(client.of(service, attempts=2), operation)["ResponseMetadata"]["RetryAttempts"] == 1
    assert [each["executed"] for each in client.calls()] == [effect == "reset_after", True]


@pytest.mark.parametrize(("service", "operation"), [row[:2] for row in SERVICES])
def test_an_sdk_does_not_retry_what_was_denied(client: Client, service: str, operation: str) -> None:
    client.fault("denied", service=service)
    with pytest.raises(ClientError):
        call(client.of(service, attempts=3), operation)
    assert len(client.calls()) == 1


# --- which call


def test_the_nth_call_of_an_operation(client: Client) -> None:
    client.fault("denied", operation="ListTopics", nth=2)
    sns = client.of("sns")
    sns.list_topics()
    sns.list_subscriptions()
    with pytest.raises(ClientError):
        sns.list_topics()
    sns.list_topics()
    assert [each["fault"] for each in client.calls()] == [None, None, "denied", None]


def test_the_nth_call_of_a_client_whatever_it_is(client: Client) -> None:
    fault = client.fault("throttle", nth=3)
    client.of("sns").list_topics()
    Client(client.api, "SOMEONEELSE").of("sns").list_topics()
    client.of("sts").get_caller_identity()
    with pytest.raises(ClientError):
        client.of("ec2").describe_vpcs()
    assert fault.seen()["call"] == client.calls()[-1]["number"]


def test_as_many_times_as_asked(client: Client) -> None:
    fault = client.fault("throttle", times=2)
    answer = client.of("sns", attempts=3).list_topics()
    assert answer["ResponseMetadata"]["RetryAttempts"] == 2
    assert fault.seen()["left"] == 0


def test_writes_alone(client: Client) -> None:
    client.fault("denied", writes=True)
    sns = client.of("sns")
    sns.list_topics()
    with pytest.raises(ClientError):
        sns.create_topic(Name="never")
    assert not [each for each in sns.list_topics()["Topics"] if each["TopicArn"].endswith(":never")]


def test_removed_faults_meet_nobody(client: Client) -> None:
    client.fault("denied")
    ask(client.api, "DELETE", "/_lab/faults")
    assert client.of("sns").list_topics()
    assert ask(client.api, "GET", "/_lab/faults")["faults"] == []


# --- connections


@pytest.mark.parametrize(("effect", "made"), [("reset", False), ("reset_after", True)])
def test_a_reset_ends_the_connection_before_or_after_the_call(client: Client, effect: str, made: bool) -> None:
    name = effect.replace("_", "-")
    client.fault(effect, operation="CreateTopic")
    sns = client.of("sns")
    with pytest.raises(ConnectionClosedError):
        sns.create_topic(Name=name)
    assert any(each["TopicArn"].endswith(f":{name}") for each in sns.list_topics()["Topics"]) is made
    assert client.calls()[0]["status"] is None


# --- holds


def in_background(work: Callable[[], Any]) -> Any:
    return ThreadPoolExecutor(1).submit(work)


def topics(client: Client) -> list[str]:
    found = Client(client.api, "LOOKSON").of("sns").list_topics()["Topics"]
    return [each["TopicArn"].rsplit(":", 1)[1] for each in found]


def test_a_held_call_is_executed_when_it_is_released(client: Client) -> None:
    fault = client.fault("hold_before", operation="CreateTopic")
    made = in_background(lambda: client.of("sns").create_topic(Name="held"))
    assert fault.seen(wait=10)["hit"]
    assert "held" not in topics(client)
    assert not made.done()
    fault.release()
    assert made.result(10)["TopicArn"].endswith(":held")


def test_a_held_call_is_dropped_when_it_is_released_so(client: Client) -> None:
    fault = client.fault("hold_before", operation="CreateTopic")
    made = in_background(lambda: client.of("sns").create_topic(Name="dropped"))
    fault.seen(wait=10)
    fault.release(execute=False)
    assert isinstance(made.exception(10), ConnectionClosedError)
    assert "dropped" not in topics(client)


def test_a_call_held_after_it_was_executed(client: Client) -> None:
    fault = client.fault("hold_after", operation="CreateTopic")
    made = in_background(lambda: client.of("sns").create_topic(Name="done"))
    assert fault.seen(wait=10)["call"] == client.calls()[0]["number"]
    wait_for(lambda: "done" in topics(client), "the topic")
    assert not made.done()
    fault.release()
    assert made.result(10)["TopicArn"].endswith(":done")


@pytest.mark.parametrize(("effect", "made"), [("hold_before", False), ("hold_after", True)])
def test_a_client_that_dies_during_a_hold(
    client: Client, effect: str, made: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "died-" + effect.replace("_", "-")
    fault = client.fault(effect, operation="CreateTopic")
    with dying_call(client, name, monkeypatch):
        assert fault.seen(wait=10)["hit"]
        if made:
            wait_for(lambda: name in topics(client), "the topic")
    (seen,) = client.calls()
    wait_for(lambda: not fault.seen()["holding"], "the end of the hold")
    assert (name in topics(client)) is made
    assert seen["status"] is None
    fault.release()
    assert (name in topics(client)) is made, "a release comes too late for a client that has gone"


def dying_call(client: Client, name: str, monkeypatch: pytest.MonkeyPatch) -> socket.socket:
    """The connection of a signed CreateTopic that was sent; closed at the end of ``with``."""
    sent: list[Any] = []

    def note(_session: Any, request: Any) -> Any:
        sent.append(request)
        raise ConnectionClosedError(endpoint_url=request.url)

    with monkeypatch.context() as patched:
        patched.setattr(URLLib3Session, "send", note)
        with pytest.raises(ConnectionClosedError):
            client.of("sns").create_topic(Name=name)
    (request,) = sent
    body = request.body if isinstance(request.body, bytes) else request.body.encode()
    headers = {key: value if isinstance(value, str) else value.decode() for key, value in request.headers.items()}
    host = urlsplit(client.api.url)
    lines = [f"{key}: {value}" for key, value in {**headers, "Host": host.netloc}.items()]
    connection = socket.create_connection((str(host.hostname), host.port or 80), timeout=10)
    connection.sendall("\r\n".join(["POST / HTTP/1.1", *lines, "", ""]).encode() + body)
    return connection


def test_a_look_at_a_fault_that_nobody_met_ends_with_its_time(client: Client) -> None:
    assert client.fault("reset").seen(wait=0.2)["hit"] is False


# --- wrong orders


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"effect": "explode"}, "effect is 'explode': it must be one of throttle"),
        ({"effect": "reset", "match": {"stack": "a"}}, "match.stack is unknown"),
        ({"effect": "slow_resource", "match": {"action": "look"}}, "match.action is 'look'"),
        ({"effect": "reset", "times": 0}, "times is 0"),
        ({"effect": "reset", "match": {"nth": "2"}}, "match.nth is '2'"),
    ],
)
def test_a_fault_that_cannot_be_is_refused_with_why(api: Api, asked: dict[str, Any], why: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refusal:
        ask(api, "POST", "/_lab/faults", asked)
    assert refusal.value.code == 400
    assert why in refusal.value.read().decode()
