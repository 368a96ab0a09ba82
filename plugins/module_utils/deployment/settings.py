# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user asks for, as the arguments say it."""

from __future__ import annotations

import hashlib
import json
import re
import typing as t
from dataclasses import dataclass, field
from datetime import timedelta

from ansible_collections.immutable.ec2.plugins.module_utils.deployment import launch
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.settings import GateSettings, read_gates
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    ALL_TRAFFIC,
    Colour,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import (
    Capacity,
    Release,
)
from ansible_collections.immutable.ec2.plugins.module_utils.environment.rules import (
    GROUPS,
    NAME,
    NAME_IN_WORDS,
    RULES,
    keys_in,
)
from ansible_collections.immutable.ec2.plugins.module_utils.environment.schema import (
    Document,
    WrongSettings,
    settings,
)
from ansible_collections.immutable.ec2.plugins.module_utils.environment.values import Seconds

if t.TYPE_CHECKING:
    from collections.abc import Mapping

IDENTITY_LENGTH: t.Final = 16

DEPLOYMENT_ID: t.Final = r"[0-9]{8}-[0-9]{6}-[0-9a-f]{4}"


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
    """What a colour of this env is made with, how a swap is judged, and how far a run may go."""

    environment: Environment
    image: str
    capacity: Capacity
    instance_type: str
    template: str
    launch: Mapping[str, str]
    """Parameters of the colour's template beside those that the engine gives itself."""
    tags: Mapping[str, str]
    """Tags of the colour's stack beside the engine's own; its servers have them too."""
    health_path: str
    deadline: timedelta
    """How long a new colour may take to become healthy."""
    window: timedelta
    """How long the old colour stays warm after a swap."""
    immediate: bool
    strategy: str = "all_at_once"
    steps: tuple[int, ...] = (ALL_TRAFFIC,)
    """Percent of traffic of the new colour after each shift; the last is 100."""
    bake_time: timedelta = timedelta()
    """How long each shift is watched."""
    gates: GateSettings = field(default_factory=GateSettings)
    in_steps: bool = False
    """Whether a rollback shifts in steps too."""
    inspect_window: timedelta = timedelta(hours=1)
    """How long a colour that was turned back stays, to be looked at."""
    lock_wait: timedelta = timedelta()
    accept_drift: bool = False
    edge_may_skip: tuple[str, ...] = ()
    """Logical ids of the edge that may be left out when its stuck update is continued."""
    account: str = ""
    """The account that the credentials must be of; empty for any."""
    role: str = ""
    """The role that is taken on before the first call; empty for none."""
    assets: str = "auto"
    """Where servers find the digested assets of other releases: auto, bucket, cdn or none."""
    assets_bucket: str = ""
    """The bucket; empty for the one that the convention names."""
    approve: str = ""
    """The id of the deployment that a person says go to."""
    refresh: bool = False
    """Whether another configuration than the live colour's is a reason to deploy."""

    @property
    def instance_types(self) -> list[str]:
        """Every type that a server may be of."""
        more = [self.launch[name] for name in sorted(self.launch) if name.startswith("InstanceType")]
        return list(dict.fromkeys((self.instance_type, *more)))

    def identity(self, release: Release) -> str:
        """The hash that tells one colour from another: release and all that a server is launched with. Capacity is not
        in it, since a scaling policy changes that on a running colour. Which configuration it reads is added to it."""
        facts = {
            "release": release.name,
            "instance_type": self.instance_type,
            "launch": dict(sorted(self.launch.items())),
            "tags": dict(sorted(self.tags.items())),
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:IDENTITY_LENGTH]


def read_settings(arguments: Mapping[str, t.Any], template: str) -> Settings:
    """The settings for a module's arguments.

    Args:
        arguments: those of ``immutable.ec2.blue_green``; what is absent or None has its default.
        template: the colour's CloudFormation template, its text.

    Raises:
        Refused: the arguments say what an environment's file could not say either, all of it in one line.
    """
    found = _checked(arguments)
    return Settings(
        environment=Environment(found["app"], arguments["env"]),
        image=found["image"],
        capacity=Capacity(found["capacity"]["min"], found["capacity"]["max"]),
        instance_type=found["instance_type"],
        template=template,
        launch=launch.parameters(found, arguments.get("launch") or {}),
        tags=found["tags"],
        health_path=found["health"]["path"],
        deadline=timedelta(seconds=found["health"]["deadline"]),
        window=timedelta(seconds=found["rollback_window"]),
        immediate=bool(arguments.get("immediate")),
        strategy=found["strategy"],
        steps=steps(found["canary"], found["linear"]),
        bake_time=timedelta(seconds=found["bake_time"]),
        gates=read_gates(found),
        in_steps=found["rollback"] == "in_steps",
        inspect_window=timedelta(seconds=found["inspect_window"]),
        lock_wait=timedelta(seconds=found["lock_wait"]),
        accept_drift=found["accept_drift"],
        edge_may_skip=tuple(found["edge_may_skip"]),
        account=found["account"] or "",
        role=found["role"] or "",
        assets=found["assets"],
        assets_bucket=found["assets_bucket"] or "",
        approve=arguments.get("approve") or "",
        refresh=arguments.get("refresh") == "config",
    )


def steps(canary: t.Sequence[int] | None, linear: int | None) -> tuple[int, ...]:
    """The new colour's percentages, each of them a shift; the last is 100.

    Args:
        canary: the percentages before 100, rising.
        linear: percent of traffic that each shift adds.
    """
    if canary:
        return (*canary, ALL_TRAFFIC)
    return (*range(linear, ALL_TRAFFIC, linear), ALL_TRAFFIC) if linear else (ALL_TRAFFIC,)


def _checked(arguments: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The arguments as an environment's file with the same keys would give them, by the file's own rules."""
    mistakes = []
    if not re.fullmatch(NAME, str(arguments["env"])):
        mistakes.append(f'env is "{arguments["env"]}", allowed is {NAME_IN_WORDS}')
    state, approve = arguments.get("state") or "deployed", arguments.get("approve")
    if approve and not re.fullmatch(DEPLOYMENT_ID, str(approve)):
        mistakes.append(f'approve is "{approve}", allowed is the id of a deployment such as 20261123-204512-3f9a')
    if approve and state != "deployed":
        mistakes.append(f"approve is set but state is {state}, allowed is approve with state: deployed only")
    if arguments.get("refresh") and state != "deployed":
        mistakes.append(f"refresh is set but state is {state}, allowed is refresh with state: deployed only")
    if arguments.get("immediate") and state not in ("rolled_back", "retired"):
        mistakes.append(f"immediate is set but state is {state}, allowed is immediate with rolled_back or retired only")
    found: dict[str, t.Any] = {}
    try:
        mistakes += launch.mistakes(arguments.get("launch") or {})
        found = settings([Document("arguments", _as_file(arguments))], Document("", {}))
    except WrongSettings as error:
        mistakes += [mistake.removeprefix("arguments: ") for mistake in error.mistakes]
    if mistakes:
        raise Refused("; ".join(mistakes))
    return found


def _as_file(arguments: Mapping[str, t.Any], group: str = "") -> dict[object, object]:
    """The arguments of a group as a file would have them; a region is amazon.aws's, which knows more ways to say it."""
    content: dict[object, object] = {}
    for key in keys_in(group):
        name = key.rsplit(".", 1)[-1]
        value = arguments.get(name)
        if value is None or key == "region":
            continue
        if key in GROUPS:
            content[name] = _as_file(value, key)
        else:
            content[name] = Seconds(value) if RULES[key].seconds else value
    if "instance_types" in content:
        content.pop("instance_type", None)
    return content
