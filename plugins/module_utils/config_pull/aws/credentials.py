# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where credentials come from, in the order of AWS's own tools: environment, shared file, the instance's role."""

from __future__ import annotations

import configparser
import json
import os
import threading
from pathlib import Path

from ..errors import Retryable
from ..instance import Metadata
from .sigv4 import Credentials

_ROLES = "meta-data/iam/security-credentials/"


class Chain:
    """Finds credentials once and keeps them until they are said to have expired. Threads may share it."""

    def __init__(self, metadata: Metadata) -> None:
        self._metadata = metadata
        self._lock = threading.Lock()
        self._found: Credentials | None = None

    def get(self) -> Credentials:
        """Return credentials.

        Raises:
            Retryable: there are none yet: a role's may come a moment after the boot.
        """
        with self._lock:
            if self._found is None:
                self._found = _from_environment() or _from_file() or self._from_role()
            return self._found

    def expired(self, used: Credentials) -> None:
        """Forget the credentials that a call was refused with, so that the next one finds newer ones."""
        with self._lock:
            if self._found is used:
                self._found = None

    def _from_role(self) -> Credentials:
        if os.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
            raise Retryable("no AWS credentials in the environment or its credentials file")
        names = self._metadata.once(_ROLES)
        text = self._metadata.once(_ROLES + names.splitlines()[0]) if names else None
        try:
            found = json.loads(text or "")
            return Credentials(found["AccessKeyId"], found["SecretAccessKey"], found["Token"])
        except (ValueError, KeyError, TypeError):
            text = None
        raise Retryable("no AWS credentials; has the instance a profile?")


def _from_environment() -> Credentials | None:
    key, secret = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
    return Credentials(key, secret, os.environ.get("AWS_SESSION_TOKEN") or None) if key and secret else None


def _from_file() -> Credentials | None:
    file = os.environ.get("AWS_SHARED_CREDENTIALS_FILE")
    path = Path(file) if file else Path(os.environ.get("HOME", "/root"), ".aws", "credentials")
    profiles = configparser.RawConfigParser()
    try:
        profiles.read(path, encoding="utf-8")
        found = profiles[os.environ.get("AWS_PROFILE", "default")]
        return Credentials(found["aws_access_key_id"], found["aws_secret_access_key"], found.get("aws_session_token"))
    except (OSError, configparser.Error, KeyError, UnicodeDecodeError):
        return None
