# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests through the load balancer: they go where AWS's would go, and none is lost on the way."""

from __future__ import annotations

import http.client
import threading
import time
from itertools import count
from urllib.parse import urlsplit

from tests.lab.contract.balancer import Balancer, ask, load
from tests.lab.contract.haproxy import pid
from tests.lab.contract.support import OCTET, wait_for
from tests.lab.contract.target import Target

_numbers = count(1)


def test_the_dns_name_is_an_address_of_the_lab(balancer: Balancer) -> None:
    assert balancer.url.startswith(f"http://127.{OCTET}.0.")


def test_weights_decide_and_change_without_a_reload(balancer: Balancer) -> None:
    before = pid(balancer.api)
    balancer.weigh(70, 30)
    wait_for(lambda: balancer.answers({"blue", "green"}, 30), "both")
    shared = balancer.ask(400)
    assert 200 < shared["blue"] < 340, "70 of 100 of 400 requests are 280"
    balancer.weigh(0, 100)
    wait_for(lambda: balancer.answers({"green"}), "green alone")
    assert balancer.ask(100) == {"green": 100}
    assert pid(balancer.api) == before


def test_every_weight_zero_is_503(balancer: Balancer) -> None:
    balancer.weigh(0, 0)
    wait_for(lambda: balancer.answers({"503"}), "503")


def test_no_target_is_503(balancer: Balancer) -> None:
    group, target = balancer.blue_group, balancer.blue
    balancer.api.elb.deregister_targets(TargetGroupArn=group, Targets=[target.registration])
    wait_for(lambda: balancer.answers({"503"}), "503")


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
    wait_for(lambda: balancer.answers({"blue", "502"}), "all targets, healthy or not")


def test_a_failed_request_is_not_sent_again(balancer: Balancer) -> None:
    balancer.blue.breaks = True
    balancer.blue.requests.clear()
    failed = balancer.ask(20)
    assert failed == {"502": 20}
    assert len(balancer.blue.requests) == 20


def test_connections_to_targets_are_kept(balancer: Balancer) -> None:
    kept = set(balancer.blue.connections)
    balancer.blue.requests.clear()
    address = urlsplit(balancer.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=10)
    for _ in range(50):
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"blue"
    connection.close()
    assert len(balancer.blue.requests) == 50
    # HAProxy takes turns among those that it kept; one is new where the last of them had not come back yet.
    assert len(balancer.blue.connections - kept) <= 1


def test_draining_lets_a_request_end_and_sends_no_other(balancer: Balancer) -> None:
    slow: list[str] = []
    request = threading.Thread(target=lambda: slow.append(ask(balancer.url, "/slow")))
    request.start()
    wait_for(lambda: "/slow" in balancer.blue.requests, "the slow request's arrival")
    balancer.api.elb.deregister_targets(TargetGroupArn=balancer.blue_group, Targets=[balancer.blue.registration])
    wait_for(lambda: balancer.answers({"503"}), "no other request")
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
    before = pid(balancer.api)
    balancer.api.listener(f"reload-{next(_numbers)}", {balancer.blue_group: 1}, port=8001)
    wait_for(lambda: pid(balancer.api) != before, "a reload")
    connection.request("GET", "/")
    assert connection.sock is kept, "the same connection"
    assert connection.getresponse().read() == b"blue"
    connection.close()


def test_no_request_is_lost_while_everything_changes(balancer: Balancer) -> None:
    """Kept-alive and new connections, over shifts, a target that comes and goes, and a reload."""
    with load(balancer.url) as seen, Target("third", "127.0.0.3") as third:
        change_everything(balancer, third)
        time.sleep(0.5)  # traffic, for a while, is what is looked at here
    total = seen()
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
    before = pid(api)
    api.listener(f"reload-{next(_numbers)}", {balancer.blue_group: 1}, port=8001)
    wait_for(lambda: pid(api) != before, "a reload")
    api.elb.deregister_targets(TargetGroupArn=balancer.green_group, Targets=[third.registration])
    wait_for(lambda: third.address not in api.health(balancer.green_group), "the third target drained")
