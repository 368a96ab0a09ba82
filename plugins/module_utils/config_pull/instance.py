# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where this server is: app, environment and region, from the instance metadata service (version 2 only).

Protocol: "Use the Instance Metadata Service to access instance metadata" in the EC2 user guide.
"""

from __future__ import annotations

import os
import re
import threading
from dataclasses import dataclass

from .deadline import Deadline
from .errors import ConfigError, Exit, Retryable
from .web import Host

ENDPOINT = "http://169.254.169.254"
TOKEN_SECONDS = "300"
CALL_SECONDS = 2.0
# What may stand in a path of a store; it keeps a tag from pointing into another environment.
TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\Z")


@dataclass(frozen=True)
class Place:
    """Which configuration is this server's.

    Attributes:
        manifest: the parameter that says which version of each entry this server's colour reads; None where its
            deployment left none, and the newest are read.
    """

    app: str
    env: str
    region: str
    manifest: str | None = None


class Metadata:
    """A client of the metadata service. Threads may share it."""

    def __init__(self, deadline: Deadline, endpoint: str | None = None) -> None:
        self._deadline = deadline
        chosen = endpoint or os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") or ENDPOINT
        self._host = Host(chosen, deadline, CALL_SECONDS)
        self._token: str | None = None
        self._lock = threading.Lock()

    def get(self, path: str) -> str | None:
        """Return what stands at ``/latest/<path>``, or None where there is nothing.

        It is asked again until the deadline: the service may refuse in the first seconds of a boot.

        Raises:
            ConfigError: the service did not answer until the deadline.
        """
        what = f"instance metadata {path} at {self._host.url}"
        return self._deadline.retry(what, lambda: self.once(path), Exit.INSTANCE)

    def once(self, path: str) -> str | None:
        """The same with a single try.

        Raises:
            Retryable: the service did not answer.
        """
        with self._lock:
            if self._token is None:
                status, self._token = self._call(
                    "PUT", "api/token", {"X-aws-ec2-metadata-token-ttl-seconds": TOKEN_SECONDS}
                )
                if status != 200:
                    self._token = None
                    raise Retryable(f"no token, HTTP {status}")
            status, text = self._call("GET", path, {"X-aws-ec2-metadata-token": self._token})
            if status == 404:
                return None
            if status != 200:
                self._token = None
                raise Retryable(f"HTTP {status}")
            return text

    def _call(self, method: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
        answer = self._host.call(method, f"/latest/{path}", headers)
        return answer.status, answer.body.decode("utf-8", "replace").strip()


def locate(metadata: Metadata, app: str | None, env: str | None, region: str | None, pinned: bool = True) -> Place:
    """Return where this server is; what is given is not asked for.

    Args:
        pinned: whether to look for the manifest of this server's colour.

    Raises:
        ConfigError: a tag is missing or unusable, or the service does not answer.
    """
    problems: list[str] = []
    found: dict[str, str] = {}
    for tag, given in (("app", app), ("env", env)):
        value = given or metadata.get(f"meta-data/tags/instance/{tag}")
        if not value:
            problems.append(
                f"the instance has no tag {tag!r}, or its tags are not readable in its metadata"
                " (launch it with InstanceMetadataTags enabled)"
            )
        elif not TAG.match(value):
            problems.append(f"the instance's tag {tag!r} may have letters, digits and . _ - only")
        else:
            found[tag] = value
    here = region or metadata.get("meta-data/placement/region")
    if not here:
        problems.append("the instance's metadata do not say its region")
    if problems or here is None:
        raise ConfigError(Exit.INSTANCE, problems)
    # One who says who they are is no server of a colour.
    manifest = metadata.get("meta-data/tags/instance/config-manifest") if pinned and not (app and env) else None
    return Place(found["app"], found["env"], here, manifest or None)
