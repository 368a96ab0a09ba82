# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which API call a request is: who calls what, read from the request alone.

How requests say it: https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html (the credential's
scope), https://smithy.io/2.0/aws/protocols/index.html (the operation, by protocol).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote

import botocore.session
from botocore.exceptions import UnknownServiceError

_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/\d+/[^/]+/([^/]+)/aws4_request")
#: boto3's names of the services that sign with another name.
_BOTO3_NAMES = {"elasticloadbalancing": "elbv2", "monitoring": "cloudwatch"}
_READS = re.compile(r"(Describe|Get|BatchGet|TransactGet|List|Query|Scan|Head|Lookup|Search|Validate|Estimate|Detect)")
#: Reads by another name: they change nothing that others see.
_OTHER_READS = ("AssumeRole", "AssumeRoleWithWebIdentity", "DecodeAuthorizationMessage")
#: S3's operations by method and whether an object is named; its model's paths say neither the bucket nor what differs.
_S3 = {
    ("DELETE", True): "DeleteObject",
    ("GET", False): "ListObjectsV2",
    ("GET", True): "GetObject",
    ("HEAD", False): "HeadBucket",
    ("HEAD", True): "HeadObject",
    ("POST", False): "DeleteObjects",
    ("PUT", False): "CreateBucket",
    ("PUT", True): "PutObject",
}
#: What a call is about, by the first of these that it names.
_RESOURCES = (
    *("StackName", "AutoScalingGroupName", "ListenerArn", "RuleArn", "TargetGroupArn", "LoadBalancerArn", "TableName"),
    *("TopicArn", "AlarmName", "FunctionName", "Name", "SecretId", "ImageId", "ResourceId"),
    *("AutoScalingGroupNames", "ListenerArns", "TargetGroupArns", "LoadBalancerArns", "InstanceId", "InstanceIds"),
    *("Path", "Names", "SecretIdList"),
)


@dataclass(frozen=True)
class Request:
    """An HTTP request; header names are lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Identity:
    """Who calls what.

    Attributes:
        client: the access key's id.
        service: boto3's name of the service.
        operation: the API's name of the operation.
        protocol: query, ec2, json, rest-json or rest-xml.
        writes: whether the operation changes anything.
        resource: what it is about, or "".
    """

    client: str
    service: str
    operation: str
    protocol: str
    writes: bool
    resource: str


def identify(request: Request) -> Identity | None:
    """The call that a request makes, or None for one that no client has signed."""
    signed = _CREDENTIAL.search(request.headers.get("authorization", ""))
    if signed is None:
        return None
    client, scope = signed.groups()
    service = _BOTO3_NAMES.get(scope, scope)
    protocol, operation, arguments = _operation(service, request)
    reads = _READS.match(operation) is not None or operation in _OTHER_READS
    return Identity(client, service, operation, protocol, not reads, _resource(arguments))


def _operation(service: str, request: Request) -> tuple[str, str, dict[str, Any]]:
    """Protocol, operation and arguments."""
    target = request.headers.get("x-amz-target")
    if target:
        return "json", target.rsplit(".", 1)[-1], _json(request.body)
    form = parse_qs(request.query)
    if "x-www-form-urlencoded" in request.headers.get("content-type", ""):
        form.update(parse_qs(request.body.decode(errors="replace")))
    if "Action" in form:
        return "ec2" if service == "ec2" else "query", form["Action"][0], {key: form[key][0] for key in form}
    return _rest(service, request)


def _rest(service: str, request: Request) -> tuple[str, str, dict[str, Any]]:
    for method, pattern, name in _routes(service):
        found = pattern.fullmatch(request.path) if method == request.method else None
        if found:
            named = {key: unquote(value) for key, value in found.groupdict().items()}
            return "rest-json", name, {**_json(request.body), **named}
    if service == "s3":
        bucket, _, key = unquote(request.path).strip("/").partition("/")
        name = _S3.get((request.method, bool(key)), f"{request.method} {request.path}")
        return "rest-xml", name, {"ResourceId": f"arn:aws:s3:::{bucket}" + (f"/{key}" if key else "")}
    return "rest-json", f"{request.method} {request.path}", {}


@cache
def _routes(service: str) -> list[tuple[str, re.Pattern[str], str]]:
    """A service's operations by method and path, those with the longest fixed path first."""
    try:
        model = botocore.session.get_session().get_service_model(service)
    except UnknownServiceError:
        return []
    if model.protocol != "rest-json":
        return []
    routes = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        path = re.split(r"\{(\w+)\+?\}", http["requestUri"].partition("?")[0])
        pattern = "".join(f"(?P<{part}>[^/]+)" if odd % 2 else re.escape(part) for odd, part in enumerate(path))
        routes.append((sum(map(len, path[::2])), http["method"], re.compile(pattern + "/?"), name))
    return [(method, pattern, name) for _fixed, method, pattern, name in sorted(routes, key=lambda each: -each[0])]


def _json(body: bytes) -> dict[str, Any]:
    try:
        read = json.loads(body or b"{}")
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _resource(arguments: Mapping[str, Any]) -> str:
    for name in _RESOURCES:
        for key in (name, f"{name}.member.1", f"{name}.1"):
            value = arguments.get(key)
            if isinstance(value, list) and value:
                value = value[0]
            if isinstance(value, str):
                return value
    return ""
