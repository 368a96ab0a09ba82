# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of what environment files say, and their sum: pure, it reads no file and calls nothing."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from ansible_collections.immutable.ec2.plugins.module_utils.environment.contradictions import contradictions
from ansible_collections.immutable.ec2.plugins.module_utils.environment.rules import (
    GROUPS,
    OPTIONAL,
    RULES,
    keys_in,
)
from ansible_collections.immutable.ec2.plugins.module_utils.environment.said import Entry, Said
from ansible_collections.immutable.ec2.plugins.module_utils.environment.values import NotAllowed, Value

Settings: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Document:
    """What one source says: an environment file, the command line, or a module's arguments."""

    name: str
    content: Mapping[object, object]


class WrongSettings(Exception):
    """Environment files say something that can't be; mistakes has all of it, a sentence each."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = tuple(mistakes)


def settings(documents: Sequence[Document], overrides: Document) -> Settings:
    """Returns what the documents say together; a later one wins, key by key, and overrides win over all.

    What is missing is reported as missing in the last document. The result has every key of RULES, nested where
    the key has a dot, durations in seconds; an optional group that nobody writes is None.
    Raises WrongSettings with every mistake of every document.
    """
    mistakes: list[str] = []
    said = Said(documents[-1].name)
    for place, document in enumerate((*documents, overrides)):
        _Reading(document, place, said, mistakes).read()
    for key, rule in RULES.items():
        if rule.required and said.has(key) and key not in said.entries and key not in said.wrong:
            mistakes.append(f"{_where(said, key)}: {key} is missing")
    mistakes += contradictions(said)
    if mistakes:
        raise WrongSettings(mistakes)
    return _nested(said)


class _Reading:
    """Reads one document into what is said."""

    def __init__(self, document: Document, place: int, said: Said, mistakes: list[str]) -> None:
        self._document = document
        self._place = place
        self._said = said
        self._mistakes = mistakes

    def read(self) -> None:
        self._group("", self._document.content)

    def _group(self, group: str, content: Mapping[object, object]) -> None:
        known = keys_in(group)
        for name, value in content.items():
            key = f"{group}.{name}" if group else str(name)
            if key not in known:
                self._mistakes.append(_unknown(self._document.name, key, known))
            elif key not in GROUPS:
                self._value(key, value)
            elif isinstance(value, Mapping):
                if key in OPTIONAL:
                    self._said.groups[key] = self._entry(None)
                self._group(key, value)
            elif value is False and key in OPTIONAL:
                self._said.take_away(key)
            else:
                keys = ", ".join(inner.removeprefix(f"{key}.") for inner in keys_in(key))
                off = ", or false" if key in OPTIONAL else ""
                self._wrong(key, value, f"a mapping with the keys {keys}{off}")

    def _value(self, key: str, value: object) -> None:
        try:
            self._said.entries[key] = self._entry(RULES[key].parse(value))
        except NotAllowed as error:
            self._wrong(key, value, str(error))
            self._said.wrong.add(key)

    def _wrong(self, key: str, value: object, allowed: str) -> None:
        self._mistakes.append(f"{self._document.name}: {key} is {_shown(value)}, allowed is {allowed}")

    def _entry(self, value: Value) -> Entry:
        return Entry(value, self._document.name, self._place)


def _where(said: Said, key: str) -> str:
    return next((entry.source for group, entry in said.groups.items() if key.startswith(f"{group}.")), said.where)


def _unknown(source: str, key: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    meant = f" (did you mean {close[0]}?)" if close else ""
    return f"{source}: {key} is not a key{meant}, allowed are {', '.join(known)}"


def _shown(value: object) -> str:
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return str(value).lower()
    shown = f'"{value}"' if isinstance(value, str) else str(value)
    shown = " ".join(shown.split())
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


def _nested(said: Said) -> Settings:
    nested: Settings = {}
    for key, value in said.complete():
        *groups, name = key.split(".")
        inner = nested
        for group in groups:
            inner = inner.setdefault(group, {})
        inner[name] = value
    for path in sorted(OPTIONAL - said.groups.keys()):
        group, name = path.split(".")
        nested.setdefault(group, {})[name] = None
    return nested
