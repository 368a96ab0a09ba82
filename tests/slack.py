# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Slack as an incoming webhook shows itself: an HTTPS server that answers what a test wants, and what it would show."""

from __future__ import annotations

import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]

#: Who knows it can write to the channel.
SECRET_PATH = "/services/T0SECRET/B0SECRET/wEbHoOkSeCrEt"
MOST_IN_ALL = 13_000

_TEXT = {
    "type": "object",
    "required": ["type", "text"],
    "properties": {"type": {"const": "mrkdwn"}, "text": {"type": "string", "minLength": 1, "maxLength": 3000}},
    "additionalProperties": False,
}
_FIELD = {**_TEXT, "properties": {**_TEXT["properties"], "text": {"type": "string", "minLength": 1, "maxLength": 2000}}}  # type: ignore[dict-item]
#: What Slack takes, as far as the notifier uses it.
#: https://docs.slack.dev/reference/block-kit/blocks
PAYLOAD = {
    "type": "object",
    "required": ["text", "blocks"],
    "additionalProperties": False,
    "properties": {
        "text": {"type": "string", "minLength": 1, "maxLength": 40000},
        "blocks": {
            "type": "array",
            "minItems": 1,
            "maxItems": 50,
            "items": {
                "oneOf": [
                    {
                        "type": "object",
                        "required": ["type", "text"],
                        "properties": {"type": {"const": "section"}, "text": _TEXT},
                        "additionalProperties": False,
                    },
                    {
                        "type": "object",
                        "required": ["type", "fields"],
                        "properties": {
                            "type": {"const": "section"},
                            "fields": {"type": "array", "minItems": 1, "maxItems": 10, "items": _FIELD},
                        },
                        "additionalProperties": False,
                    },
                    {
                        "type": "object",
                        "required": ["type", "elements"],
                        "properties": {
                            "type": {"const": "context"},
                            "elements": {"type": "array", "minItems": 1, "maxItems": 10, "items": _TEXT},
                        },
                        "additionalProperties": False,
                    },
                ]
            },
        },
    },
}


def texts(payload: dict[str, Any]) -> list[str]:
    """Every text that is shown in the channel."""
    found = []
    for block in payload["blocks"]:
        parts = [block["text"]] if "text" in block else block.get("fields") or block.get("elements")
        found += [part["text"] for part in parts]
    return found


def accepted(payload: dict[str, Any]) -> str:
    """All that is shown, once it is certain that Slack takes it."""
    jsonschema.validate(payload, PAYLOAD)
    shown = "\n".join(texts(payload))
    assert len(shown) <= MOST_IN_ALL
    return shown


@dataclass
class Answer:
    """What the server says; status 0 is no answer at all."""

    status: int = 200
    body: str = "ok"
    retry_after: str = ""


@dataclass
class Slack:
    """The server. Answers are given in their order, and 200 after the last.

    Attributes:
        messages: what it was sent and has answered with 200.
        requests: how many requests came.
    """

    port: int
    certificate: Path
    host: str = "localhost"
    answers: list[Answer] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    requests: int = 0

    @property
    def address(self) -> str:
        return f"https://{self.host}:{self.port}{SECRET_PATH}"

    def begin(self, *answers: Answer) -> None:
        """Forget what came, and give these answers."""
        self.answers, self.messages, self.requests = list(answers), [], 0

    def shown(self) -> list[str]:
        """Every message that it took, as it would be shown."""
        return [accepted(message) for message in self.messages]


@contextmanager
def slack(folder: Path, host: str = "localhost", bind: str = "127.0.0.1") -> Iterator[Slack]:
    """A server whose certificate lies in the folder, for ``SSL_CERT_FILE``."""
    certificate, key = folder / "slack.pem", folder / "slack.key"
    names = f"subjectAltName=DNS:localhost,IP:127.0.0.1,IP:{bind}"
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "2",
            ),
            *("-subj", "/CN=localhost", "-addext", names, "-keyout", key, "-out", certificate),
        ],
        check=True,
        capture_output=True,
    )
    hang = threading.Event()
    made: list[Slack] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            own = made[0]
            own.requests += 1
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = own.answers.pop(0) if own.answers else Answer()
            if self.path != SECRET_PATH:
                answer = Answer(404, "no_service")
            if not answer.status:
                hang.wait(60)
                return
            if answer.status == 200:
                own.messages.append(body)
            self.send_response(answer.status)
            if answer.retry_after:
                self.send_header("Retry-After", answer.retry_after)
            if answer.status == 302:
                self.send_header("Location", "https://elsewhere.example/")
            self.end_headers()
            self.wfile.write(answer.body.encode())

        def log_message(self, *_given: object) -> None:
            """The tests look at what came, not at a log."""

    server = ThreadingHTTPServer((bind, 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    made.append(Slack(server.server_address[1], certificate, host))
    thread = threading.Thread(target=server.serve_forever, name="slack")
    thread.start()
    try:
        yield made[0]
    finally:
        hang.set()
        server.shutdown()
        thread.join()
        server.server_close()
