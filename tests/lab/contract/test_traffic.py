# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests through the load balancer: they go where AWS's would go, and none is lost on the way."""

from __future__ import annotations

import http.client
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from tests.lab.contract.support import OCTET, Api, forward, wait_for
from tests.lab.contract.target import Target

_numbers = iter(range(1, 100))


@dataclass(frozen=True)
class Balancer:
    """A load balancer over a blue and a green group with one target each, all of them registered and healthy."""

    api: Api
    listener: str
    url: str
    blue_group: str
    green_group: str
    blue: Target
    green: Target

    def weigh(self, blue: int, green: int) -> None:
        weights = {self.blue_group: blue, self.green_group: green}
        self.api.elb.modify_listener(ListenerArn=self.listener, DefaultActions=forward(weights))

    def ask(self, count: int = 1, path: str = "/") -> Counter[str]:
        """Who answers, each time over a connection of its own; a failure counts under its status."""
        return Counter(ask(self.url, path) for _ in range(count))


def ask(url: str, path: str = "/") -> str:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.read().decode() if answer.status == 200 else str(answer.status)
    finally:
        connection.close()


@pytest.fixture
def balancer(api: Api) -> Iterator[Balancer]:
    number = next(_numbers)
    blue_group, green_group = (api.target_group(f"{colour}-{number}", TargetType="ip") for colour in ("blue", "green"))
    for group in (blue_group, green_group):
        delay = [{"Key": "deregistration_delay.timeout_seconds", "Value": "200"}]
        api.elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=delay)
    listener, url = api.listener(f"traffic-{number}", {blue_group: 100, green_group: 0})
    with Target("blue") as blue, Target("green") as green:
        for group, target in ((blue_group, blue), (green_group, green)):
            api.elb.register_targets(TargetGroupArn=group, Targets=[target.registration])
        for group in (blue_group, green_group):
            wait_for(lambda group=group: list(api.health(group).values()) == ["healthy"], "a healthy target")  # type: ignore[misc]
        made = Balancer(api, listener, url, blue_group, green_group, blue, green)
        wait_for(lambda: answers(made, {"blue"}), "the first answer")
        yield made
        api.elb.delete_listener(ListenerArn=listener)


def answers(balancer: Balancer, names: set[str], count: int = 20) -> bool:
    """Whether requests are answered by these and no others."""
    try:
        return set(balancer.ask(count)) == names
    except OSError:
        return False


def haproxy_pid(api: Api) -> str:
    with socket.socket(socket.AF_UNIX) as channel:
        channel.connect(str(api.run_dir / "haproxy" / "haproxy.sock"))
        channel.sendall(b"show info\n")
        found = re.search(rb"^Pid: (\d+)$", channel.makefile("rb").read(), re.MULTILINE)
    assert found
    return found[1].decode()


def test_the_dns_name_is_an_address_of_the_lab(balancer: Balancer) -> None:
    assert balancer.url.startswith(f"http://127.{OCTET}.0.")


def test_weights_decide_and_change_without_a_reload(balancer: Balancer) -> None:
    before = haproxy_pid(balancer.api)
    balancer.weigh(70, 30)
    wait_for(lambda: answers(balancer, {"blue", "green"}, 30), "both")
    shared = balancer.ask(400)
    assert 200 < shared["blue"] < 340, "70 of 100 of 400 requests are 280"
    balancer.weigh(0, 100)
    wait_for(lambda: answers(balancer, {"green"}), "green alone")
    assert balancer.ask(100) == {"green": 100}
    assert haproxy_pid(balancer.api) == before


def test_every_weight_zero_is_503(balancer: Balancer) -> None:
    balancer.weigh(0, 0)
    wait_for(lambda: answers(balancer, {"503"}), "503")


def test_no_target_is_503(balancer: Balancer) -> None:
    group, target = balancer.blue_group, balancer.blue
    balancer.api.elb.deregister_targets(TargetGroupArn=group, Targets=[target.registration])
    wait_for(lambda: answers(balancer, {"503"}), "503")


def test_unhealthy_targets_get_nothing_unless_all_are(balancer: Balancer) -> None:
    with Target("second") as second:
        balancer.api.elb.register_targets(
            TargetGroupArn=balancer.blue_group, Targets=[{"Id": "127.0.0.2", "Port": second.port}]
        )
        # 127.0.0.2 is not what the second target listens on: it fails its checks.
        wait_for(lambda: "unhealthy" in balancer.api.health(balancer.blue_group).values(), "an unhealthy target")
        assert balancer.ask(50) == {"blue": 50}
    balancer.blue.healthy = False
    wait_for(lambda: set(balancer.api.health(balancer.blue_group).values()) == {"unhealthy"}, "no healthy target")
    wait_for(lambda: answers(balancer, {"blue", "503"}), "all targets, healthy or not")


def test_a_failed_request_is_not_sent_again(balancer: Balancer) -> None:
    balancer.blue.breaks = True
    balancer.blue.requests.clear()
    failed = balancer.ask(20)
    assert failed == {"502": 20}
    assert len(balancer.blue.requests) == 20


def test_connections_to_targets_are_kept(balancer: Balancer) -> None:
    balancer.blue.requests.clear()
    balancer.blue.connections.clear()
    address = urlsplit(balancer.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=10)
    for _ in range(50):
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"blue"
    connection.close()
    assert len(balancer.blue.requests) == 50
    assert len(balancer.blue.connections) == 1


def test_draining_lets_a_request_end_and_sends_no_other(balancer: Balancer) -> None:
    slow: list[str] = []
    request = threading.Thread(target=lambda: slow.append(ask(balancer.url, "/slow")))
    request.start()
    wait_for(lambda: "/slow" in balancer.blue.requests, "the slow request's arrival")
    balancer.api.elb.deregister_targets(TargetGroupArn=balancer.blue_group, Targets=[balancer.blue.registration])
    wait_for(lambda: answers(balancer, {"503"}), "no other request")
    assert list(balancer.api.health(balancer.blue_group).values()) == ["draining"]
    balancer.blue.hold.set()
    request.join(10)
    assert slow == ["blue"]


def test_an_idle_connection_outlives_a_reload(balancer: Balancer) -> None:
    address = urlsplit(balancer.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=10)
    connection.request("GET", "/")
    assert connection.getresponse().read() == b"blue"
    kept = connection.sock
    before = haproxy_pid(balancer.api)
    balancer.api.listener(f"reload-{next(_numbers)}", {balancer.blue_group: 1}, port=8001)
    wait_for(lambda: haproxy_pid(balancer.api) != before, "a reload")
    connection.request("GET", "/")
    assert connection.sock is kept, "the same connection"
    assert connection.getresponse().read() == b"blue"
    connection.close()


def test_no_request_is_lost_while_everything_changes(balancer: Balancer) -> None:
    """Kept-alive and new connections, over shifts, a target that comes and goes, and a reload."""
    stop = threading.Event()
    seen: list[Counter[str]] = []

    def fresh() -> str:
        return ask(balancer.url)

    address = urlsplit(balancer.url)
    kept = http.client.HTTPConnection(str(address.hostname), address.port, timeout=10)

    def over_kept() -> str:
        kept.request("GET", "/")
        answer = kept.getresponse()
        return answer.read().decode() if answer.status == 200 else str(answer.status)

    def load(once: Callable[[], str]) -> None:
        counted: Counter[str] = Counter()
        seen.append(counted)
        while not stop.is_set():
            try:
                counted[once()] += 1
            except (OSError, http.client.HTTPException) as error:
                counted[repr(error)] += 1

    clients = [threading.Thread(target=load, args=(each,)) for each in (fresh, fresh, over_kept)]
    for client in clients:
        client.start()
    try:
        with Target("third", "127.0.0.3") as third:
            change_everything(balancer, third)
            time.sleep(0.5)  # traffic, for a while, is what is looked at here
    finally:
        stop.set()
        for client in clients:
            client.join(20)
    total = sum(seen, Counter())
    assert set(total) == {"blue", "green", "third"}, total
    assert total.total() > 500


def change_everything(balancer: Balancer, third: Target) -> None:
    """Shifts, a target that comes and goes, and a reload."""
    api = balancer.api
    for blue, green in ((50, 50), (0, 100), (100, 0), (1, 999)):
        balancer.weigh(blue, green)
        time.sleep(0.5)
    api.elb.register_targets(TargetGroupArn=balancer.green_group, Targets=[third.registration])
    wait_for(lambda: third.requests, "requests to the third target")
    before = haproxy_pid(api)
    api.listener(f"reload-{next(_numbers)}", {balancer.blue_group: 1}, port=8001)
    wait_for(lambda: haproxy_pid(api) != before, "a reload")
    api.elb.deregister_targets(TargetGroupArn=balancer.green_group, Targets=[third.registration])
    wait_for(lambda: third.address not in api.health(balancer.green_group), "the third target drained")
