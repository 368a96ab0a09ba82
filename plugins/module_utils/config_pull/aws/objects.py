# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Objects of one S3 bucket: how they are asked for with the instance's role."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from ..deadline import Deadline
from ..instance import Metadata
from ..web import Answer
from .client import EXPIRED, endpoint, error_code, own_endpoint
from .credentials import Chain
from .sigv4 import Credentials, Scope, signed

METADATA_SECONDS = 2.0
NO_BODY = hashlib.sha256(b"").hexdigest()
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\Z")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]\Z")


@dataclass(frozen=True)
class Ask:
    """A request for an object, ready to be sent."""

    secure: bool
    host: str
    path: str
    headers: Mapping[str, str] = field(repr=False)


class Objects:
    """The objects of one bucket. Threads may share it.

    Args:
        bucket: its name.
        region: where the bucket is thought to be; S3 says where it is, if it is not there.
    """

    def __init__(self, bucket: str, region: str) -> None:
        self.bucket = bucket
        self.region = region
        self._lock = threading.Lock()
        self._credentials: Credentials | None = None

    def get(self, key: str) -> Ask:
        """Return the signed GET of an object.

        Raises:
            Retryable: the instance's role has no credentials at the moment.
        """
        parts = urlsplit(endpoint("s3", self.region))
        # A bucket's own host name is AWS's first choice; with dots it would not fit AWS's certificate.
        named = not own_endpoint("s3") and "." not in self.bucket
        host = f"{self.bucket}.{parts.netloc}" if named else parts.netloc
        path = parts.path.rstrip("/") + ("" if named else f"/{self.bucket}") + "/" + quote(key, safe="/-_.~")
        scope = Scope(self.region, "s3")
        own = {"X-Amz-Content-Sha256": NO_BODY}
        now = datetime.now(UTC)
        headers = signed(self._current(), scope, host, own, b"", now, method="GET", path=path)
        return Ask(parts.scheme == "https", host, path, headers)

    def refused(self, status: int, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether the same request may succeed at once, with what the refusal taught: newer credentials, the region."""
        if error_code(Answer(status, headers, body)) in EXPIRED:
            with self._lock:
                self._credentials = None
            return True
        told = headers.get("x-amz-bucket-region", "")
        if told != self.region and _REGION.match(told):
            self.region = told
            return True
        return False

    def _current(self) -> Credentials:
        with self._lock:
            if self._credentials is None:
                self._credentials = Chain(Metadata(Deadline(METADATA_SECONDS))).get()
            return self._credentials


def of_instance(tag: str) -> Objects | None:
    """Return the objects of the bucket that a tag of this instance names; None where it has no such tag.

    Raises:
        ConfigError: the metadata service does not answer.
    """
    metadata = Metadata(Deadline(METADATA_SECONDS))
    bucket = metadata.get(f"meta-data/tags/instance/{tag}") or ""
    region = metadata.get("meta-data/placement/region") or ""
    return Objects(bucket, region) if _NAME.match(bucket) and _REGION.match(region) else None
