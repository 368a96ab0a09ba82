# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a declaration says, once it was checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

SourceKind = Literal["parameter_store", "secrets_manager", "vault"]
KINDS: tuple[SourceKind, ...] = ("parameter_store", "secrets_manager", "vault")
ValueType = Literal["string", "integer", "number", "boolean", "json"]
TYPES: tuple[ValueType, ...] = ("string", "integer", "number", "boolean", "json")
CHOICES = ("key", "label", "stage", "version")
PLACES = ("{app}", "{env}")
IN_BRACES = re.compile(r"\{[^}]*\}?|\}")


@dataclass(frozen=True)
class Source:
    """One place in a config store.

    Attributes:
        kind: which store.
        name: a path or parameter, a secret's name, or mount and path of Vault; ``{app}`` and ``{env}`` in it are
            filled in later.
        options: what else the declaration says of it, by the names of its options.
    """

    kind: SourceKind
    name: str
    options: Mapping[str, object] = field(default_factory=dict, hash=False)

    def filled(self, app: str, env: str) -> Source:
        """Return the source of this app and environment."""

        def fill(value: object) -> object:
            return value.replace("{app}", app).replace("{env}", env) if isinstance(value, str) else value

        options = {option: fill(value) for option, value in self.options.items()}
        return replace(self, name=str(fill(self.name)), options=options)

    def text(self, option: str) -> str | None:
        """An option that is a text, or None."""
        value = self.options.get(option)
        return None if value is None else str(value)

    @property
    def optional(self) -> bool:
        """Whether it need not exist. It is no leave to do without it while its store is down."""
        return self.options.get("optional") is True

    @property
    def pinned(self) -> bool:
        """Whether a deployment keeps to one version of it. KV version 1 has none to keep to."""
        return self.options.get("pin") is not False and self.options.get("engine") != 1

    @property
    def address(self) -> str:
        """What a manifest knows it by: two sources may be of one place, and read different things there."""
        chosen = (f" {option}={self.options[option]}" for option in CHOICES if option in self.options)
        return f"{self}{''.join(chosen)}"

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Key:
    """What the declaration says about one variable or file of the app's."""

    name: str
    required: bool = False
    secret: bool = True
    type: ValueType = "string"
    pattern: str | None = None
    allowed: tuple[str, ...] | None = None
    default: str | None = None
    as_file: bool = False


@dataclass(frozen=True)
class Declaration:
    """Sources (later ones win) and keys; ``strict`` refuses keys that are not declared."""

    sources: tuple[Source, ...]
    keys: tuple[Key, ...]
    strict: bool = False
