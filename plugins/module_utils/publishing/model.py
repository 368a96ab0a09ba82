# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What publishing knows and wants, as frozen values: a release's images, its channel's pointers, what is left over."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from ansible_collections.immutable.ec2.plugins.module_utils.publishing.naming import (
    PUBLICATION_TAG,
    REASON_TAG,
    VALIDATION_ENV,
    VALIDATION_TAG,
)

if t.TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class Publication(StrEnum):
    """How far an image has come, by its tag."""

    NONE = ""
    """Made before images were published, or by somebody else."""
    PENDING = "pending"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class Verdict(StrEnum):
    """What came of an image's validation, by its tag."""

    NONE = ""
    PASSED = "passed"
    PASSED_WITHOUT_APP = "passed_without_app"
    """There is no env `validation`: a server booted, and the app was not started on it."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Image:
    """One region's image of a release. `id` is empty for a copy that is not made yet."""

    id: str
    state: str = "available"
    state_reason: str = ""
    created: datetime | None = None
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)
    imdsv2: bool = False
    deprecated_at: datetime | None = None
    shared_with: frozenset[str] = frozenset()
    """Accounts, and ARNs of organizations and their units."""

    @property
    def publication(self) -> Publication:
        value = self.tags.get(PUBLICATION_TAG, "")
        return Publication(value) if value in set(Publication) else Publication.NONE

    @property
    def verdict(self) -> Verdict:
        value = self.tags.get(VALIDATION_TAG, "")
        return Verdict(value) if value in set(Verdict) else Verdict.NONE

    @property
    def validation_reason(self) -> str:
        return self.tags.get(REASON_TAG, "")


@dataclass(frozen=True, slots=True)
class Pointer:
    """What a channel names in one region. `earlier`: releases of its history that can be deployed, newest first."""

    release: str = ""
    earlier: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Leftover:
    """A server, key pair or security group that an earlier validation of the app didn't come to remove."""

    kind: t.Literal["instance", "key pair", "security group"]
    id: str
    release: str
    expires: datetime | None
    """When the validation that made it must have ended."""


@dataclass(frozen=True, slots=True)
class Observed:
    """Everything about a release's publication at one moment, by region. A region without an image has no entry."""

    images: Mapping[str, Image]
    pointers: Mapping[str, Pointer] = field(default_factory=dict)
    leftovers: tuple[Leftover, ...] = ()


@dataclass(frozen=True, slots=True)
class Validation:
    """How a server of the image is booted and looked at."""

    instance_type: str
    interface: str
    user: str
    tests: tuple[str, ...]
    subnet: str = ""
    ssh_sources: tuple[str, ...] = ("0.0.0.0/0",)
    env: str = VALIDATION_ENV
    profile: str = ""
    health_path: str = "/up"
    smoke_command: str = ""
    deadline: timedelta = timedelta(minutes=15)
    """For all of it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A release and what shall become of it. `regions` begins with the one in which it was baked."""

    app: str
    release: str
    regions: tuple[str, ...]
    channel: str
    validation: Validation | None
    stage: str = "app"
    withdrawn: bool = False
    accounts: frozenset[str] = frozenset()
    organizations: frozenset[str] = frozenset()
    keys: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Region → the KMS key that its copy is encrypted with."""
    deprecate_after: timedelta | None = None
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def home(self) -> str:
        return self.regions[0]
