# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's recording and faults, as a test uses them."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import boto3
from botocore.config import Config

from tests.lab.contract.support import Api


@dataclass(frozen=True)
class Client:
    """A client of the API that is known by its access key."""

    api: Api
    key: str

    def of(self, service: str, attempts: int = 1) -> Any:
        """A boto3 client that sends a call at most ``attempts`` times."""
        return boto3.client(
            service,  # type: ignore[call-overload]
            region_name="eu-west-1",
            endpoint_url=self.api.url,
            aws_access_key_id=self.key,
            aws_secret_access_key="lab",
            config=Config(retries={"total_max_attempts": attempts, "mode": "standard"}, read_timeout=20),
        )

    def calls(self, since: int = 0) -> list[dict[str, Any]]:
        """What this client has called, in order."""
        found: list[dict[str, Any]] = ask(
            self.api, "GET", f"/_lab/calls?{urlencode({'client': self.key, 'since': since})}"
        )["calls"]
        return found

    def fault(self, effect: str, times: int = 1, **match: object) -> Fault:
        """Let calls of this client meet an effect."""
        return arm(self.api, effect, {"client": self.key, **match}, times=times)


@dataclass(frozen=True)
class Fault:
    """A fault that was asked for."""

    api: Api
    id: str

    def seen(self, wait: float = 0) -> dict[str, Any]:
        """The fault as it stands once it was hit, or after so many seconds."""
        return ask(self.api, "GET", f"/_lab/faults/{self.id}?wait={wait}")

    def release(self, execute: bool = True) -> None:
        ask(self.api, "POST", f"/_lab/faults/{self.id}/release", {"execute": execute})

    def remove(self) -> None:
        ask(self.api, "DELETE", f"/_lab/faults/{self.id}")


def arm(api: Api, effect: str, match: dict[str, object], **options: object) -> Fault:
    """Ask for a fault."""
    made = ask(api, "POST", "/_lab/faults", {"effect": effect, "match": match, **options})
    return Fault(api, made["id"])


def ask(api: Api, method: str, path: str, content: dict[str, Any] | None = None) -> dict[str, Any]:
    """One request to the lab itself; raises urllib.error.HTTPError."""
    body = None if content is None else json.dumps(content).encode()
    with urllib.request.urlopen(urllib.request.Request(api.url + path, body, method=method), timeout=60) as answer:
        read: dict[str, Any] = json.load(answer)
        return read
