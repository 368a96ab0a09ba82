# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a source holds, and how its JSON is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..declaration import Source
from ..errors import ConfigError, Exit


@dataclass(frozen=True)
class Content:
    """What a source holds.

    Attributes:
        source: with app and environment filled in.
        values: as the store has them: text, bytes, or what JSON may hold. Kept out of the representation.
        versions: what a deployment pins: name → version in the Parameter Store, "" → version in the other stores.
        missing: the source is optional, and does not exist.
    """

    source: Source
    values: Mapping[str, object] = field(repr=False)
    versions: Mapping[str, str] = field(default_factory=dict)
    missing: bool = False

    def pin(self) -> dict[str, Any]:
        """What a manifest says of it."""
        if not self.source.pinned:
            return {}
        if self.source.kind == "parameter_store":
            path = self.source.name.rstrip("/") + "/"
            return {"parameters": {name.removeprefix(path): int(number) for name, number in self.versions.items()}}
        if self.missing:
            return {"absent": True}
        version = self.versions.get("")
        return {"version": int(version) if self.source.kind == "vault" else version} if version else {}


def variables(source: Source, text: str) -> dict[str, object]:
    """The members of a JSON object.

    Raises:
        ConfigError: it is none, or says a key twice.
    """
    problem = "a JSON object is expected, whose keys become variables (or say with key which one all of it becomes)"
    try:
        # Numbers stay as they are written: 1.0 is not 1, and 007 is no number.
        content = json.loads(
            text, parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=_without_repeats
        )
    except _Repeated:
        content, problem = None, "its JSON says a key twice"
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise ConfigError(Exit.INCOMPLETE, f"{source}: {problem}")
    return content


class _Repeated(Exception):
    pass


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Repeated
    return found
