# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SNS: what is published reaches a subscriber on loopback."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.lab.contract.support import Api


@contextmanager
def subscriber() -> Iterator[tuple[str, queue.Queue[dict[str, Any]]]]:
    """An HTTP server on loopback: its URL, and what SNS sent to it."""
    received: queue.Queue[dict[str, Any]] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the case looks at what was received."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", received
    finally:
        server.shutdown()
        server.server_close()


def test_message_reaches_an_http_subscriber(api: Api) -> None:
    sns = api.client("sns")
    topic = sns.create_topic(Name="to-http")["TopicArn"]
    with subscriber() as (url, received):
        sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=url)
        asked = received.get(timeout=10)
        assert asked["Type"] == "SubscriptionConfirmation"
        sns.confirm_subscription(TopicArn=topic, Token=asked["Token"])
        sns.publish(TopicArn=topic, Subject="started", Message="a deployment")
        got = received.get(timeout=10)
    assert {key: got[key] for key in ("Type", "TopicArn", "Subject", "Message")} == {
        "Type": "Notification",
        "TopicArn": topic,
        "Subject": "started",
        "Message": "a deployment",
    }
