# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""moto inside the API's process: requests from the front, and clients for the lab's own calls.

Private to moto 5.2.5: ``create_backend_app`` and moto's lack of locks. Every request holds ``LOCK``, and so must
whoever reads or changes moto's objects; nothing slow happens under it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from moto.moto_server.werkzeug_app import create_backend_app
from werkzeug.test import Client

from lab.settings import REGION

log = logging.getLogger(__name__)
LOCK = threading.RLock()
SERVICES = ("ec2", "autoscaling", "elbv2")
_DROPPED_REQUEST_HEADERS = ("content-length", "host", "transfer-encoding")
_DROPPED_RESPONSE_HEADERS = ("content-length", "connection", "server")

Response = tuple[int, dict[str, str], bytes]


@cache
def _wsgi(service: str) -> Any:
    return create_backend_app(service)


def request(service: str, method: str, path: str, headers: Mapping[str, str], body: Any, query: str = "") -> Response:
    """One HTTP request to moto's ``service``; returns status, headers and body.

    What moto doesn't know is refused as AWS refuses an unknown action, and a fault in moto is an internal failure.
    """
    sent = {key: value for key, value in headers.items() if key.lower() not in _DROPPED_REQUEST_HEADERS}
    try:
        with LOCK:
            answer = Client(_wsgi(service)).open(
                path, method=method, query_string=query, data=body, headers={**sent, "Host": "moto"}
            )
            content = answer.get_data()
    except NotImplementedError as error:
        return _refusal(service, 400, "InvalidAction", f"The lab has no such action: {error}")
    except Exception as error:
        log.exception("moto failed in %s", service)
        return _refusal(service, 500, "InternalFailure", f"The lab failed: {error!r}; see its log")
    kept = {key: value for key, value in answer.headers.items() if key.lower() not in _DROPPED_RESPONSE_HEADERS}
    return answer.status_code, kept, content


def _refusal(service: str, status: int, code: str, message: str) -> Response:
    """An error in the shape of the service's protocol (EC2's differs from that of the others)."""
    error = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    outer = "<Response><Errors>{}</Errors></Response>" if service == "ec2" else "<ErrorResponse>{}</ErrorResponse>"
    return status, {"Content-Type": "text/xml"}, outer.format(error).encode()


class _Body:
    """What botocore reads a response from."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_options: Any) -> Iterator[bytes]:
        yield self.read()

    def read(self, *_arguments: Any, **_options: Any) -> bytes:
        content, self._content = self._content, b""
        return content


def _sender(service: str) -> Callable[..., AWSResponse]:
    def send(request: AWSPreparedRequest, **_context: Any) -> AWSResponse:
        url = urlsplit(str(request.url))
        headers = {
            key: bytes(value).decode() if isinstance(value, (bytes, bytearray)) else str(value)
            for key, value in dict[str, Any](request.headers).items()
        }
        status, received, content = _request(service, str(request.method), url.path, headers, request.body, url.query)
        return AWSResponse(str(request.url), status, received, _Body(content))  # type: ignore[arg-type]

    return send


_request = request  # the sender's argument has botocore's name for it


@cache
def client(service: str) -> Any:
    """A boto3 client whose calls go to moto without a network."""
    made: Any = boto3.client(
        service,  # type: ignore[call-overload]
        region_name=REGION,
        aws_access_key_id="lab",
        aws_secret_access_key="lab",
        endpoint_url="http://moto",
    )
    made.meta.events.register_first("before-send", _sender(service))
    return made
