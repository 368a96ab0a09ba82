# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a test talks to the gate: ``/_lab/calls`` and ``/_lab/faults``.

``GET /_lab/calls?since=N&client=KEY``
    ``{"last": N, "calls": [...]}``, see ``recorder.Call``. ``DELETE`` forgets them.
``POST /_lab/faults``
    A fault as JSON, see ``registry.Fault``; ``201`` with the fault, ``400`` with why it can't be.
``GET /_lab/faults/ID?wait=SECONDS``
    The fault, as soon as it was hit or the time is over.
``POST /_lab/faults/ID/release``
    End its holds; ``{"execute": false}`` does not execute a call that was held before.
``DELETE /_lab/faults`` and ``DELETE /_lab/faults/ID``
    Remove all faults, or one; what they hold goes on.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any
from urllib.parse import parse_qs

from lab.api.faults.errors import Response
from lab.api.faults.identity import Request
from lab.api.faults.recorder import Recorder
from lab.api.faults.registry import Faults, WrongFault

_CALLS, _FAULTS = "/_lab/calls", "/_lab/faults"
_ONE_FAULT = re.compile(rf"{_FAULTS}/(\d+)(/release)?")
_LONGEST_WAIT_SECONDS = 300.0


def is_for_us(path: str) -> bool:
    """Whether the path is one of ours."""
    return path in (_CALLS, _FAULTS) or _ONE_FAULT.fullmatch(path) is not None


async def answer(request: Request, recorder: Recorder, faults: Faults) -> Response:
    """Do what a test asks for."""
    asked = {key: values[0] for key, values in parse_qs(request.query).items()}
    try:
        content = json.loads(request.body or b"{}")
        if not isinstance(content, dict):
            raise WrongFault("the body is JSON, but no object")
        if request.path == _CALLS:
            return _calls(request.method, asked, recorder)
        if request.path == _FAULTS:
            return _all_faults(request.method, content, faults)
        return await _one_fault(request, asked, content, faults)
    except (WrongFault, ValueError) as error:
        return _say(400, {"error": str(error)})


def _calls(method: str, asked: dict[str, str], recorder: Recorder) -> Response:
    if method == "GET":
        return _say(200, recorder.shown(int(asked.get("since", 0)), asked.get("client")))
    if method == "DELETE":
        recorder.clear()
        return _say(200, {})
    return _say(405, {"error": f"{_CALLS} knows GET and DELETE"})


def _all_faults(method: str, content: dict[str, Any], faults: Faults) -> Response:
    if method == "GET":
        return _say(200, {"faults": faults.shown()})
    if method == "POST":
        return _say(201, faults.add(content).shown())
    if method == "DELETE":
        faults.clear()
        return _say(200, {})
    return _say(405, {"error": f"{_FAULTS} knows GET, POST and DELETE"})


async def _one_fault(request: Request, asked: dict[str, str], content: dict[str, Any], faults: Faults) -> Response:
    found = _ONE_FAULT.fullmatch(request.path)
    fault = faults.get(found[1]) if found else None
    if found is None or fault is None:
        return _say(404, {"error": f"{request.path}: no such fault"})
    if found[2] and request.method == "POST":
        fault.release(content.get("execute", True) is True)
    elif request.method == "DELETE" and not found[2]:
        faults.remove(fault)
    elif found[2] or request.method != "GET":
        return _say(405, {"error": "a fault knows GET and DELETE, its release knows POST"})
    else:
        seconds = min(float(asked.get("wait", 0)), _LONGEST_WAIT_SECONDS)
        await asyncio.wait([asyncio.wrap_future(fault.hit)], timeout=seconds)
    return _say(200, fault.shown())


def _say(status: int, data: object) -> Response:
    return status, {"content-type": "application/json"}, json.dumps(data).encode()
