# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets Manager: twenty secrets a call where the API allows it, one by one where a version or stage is asked for."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from ..aws.client import PASSING, Aws, refused
from ..declaration import Source
from ..errors import ConfigError, Exit, Retryable, together
from .content import Content, variables

# https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_BatchGetSecretValue.html
A_CALL = 20


def read_one(aws: Aws, source: Source) -> Content:
    """One secret, of the version or stage that the source says.

    Raises:
        ConfigError: denied, not there, not to be had until the deadline, or no JSON object where one is expected.
    """
    request: dict[str, Any] = {"SecretId": source.name}
    if version := source.text("version"):
        request["VersionId"] = version
    if stage := source.text("stage"):
        request["VersionStage"] = stage
    try:
        return _content(source, aws.service("secretsmanager").json(str(source), "GetSecretValue", request))
    except ConfigError as error:
        if source.optional and error.code is Exit.NOT_FOUND:
            return Content(source, {}, missing=True)
        raise


def read_many(aws: Aws, sources: Sequence[Source]) -> list[Content]:
    """The current versions of up to 20 secrets in one call. BatchGetSecretValue takes no version.

    Raises:
        ConfigError: with what is wrong with each of them.
    """
    service = aws.service("secretsmanager")
    names = list(dict.fromkeys(source.name for source in sources))
    what = f"{sources[0]} and {len(names) - 1} more"

    def once() -> dict[str, Any]:
        page = service.json(what, "BatchGetSecretValue", {"SecretIdList": names})
        for failed in page.get("Errors", []):
            if failed.get("ErrorCode") in PASSING:
                raise Retryable(f"{failed['ErrorCode']} for {failed.get('SecretId')}")
        return page

    page = aws.deadline.retry(what, once)
    found: dict[str, Mapping[str, Any]] = {}
    for secret in page.get("SecretValues", []):
        found[secret["Name"]] = found[secret["ARN"]] = secret
    codes = {failed.get("SecretId"): failed.get("ErrorCode") for failed in page.get("Errors", [])}
    contents: list[Content] = []
    errors: list[ConfigError] = []
    for source in sources:
        try:
            contents.append(_of_batch(source, found.get(source.name), str(codes.get(source.name, ""))))
        except ConfigError as error:
            errors.append(error)
    if errors:
        raise together(errors)
    return contents


def _of_batch(source: Source, secret: Mapping[str, Any] | None, code: str) -> Content:
    if secret is not None:
        return _content(source, secret)
    # A secret that is in neither list does not exist for this caller.
    error = refused(str(source), code or "ResourceNotFoundException", "secretsmanager:GetSecretValue")
    if source.optional and error.code is Exit.NOT_FOUND:
        return Content(source, {}, missing=True)
    raise error


def _content(source: Source, secret: Mapping[str, Any]) -> Content:
    value = _value(secret)
    versions = {"": str(secret.get("VersionId", ""))}
    if key := source.text("key"):
        return Content(source, {key: value}, versions)
    if isinstance(value, bytes):
        raise ConfigError(Exit.INCOMPLETE, f"{source}: it is binary; say with key which variable or file it becomes")
    return Content(source, variables(source, value), versions)


def _value(secret: Mapping[str, Any]) -> str | bytes:
    """Text, or bytes: in base64 as the API gives them, or as an SDK has decoded them."""
    text, binary = secret.get("SecretString"), secret.get("SecretBinary")
    if isinstance(text, str):
        return text
    if isinstance(binary, bytes):
        return binary
    try:
        return base64.b64decode(str(binary), validate=True)
    except (binascii.Error, ValueError):
        return b""
