# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""moto behind a front of our own, over HTTP on loopback: lists come in pages of two, and any call can be made to fail.

moto gives DescribeImages and the launch templates in one piece; with AWS's pages, a caller that reads only the first
one is found out by every test.
"""

from __future__ import annotations

import json
import re
import threading
import typing as t
from collections import Counter
from contextlib import contextmanager
from io import BytesIO
from urllib.parse import parse_qsl, urlencode
from xml.etree import ElementTree

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.ssm import ssm_backends
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from lab.api.ec2 import image_life

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from wsgiref.types import StartResponse, WSGIEnvironment

PAGE = 2
# The list in each answer that AWS gives in pages, and what its token is called there.
LISTS = {
    "DescribeFleets": ("fleetSet", "nextToken"),
    "DescribeSpotFleetRequests": ("spotFleetRequestConfigSet", "nextToken"),
    "DescribeSpotInstanceRequests": ("spotInstanceRequestSet", "nextToken"),
    "DescribeImageReferences": ("imageReferenceSet", "nextToken"),
    "DescribeSnapshots": ("snapshotSet", "nextToken"),
    "DescribeStacks": ("Stacks", "NextToken"),
    "DescribeImages": ("imagesSet", "nextToken"),
    "DescribeInstances": ("reservationSet", "nextToken"),
    "DescribeLaunchTemplates": ("launchTemplates", "nextToken"),
    "DescribeLaunchTemplateVersions": ("launchTemplateVersionSet", "nextToken"),
    "DescribeAutoScalingGroups": ("AutoScalingGroups", "NextToken"),
    "DescribeLaunchConfigurations": ("LaunchConfigurations", "NextToken"),
}
OF_AUTO_SCALING = {"DescribeAutoScalingGroups", "DescribeLaunchConfigurations"}
"""Their page size has another name, and moto takes no greater one than AWS."""
UNPAGED = 1_000_000
EC2_VERSION = "2016-11-15"
ELSEWHERE = {
    "/ListImageRecipes": "ListImageRecipes",
    "/ListContainerRecipes": "ListContainerRecipes",
    "/list-rules": "ListRules",
}
"""Calls of services that moto doesn't know, by their paths."""
STATUS = {"RequestLimitExceeded": 503, "ThrottlingException": 400, "InternalError": 500, "ServiceUnavailable": 503}
CUT_OFF = "cut off"
"""As a fault: no error, but the end of the connection in the midst of the answer."""
WRITES = (
    "DeregisterImage",
    "DeleteSnapshot",
    "EnableImageDeprecation",
    "DisableImageDeprecation",
    "DisableImage",
    "EnableImage",
    "ModifyImageAttribute",
    "CreateTags",
    "DeleteTags",
    "RestoreImageFromRecycleBin",
    "RestoreSnapshotFromRecycleBin",
    "DisableImageDeregistrationProtection",
)


class Call(t.NamedTuple):
    """One request: its service, action, region and parameters, and whether a role made it."""

    service: str
    action: str
    region: str
    parameters: dict[str, str]
    assumed: bool = False


class Front:
    """The WSGI application in front of moto. `calls` counts the actions that came in, `log` holds each call.

    Args:
        page: the most that any list's page holds, whatever the client asks for.
    """

    def __init__(self, page: int = PAGE) -> None:
        self._page = self.page_size = page
        self.calls: Counter[str] = Counter()
        self.log: list[Call] = []
        self.recipes: list[dict[str, str]] = []
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._faults: list[Callable[[Call], str | None]] = []
        self._hooks: list[Callable[[Call], None]] = []

    def fail(
        self, code: str, action: str, region: str = "", mentions: str = "", assumed: bool = False, times: int = -1
    ) -> None:
        """Answers with an error from now on, or so many times, where action, region and a parameter fit."""
        left = [times]

        def fault(call: Call) -> str | None:
            where = action in ("", call.action) and region in ("", call.region) and (call.assumed or not assumed)
            if not where or mentions not in ["", *call.parameters.values()] or left[0] == 0:
                return None
            left[0] -= 1
            return code

        self._faults.append(fault)

    def before(self, action: str, time: int, do: Callable[[], object]) -> None:
        """Does something right before the n-th call of an action from now on goes to moto."""
        seen = Counter[str]()

        def hook(call: Call) -> None:
            seen[call.action] += 1
            if call.action == action and seen[action] == time:
                do()

        self._hooks.append(hook)

    def reset(self) -> None:
        self.recover()
        self.recipes.clear()
        self.page_size = self._page

    def recover(self) -> None:
        """Ends all faults and hooks, and counts anew; what there is stays."""
        self.calls.clear()
        self.log.clear()
        self._faults.clear()
        self._hooks.clear()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> t.Any:
        request = Request(environ)
        text = request.get_data(as_text=True)
        target = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        json_protocol = bool(target) or request.content_type == "application/json" or request.path in ELSEWHERE
        parameters = {} if json_protocol else dict(parse_qsl(text, keep_blank_values=True))
        scope = re.search(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/", request.headers.get("Authorization", ""))
        region, service = scope.groups() if scope else ("", "")
        action = target or ELSEWHERE.get(request.path) or parameters.get("Action", "")
        said = {"TableName": json.loads(text)["TableName"]} if target == "Query" else parameters
        call = Call(service, action, region, said, "X-Amz-Security-Token" in request.headers)
        self.calls[call.action] += 1
        self.log.append(call)
        for hook in list(self._hooks):
            hook(call)
        for fault in list(self._faults):
            if (code := fault(call)) == CUT_OFF:
                return _half_an_answer(start_response)
            if code:
                return _refusal(code, parameters)(environ, start_response)
        if request.path in ELSEWHERE:
            empty = {"imageRecipeSummaryList": self.recipes, "containerRecipeSummaryList": [], "Rules": _rules(region)}
            return Response(json.dumps(empty), content_type="application/json")(environ, start_response)
        if call.action not in LISTS:
            return self.answer(environ, text)(environ, start_response)
        start = int(parameters.pop("NextToken", 0))
        size = min(int(parameters.pop(name, self.page_size)) for name in ("MaxRecords", "MaxResults"))
        return self.listed(call.action, parameters, environ, start, min(size, self.page_size))(environ, start_response)

    def answer(self, environ: WSGIEnvironment, text: str) -> Response:
        """What moto says to anything but a list."""
        _set_body(environ, text)
        return Response.from_app(self._moto, environ)

    def listed(
        self, action: str, parameters: dict[str, str], environ: WSGIEnvironment, start: int, size: int
    ) -> Response:
        """One page of a list."""
        whole = self.whole(action, parameters, environ)
        if whole.status_code == 200:
            whole.set_data(_page(whole.get_data(), *LISTS[action], start, size))
        return whole

    def whole(self, action: str, parameters: dict[str, str], environ: WSGIEnvironment) -> Response:
        """The list in one piece, as moto gives it."""
        limit = {"MaxRecords": "100"} if action in OF_AUTO_SCALING else {"MaxResults": str(UNPAGED)}
        _set_body(environ, urlencode(parameters | limit))
        return Response.from_app(self._moto, environ)


def _rules(region: str) -> list[dict[str, str]]:
    return [{"Identifier": "rule"}] if region in image_life.RETAINS else []


def _set_body(environ: WSGIEnvironment, text: str) -> None:
    body = text.encode()
    environ["wsgi.input"] = BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))


def _half_an_answer(start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/xml"), ("Content-Length", "1000")])
    return [b"<half"]


def _refusal(code: str, parameters: dict[str, str]) -> Response:
    status = STATUS.get(code, 403)
    if "Version" not in parameters:
        answer = json.dumps({"__type": code, "message": "The test says no."})
        headers = {"x-amzn-errortype": code}
        return Response(answer, 400 if status == 403 else status, headers, content_type="application/x-amz-json-1.1")
    error = f"<Error><Code>{code}</Code><Message>The test\n says no.</Message></Error>"
    ec2 = f"<Response><Errors>{error}</Errors><RequestID>1</RequestID></Response>"
    query = f"<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>"
    return Response(ec2 if parameters["Version"] == EC2_VERSION else query, status, content_type="text/xml")


def _page(xml: bytes, name: str, token: str, start: int, size: int) -> bytes:
    root = ElementTree.fromstring(xml)
    namespace = root.tag.partition("}")[0] + "}" if root.tag.startswith("{") else ""
    parent = next((one for one in root.iter() if one.find(f"{namespace}{name}") is not None), None)
    found = parent.find(f"{namespace}{name}") if parent is not None else None
    if parent is None or found is None:
        return xml
    items = list(found)
    for item in items[:start] + items[start + size :]:
        found.remove(item)
    for old in parent.findall(f"{namespace}{token}"):
        parent.remove(old)
    if start + size < len(items):
        ElementTree.SubElement(parent, f"{namespace}{token}").text = str(start + size)
    return ElementTree.tostring(root)


def _parameters(account: str, region: str) -> dict[str, str]:
    found = ssm_backends[account][region]._parameters
    return {name: found[name][-1].value for name in found if found[name]}


image_life.know_image_life(_parameters)


@contextmanager
def serving(front: Front) -> Iterator[str]:
    """The front on a free port of 127.0.0.1; yields its URL."""
    server = make_server("127.0.0.1", 0, front, threaded=True, request_handler=MotoRequestHandler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
