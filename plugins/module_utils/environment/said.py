# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the files of an environment say together, and where each word of it stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ansible_collections.immutable.ec2.plugins.module_utils.environment.rules import OPTIONAL, RULES
from ansible_collections.immutable.ec2.plugins.module_utils.environment.values import Value

DEFAULT_CANARY = [5, 25, 50]
DEFAULT_LINEAR = 20
DEFAULT_BAKE_TIME = 300
"""Seconds, where traffic is shifted in steps. All at once the default is 0: the guard watches, nobody waits."""


@dataclass(frozen=True)
class Entry:
    """A value, the name of the document that says it, and its place among the documents: a later one wins."""

    value: Value
    source: str
    place: int


@dataclass
class Said:
    """The right values by key, the optional groups that are written, and the keys whose value is wrong."""

    where: str
    """The document in which a missing key is missing."""
    entries: dict[str, Entry] = field(default_factory=dict)
    groups: dict[str, Entry] = field(default_factory=dict)
    wrong: set[str] = field(default_factory=set)

    def take_away(self, group: str) -> None:
        """Forgets an optional group and all that was said in it."""
        self.groups.pop(group, None)
        self.entries = {key: entry for key, entry in self.entries.items() if not key.startswith(f"{group}.")}

    def has(self, key: str) -> bool:
        """Whether the key counts: it belongs to no optional group, or to one that is written."""
        return all(group in self.groups for group in OPTIONAL if key.startswith(f"{group}."))

    def source(self, *keys: str) -> str:
        """The document that says the first of the keys that is said."""
        return next((self.entries[key].source for key in keys if key in self.entries), self.where)

    def superseded(self, key: str, by: str) -> bool:
        """Whether a later document than the key's says the other key."""
        return by in self.entries and key in self.entries and self.entries[key].place < self.entries[by].place

    def complete(self) -> Iterator[tuple[str, Value]]:
        """Yields every key that counts, with its default where nobody says."""
        for key in RULES:
            if self.has(key):
                yield key, self.value(key)

    def value(self, key: str) -> Value:
        """What counts for a key: what is said, or its default, which for some follows from other keys."""
        strategy = self.strategy()
        if key == "strategy":
            return strategy
        if key in ("canary", "linear") and key != strategy:
            return None
        if key == "instance_type" and not self.superseded("instance_types", "instance_type"):
            types = self.entries.get("instance_types")
            if types and isinstance(types.value, list):
                return types.value[0]
        if key == "instance_types" and self.superseded("instance_types", "instance_type"):
            return None
        if key in self.entries:
            return self.entries[key].value
        if key == "bake_time":
            return 0 if strategy == "all_at_once" else DEFAULT_BAKE_TIME
        if key == "canary":
            return list(DEFAULT_CANARY)
        if key == "linear":
            return DEFAULT_LINEAR
        return RULES[key].default

    def strategy(self) -> str:
        """The strategy that is said, or the one that the steps which are said belong to."""
        if "strategy" in self.entries:
            return str(self.entries["strategy"].value)
        steps = [key for key in ("canary", "linear") if key in self.entries]
        return max(steps, key=lambda key: self.entries[key].place) if steps else str(RULES["strategy"].default)
