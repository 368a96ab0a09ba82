# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user asks for, as the arguments say it."""

from __future__ import annotations

import hashlib
import json
import typing as t
from dataclasses import dataclass
from datetime import timedelta

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import Capacity, Colour, Release

if t.TYPE_CHECKING:
    from collections.abc import Mapping

IDENTITY_LENGTH: t.Final = 16


@dataclass(frozen=True)
class Environment:
    """One env of one app; the names of all that belongs to it follow from that."""

    app: str
    env: str

    @property
    def edge(self) -> str:
        return f"{self.app}-{self.env}-edge"

    def stack(self, colour: Colour) -> str:
        return f"{self.app}-{self.env}-{colour}"


@dataclass(frozen=True)
class Settings:
    """What a colour of this env is made with, and how a swap is judged."""

    environment: Environment
    image: str
    capacity: Capacity
    instance_type: str
    template: str
    launch: Mapping[str, str]
    health_path: str
    deadline: timedelta
    window: timedelta
    immediate: bool

    def identity(self, release: Release) -> str:
        """The hash that tells one colour from another: release and launch settings. Capacity is not in it, since a
        scaling policy changes that on a running colour."""
        facts = {
            "release": release.name,
            "instance_type": self.instance_type,
            "launch": dict(sorted(self.launch.items())),
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:IDENTITY_LENGTH]


def read_settings(arguments: Mapping[str, t.Any], template: str) -> Settings:
    """The settings for a module's arguments.

    Args:
        arguments: the validated arguments of ``immutable.ec2.blue_green``.
        template: the colour's CloudFormation template, its text.

    Raises:
        Refused: the capacity can't be.
    """
    minimum, maximum = arguments["capacity"]["min"], arguments["capacity"]["max"]
    if not 1 <= minimum <= maximum:
        raise Refused(f"capacity is min {minimum}, max {maximum}; min must be at least 1 and max at least min")
    health = arguments["health"] or {}
    return Settings(
        environment=Environment(arguments["app"], arguments["env"]),
        image=arguments["image"],
        capacity=Capacity(minimum, maximum),
        instance_type=arguments["instance_type"],
        template=template,
        launch={key: str(value) for key, value in (arguments["launch"] or {}).items()},
        health_path=health.get("path") or "/up",
        deadline=timedelta(seconds=health.get("deadline") or 600),
        window=timedelta(seconds=arguments["rollback_window"]),
        immediate=arguments["immediate"],
    )
