# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors as each service words them, in its protocol, so that an SDK retries or raises as it does with AWS.

Common errors: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html,
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/CommonErrors.html,
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from uuid import uuid4
from xml.sax.saxutils import escape

from lab.api.faults.identity import Identity

Response = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True)
class Refusal:
    """An error of a service: HTTP status, code and message."""

    status: int
    code: str
    message: str


_RATE = "Rate exceeded"
_FAILED = "We encountered an internal error. Please try again."
#: By effect: the services with words of their own, then what others with the same protocol say.
_BY_SERVICE: dict[str, dict[str, Refusal]] = {
    "throttle": {
        "ec2": Refusal(503, "RequestLimitExceeded", "Request limit exceeded."),
        "lambda": Refusal(429, "TooManyRequestsException", _RATE),
        "s3": Refusal(503, "SlowDown", "Please reduce your request rate."),
        "cloudwatch": Refusal(400, "Throttling", _RATE),
    },
    "internal": {
        "ec2": Refusal(500, "InternalError", "An internal error has occurred"),
        "lambda": Refusal(500, "ServiceException", _FAILED),
        "s3": Refusal(500, "InternalError", _FAILED),
        "sns": Refusal(500, "InternalError", _FAILED),
        "secretsmanager": Refusal(500, "InternalServiceError", _FAILED),
        "cloudwatch": Refusal(500, "InternalServiceError", _FAILED),
    },
    "denied": {
        "ec2": Refusal(403, "UnauthorizedOperation", "You are not authorized to perform this operation. {who}"),
        "lambda": Refusal(403, "AccessDeniedException", "{who}"),
        "s3": Refusal(403, "AccessDenied", "{who}"),
        "sns": Refusal(403, "AuthorizationError", "{who}"),
        "cloudwatch": Refusal(403, "AccessDenied", "{who}"),
    },
}
_BY_PROTOCOL: dict[str, dict[bool, Refusal]] = {
    "throttle": {True: Refusal(400, "Throttling", _RATE), False: Refusal(400, "ThrottlingException", _RATE)},
    "internal": {True: Refusal(500, "InternalFailure", _FAILED), False: Refusal(500, "InternalServerError", _FAILED)},
    "denied": {True: Refusal(403, "AccessDenied", "{who}"), False: Refusal(400, "AccessDeniedException", "{who}")},
}
_IAM_NAMES = {"elbv2": "elasticloadbalancing"}
#: The namespace that DynamoDB puts before its errors' names.
_PREFIXES = {"dynamodb": "com.amazonaws.dynamodb.v20120810#"}
KINDS = tuple(_BY_SERVICE)


def answer(kind: str, call: Identity) -> Response:
    """The answer of the call's service.

    Args:
        kind: one of ``KINDS``.
        call: what was called.

    Returns:
        Status, headers and body.
    """
    said = _BY_SERVICE[kind].get(call.service) or _BY_PROTOCOL[kind][call.protocol == "query"]
    action = f"{_IAM_NAMES.get(call.service, call.service)}:{call.operation}"
    who = f"User: {call.client} is not authorized to perform: {action}"
    said = Refusal(said.status, said.code, said.message.format(who=who))
    return _xml(said, call) if call.protocol in ("query", "ec2", "rest-xml") else _json(said, call)


def _xml(said: Refusal, call: Identity) -> Response:
    side = "<Type>Sender</Type>" if said.status < 500 else "<Type>Receiver</Type>"
    inner = f"<Code>{said.code}</Code><Message>{escape(said.message)}</Message>"
    number = str(uuid4())
    text = {
        "query": f"<ErrorResponse><Error>{side}{inner}</Error><RequestId>{number}</RequestId></ErrorResponse>",
        "ec2": f"<Response><Errors><Error>{inner}</Error></Errors><RequestID>{number}</RequestID></Response>",
        "rest-xml": f"<Error>{inner}<RequestId>{number}</RequestId></Error>",
    }[call.protocol]
    return said.status, {"content-type": "text/xml", "x-amzn-requestid": number}, text.encode()


def _json(said: Refusal, call: Identity) -> Response:
    number = str(uuid4())
    headers = {"content-type": "application/x-amz-json-1.0", "x-amzn-requestid": number}
    if call.protocol == "rest-json":
        headers.update({"content-type": "application/json", "x-amzn-errortype": said.code})
    if call.service == "cloudwatch":
        side = "Sender" if said.status < 500 else "Receiver"
        headers["x-amzn-query-error"] = f"{said.code};{side}"
    content = {"__type": _PREFIXES.get(call.service, "") + said.code, "message": said.message}
    return said.status, headers, json.dumps(content).encode()
