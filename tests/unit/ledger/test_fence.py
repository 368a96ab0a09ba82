# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the fence stops, and when botocore asks it: against a real HTTP server that answers 500."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.aws.cloudformation import describe_stack
from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError, LeaseLost, aws_call
from ansible_collections.immutable.ec2.plugins.module_utils.aws.fence import Fence
from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients, connect
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock


class Broken:
    """A server that has nothing but 500s. `requests` are the actions that came in."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.then: Callable[[], object] = lambda: None
        broken = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                broken.requests.append(parse_qs(body)["Action"][0])
                broken.then()
                self.send_response(500)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Nothing: the tests look at what was asked."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @contextmanager
    def serving(self) -> Iterator[str]:
        thread = threading.Thread(target=self._server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{self._server.server_port}"
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()


@pytest.fixture
def server() -> Broken:
    return Broken()


@pytest.fixture
def clients(server: Broken) -> Iterator[Clients]:
    with server.serving() as url:
        yield connect(
            {
                "region": "eu-west-1",
                "endpoint_url": url,
                "access_key": "any",
                "secret_key": "any-other",
                "aws_config": {"retries": {"mode": "adaptive", "total_max_attempts": 3}},
            }
        )


class Asked(Fence):
    """A fence that writes down what it was asked."""

    def __init__(self, lease_end: Callable[[], float | None]) -> None:
        super().__init__(lease_end)
        self.asked: list[str] = []

    def check(self, operation: str) -> None:
        self.asked.append(operation)
        super().check(operation)


def held() -> float:
    return clock.boottime() + 60


def over() -> float:
    return clock.boottime() - 1.5


@aws_call("set the desired capacity")
def write(clients: Clients) -> None:
    clients.autoscaling.set_desired_capacity(AutoScalingGroupName="shop-prod-blue", DesiredCapacity=3)


def test_every_retry_is_asked_about_by_its_operations_name(clients: Clients, server: Broken) -> None:
    fence = Asked(held)
    clients.fence(fence)
    with pytest.raises(AwsError):
        write(clients)
    assert fence.asked == ["SetDesiredCapacity"] * 3
    assert server.requests == ["SetDesiredCapacity"] * 3


def test_a_lease_that_ends_between_two_tries_ends_the_tries(clients: Clients, server: Broken) -> None:
    end = [held()]
    clients.fence(Fence(lambda: end[0]))
    server.then = lambda: end.__setitem__(0, over())
    with pytest.raises(LeaseLost):
        write(clients)
    assert server.requests == ["SetDesiredCapacity"]


def test_without_a_lease_no_write_is_sent(clients: Clients, server: Broken) -> None:
    clients.fence(Fence(over))
    with pytest.raises(LeaseLost) as lost:
        write(clients)
    assert server.requests == []
    assert str(lost.value) == (
        "the deployment lock's lease ran out 1.5 s ago, since this process stood still or had no answer;"
        " SetDesiredCapacity was not sent and nothing more was written; run the same command again,"
        " it goes on from what is there"
    )


def test_reads_are_sent_without_a_lease(clients: Clients, server: Broken) -> None:
    clients.fence(Fence(over))
    with pytest.raises(AwsError):
        describe_stack(clients, "shop-prod-edge")
    assert server.requests == ["DescribeStacks"] * 3


@pytest.mark.parametrize("when", ["client made before", "client made after", "another region"])
def test_every_client_is_fenced(clients: Clients, server: Broken, when: str) -> None:
    used = clients.in_region("us-east-1") if when == "another region" else clients
    if when != "client made after":
        assert used.autoscaling
    clients.fence(Fence(over))
    with pytest.raises(LeaseLost):
        write(used)
    assert server.requests == []


def test_a_lease_that_ends_while_botocore_waits_for_its_rate_is_seen(clients: Clients, server: Broken) -> None:
    """The adaptive retries' own handler of the same event may wait for seconds: the fence must come after it."""
    end = [held()]
    clients.fence(Fence(lambda: end[0]))
    clients.autoscaling.meta.events.register("before-send", lambda **_request: end.__setitem__(0, over()))
    with pytest.raises(LeaseLost):
        write(clients)
    assert server.requests == []


@pytest.mark.parametrize(
    "operation",
    ["DescribeStacks", "GetMetricData", "ListMetrics", "Query", "BatchGetItem", "ValidateTemplate", "AssumeRole"],
)
def test_a_read_passes_always(operation: str) -> None:
    Fence(lambda: None).check(operation)


@pytest.mark.parametrize(
    "operation", ["CreateStack", "UpdateStack", "DetectStackDrift", "ModifyListener", "PutItem", "Publish", "New"]
)
def test_what_is_no_read_is_a_write(operation: str) -> None:
    with pytest.raises(LeaseLost, match=f"{operation} was not sent"):
        Fence(over).check(operation)


def test_before_the_lock_is_taken_nothing_is_written() -> None:
    with pytest.raises(LeaseLost, match="this run does not hold the deployment lock"):
        Fence(lambda: None).check("UpdateStack")


def test_an_event_may_be_sent_after_the_lock_was_given_back() -> None:
    Fence(lambda: None).check("Publish")


def test_suspended_time_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """boottime counts it, monotonic does not."""
    fence = Fence(lambda: 100.0)
    monkeypatch.setattr(clock, "monotonic", lambda: 90.0)
    monkeypatch.setattr(clock, "boottime", lambda: 99.9)
    fence.check("UpdateStack")
    monkeypatch.setattr(clock, "boottime", lambda: 100.0)
    with pytest.raises(LeaseLost):
        fence.check("UpdateStack")


def test_an_exempt_write_needs_no_lease_but_only_inside() -> None:
    fence = Fence(over)
    with fence.exempt():
        fence.check("UpdateItem")
    with pytest.raises(LeaseLost):
        fence.check("UpdateItem")


def test_an_exemption_is_one_threads() -> None:
    fence, refused = Fence(over), []

    def other_thread() -> None:
        try:
            fence.check("UpdateStack")
        except LeaseLost as lost:
            refused.append(lost.operation)

    with fence.exempt():
        thread = threading.Thread(target=other_thread)
        thread.start()
        thread.join()
    assert refused == ["UpdateStack"]
