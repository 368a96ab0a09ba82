# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signatures, version 4, for requests whose body is known.

Rules: "Create a signed AWS API request" in the IAM user guide. The tests hold them against botocore's.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Credentials:
    """What a request is signed with."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Scope:
    """What a signature is good for."""

    region: str
    service: str


def signed(
    credentials: Credentials,
    scope: Scope,
    host: str,
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
    *,
    method: str = "POST",
    path: str = "/",
) -> dict[str, str]:
    """Return the headers of a request to the host, its signature among them.

    Args:
        host: with the port, where it is not the scheme's own.
        headers: those that the request has already; all of them are signed.
        now: aware, UTC.
        method, path: of the request; the path is quoted once, as S3 wants it, and has no query.
    """
    time = now.strftime("%Y%m%dT%H%M%SZ")
    found = {**headers, "X-Amz-Date": time}
    if credentials.token:
        found["X-Amz-Security-Token"] = credentials.token
    canonical = {name.lower(): " ".join(value.split()) for name, value in {**found, "Host": host}.items()}
    names = ";".join(sorted(canonical))
    lines = "".join(f"{name}:{canonical[name]}\n" for name in sorted(canonical))
    request = f"{method}\n{path}\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    area = f"{time[:8]}/{scope.region}/{scope.service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{time}\n{area}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{credentials.secret_key}".encode()
    for part in (*area.split("/"), text):
        key = hmac.digest(key, part.encode(), "sha256")
    found["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{area}, SignedHeaders={names}, Signature={key.hex()}"
    )
    return found
