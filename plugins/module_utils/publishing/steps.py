# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a publication. They come in phases: a phase is planned anew once the one before is seen to be done."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

if t.TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ansible_collections.immutable.ec2.plugins.module_utils.publishing.model import Leftover


@dataclass(frozen=True)
class Step:
    """Something to do in a region, and why."""

    region: str
    reason: str
    phase: t.ClassVar[int] = 0


@dataclass(frozen=True)
class RemoveLeftover(Step):
    leftover: Leftover

    def __str__(self) -> str:
        return f"remove the {self.leftover.kind} {self.leftover.id}"


@dataclass(frozen=True)
class AwaitBake(Step):
    phase: t.ClassVar[int] = 1

    def __str__(self) -> str:
        return f"wait until the image in {self.region} is made"


@dataclass(frozen=True)
class Validate(Step):
    phase: t.ClassVar[int] = 2

    def __str__(self) -> str:
        return "boot a server from the image and test it"


@dataclass(frozen=True)
class RemoveFailedCopy(Step):
    image: str
    phase: t.ClassVar[int] = 3

    def __str__(self) -> str:
        return f"remove the failed copy {self.image} in {self.region}"


@dataclass(frozen=True)
class Copy(Step):
    key: str = ""
    phase: t.ClassVar[int] = 3

    def __str__(self) -> str:
        return f"copy the image to {self.region}{f', encrypted with {self.key}' if self.key else ''}"


@dataclass(frozen=True)
class AwaitImage(Step):
    phase: t.ClassVar[int] = 4

    def __str__(self) -> str:
        return f"wait until the image in {self.region} is available"


@dataclass(frozen=True)
class Share(Step):
    accounts: tuple[str, ...]
    organizations: tuple[str, ...]
    phase: t.ClassVar[int] = 5

    def __str__(self) -> str:
        return f"share the image in {self.region} with {', '.join(self.accounts + self.organizations)}"


@dataclass(frozen=True)
class RequireImdsv2(Step):
    phase: t.ClassVar[int] = 5

    def __str__(self) -> str:
        return f"require IMDSv2 of servers of the image in {self.region}"


@dataclass(frozen=True)
class Deprecate(Step):
    at: datetime
    phase: t.ClassVar[int] = 5

    def __str__(self) -> str:
        return f"deprecate the image in {self.region} from {self.at:%Y-%m-%d} on"


@dataclass(frozen=True)
class Tag(Step):
    tags: Mapping[str, str] = field(hash=False)
    phase: t.ClassVar[int] = 5

    def __str__(self) -> str:
        return f"tag the image in {self.region}: {', '.join(f'{key}={value}' for key, value in self.tags.items())}"


@dataclass(frozen=True)
class MarkPublished(Step):
    phase: t.ClassVar[int] = 6

    def __str__(self) -> str:
        return f"mark the image in {self.region} as published"


@dataclass(frozen=True)
class MovePointer(Step):
    """`release` is empty where the channel shall name none any more."""

    channel: str
    release: str
    phase: t.ClassVar[int] = 7

    def __str__(self) -> str:
        if not self.release:
            return f"remove the pointer of channel {self.channel} in {self.region}"
        return f"let channel {self.channel} name {self.release} in {self.region}"


@dataclass(frozen=True)
class MarkWithdrawn(Step):
    phase: t.ClassVar[int] = 8

    def __str__(self) -> str:
        return f"mark the image in {self.region} as withdrawn"
