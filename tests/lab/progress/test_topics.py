# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A deployment's events reach who subscribed, as JSON that can be filtered, and stop no deployment."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import LeaseLost
from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.events import Phase, publish
from tests.lab.progress.conftest import Connect
from tests.unit.progress.test_events import EXAMPLE, FILTER, SCHEMA, SHIFTED

PATIENCE = 10


class Subscriber:
    """An HTTP address that a topic sends to."""

    def __init__(self) -> None:
        self.got: queue.Queue[dict[str, Any]] = queue.Queue()
        got = self.got

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                got.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Nothing: the cases look at what came."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def subscribe(self, clients: Clients, topic: str, **attributes: str) -> None:
        """Subscribes, and confirms it as SNS asks for."""
        clients.sns.subscribe(
            TopicArn=topic,
            Protocol="http",
            Endpoint=f"http://127.0.0.1:{self.server.server_address[1]}/",
            Attributes=attributes,
        )
        asked = self.next()
        assert asked["Type"] == "SubscriptionConfirmation"
        clients.sns.confirm_subscription(TopicArn=topic, Token=asked["Token"])

    def next(self) -> dict[str, Any]:
        return self.got.get(timeout=PATIENCE)


@pytest.fixture
def subscriber() -> Iterator[Subscriber]:
    made = Subscriber()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def topic(clients: Clients, request: pytest.FixtureRequest) -> str:
    return clients.sns.create_topic(Name=f"events-{abs(hash(request.node.name))}")["TopicArn"]


def silent(text: str) -> None:
    raise AssertionError(f"no warning was expected: {text}")


def test_a_subscriber_gets_the_event_as_documented(clients: Clients, topic: str, subscriber: Subscriber) -> None:
    subscriber.subscribe(clients, topic)
    publish(clients, topic, SHIFTED, silent)
    envelope = subscriber.next()
    message = json.loads(envelope["Message"])
    jsonschema.validate(message, SCHEMA)
    assert message == EXAMPLE
    assert envelope["Subject"] == f"shop prod: shifted {SHIFTED.release}"


def test_a_subscription_can_filter_by_phase(clients: Clients, topic: str, subscriber: Subscriber) -> None:
    """With the policy that the documentation shows."""
    subscriber.subscribe(clients, topic, FilterPolicy=json.dumps(FILTER))
    publish(clients, topic, SHIFTED, silent)
    publish(clients, topic, replace(SHIFTED, env="staging", phase=Phase.ENDED), silent)
    publish(clients, topic, replace(SHIFTED, phase=Phase.ENDED), silent)
    message = json.loads(subscriber.next()["Message"])
    assert (message["env"], message["phase"]) == ("prod", "ended")


def test_a_topic_that_is_gone_is_one_warning(clients: Clients, topic: str) -> None:
    warnings: list[str] = []
    publish(clients, f"{topic}-gone", SHIFTED, warnings.append)
    (said,) = warnings
    assert "the event shifted was not sent; the deployment goes on" in said
    assert f"{topic}-gone" in said and "\n" not in said


def test_an_edge_without_a_topic_is_no_warning(clients: Clients) -> None:
    publish(clients, "", SHIFTED, silent)


def test_a_lost_lease_ends_the_run_here_too(connected: Connect, topic: str, subscriber: Subscriber) -> None:
    clients = connected()
    subscriber.subscribe(clients, topic)

    def refuse(**_: Any) -> None:
        raise LeaseLost("the lease has ended", "Publish")

    clients.sns.meta.events.register("before-send", refuse)
    with pytest.raises(LeaseLost):
        publish(clients, topic, SHIFTED, silent)
    assert subscriber.got.empty()
