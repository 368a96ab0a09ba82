# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ministack in front: every request comes in here, those for moto's services are passed on, ``/_lab/…`` is ours.

``POST /_lab/event`` puts an event of a service that the lab doesn't have, such as CodeBuild, on the default bus: an
entry as ``PutEvents`` takes it, which refuses the names of AWS's services to everyone else.

Private to ministack 1.5.33: ``app.SERVICE_HANDLERS`` and its ASGI ``app``, the settings it reads from the environment
when it is imported, the Parameter Store's table of parameters, and ``eventbridge._put_events``.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode

from lab.api import moto_bridge
from lab.api.faults.gate import Gate
from lab.api.faults.registry import Faults
from lab.api.settings import ACCOUNT, Settings
from lab.settings import REGION

STATUS_PATH = "/_lab/status"
JOURNAL_PATH = "/_lab/journal"
EVENT_PATH = "/_lab/event"
_EMPTY: dict[str, object] = {
    "imagebuilder": {"imageRecipeSummaryList": [], "containerRecipeSummaryList": []},
    "rbin": {"Rules": []},
}
"""Services that the lab has nothing of, and says so to who asks for a list."""
#: ministack's names of the services that moto answers for.
_TO_MOTO = {"ec2": "ec2", "autoscaling": "autoscaling", "elasticloadbalancing": "elbv2"}

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def configure(settings: Settings) -> None:
    """Set what ministack and moto read from the environment; call before either is imported."""
    os.environ.update(
        GATEWAY_PORT=str(settings.lab.api_port),
        BIND_HOST="127.0.0.1",
        MINISTACK_ACCOUNT_ID=ACCOUNT,
        MINISTACK_REGION=REGION,
        LOG_LEVEL="WARNING",
        SFTP_ENABLED="0",
        IOT_MTLS_ENABLED="0",
        MOTO_ACCOUNT_ID=ACCOUNT,
        MOTO_EC2_LOAD_DEFAULT_AMIS="false",
        MOTO_PORT=str(settings.lab.api_port),
    )


def application(status: Callable[[], object], journal: Callable[[int], object], faults: Faults) -> Application:
    """The ASGI application.

    Args:
        status: gives what ``/_lab/status`` shows, as data for JSON; is called in a thread.
        journal: the same for ``/_lab/journal``, since an entry's number.
        faults: what calls are to meet.
    """
    from ministack import app as ministack

    ministack.SERVICE_HANDLERS.update({name: _pass_on(service) for name, service in _TO_MOTO.items()})

    ministack.SERVICE_HANDLERS.update({name: _has_nothing(answer) for name, answer in _EMPTY.items()})

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == STATUS_PATH:
            await _answer(send, await asyncio.to_thread(status))
        elif scope["type"] == "http" and scope["path"] == JOURNAL_PATH:
            since = parse_qs(scope["query_string"].decode()).get("since", ["0"])[0]
            await _answer(send, await asyncio.to_thread(journal, int(since)))
        elif scope["type"] == "http" and scope["path"] == EVENT_PATH:
            await _answer(send, await asyncio.to_thread(_put_event, json.loads(await _body(receive))))
        else:
            await ministack.app(scope, receive, send)

    return Gate(app, faults)


def _pass_on(service: str) -> Callable[..., Awaitable[moto_bridge.Response]]:
    async def handle(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any] | None
    ) -> moto_bridge.Response:
        text = urlencode(query or {}, doseq=True)
        return await asyncio.to_thread(moto_bridge.request, service, method, path, dict(headers), body, text)

    return handle


def _has_nothing(answer: object) -> Callable[..., Awaitable[moto_bridge.Response]]:
    async def handle(*_request: Any) -> moto_bridge.Response:
        return 200, {"Content-Type": "application/json"}, json.dumps(answer).encode()

    return handle


def _put_event(entry: Mapping[str, Any]) -> object:
    from ministack.services import eventbridge

    _status, _headers, said = eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
    return json.loads(said)


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def _answer(send: Send, data: object) -> None:
    content = json.dumps(data, indent=1).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})


def parameters() -> dict[str, str]:
    """Name and value of every SSM parameter."""
    from ministack.services import ssm

    return {name: str(one.get("Value", "")) for (_account, _region, name), one in ssm._parameters.all_items()}


def publish_parameter(name: str, value: str) -> None:
    """Set a public parameter, as a service of AWS does; the API refuses names below ``/aws`` to everyone else."""
    from ministack.services import ssm

    refuses = ssm._reserved_name_error
    ssm._reserved_name_error = lambda _name: None
    try:
        ssm._put_parameter({"Name": name, "Value": value, "Type": "String"})
    finally:
        ssm._reserved_name_error = refuses


async def serve(app: Application, settings: Settings, until: asyncio.Event) -> None:
    """Serve on 127.0.0.1 until the event is set.

    Raises:
        OSError: the port is in use.
    """
    from hypercorn.asyncio import serve as hypercorn_serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"127.0.0.1:{settings.lab.api_port}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 1
    config.loglevel = "WARNING"
    await hypercorn_serve(app, config, shutdown_trigger=until.wait)
