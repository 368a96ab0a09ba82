# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The app's declaration: where its configuration comes from and which keys it needs. It holds no values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from .errors import ConfigError, Exit
from .names import name_problem

SourceKind = Literal["parameter_store", "secrets_manager"]
KINDS: tuple[SourceKind, ...] = ("parameter_store", "secrets_manager")
KEY_OPTIONS = ("required", "secret")


@dataclass(frozen=True)
class Source:
    """One place in a config store.

    Attributes:
        kind: which store.
        name: a path of the Parameter Store or a secret's name; ``{app}`` and ``{env}`` in it are filled in later.
    """

    kind: SourceKind
    name: str

    def filled(self, app: str, env: str) -> Source:
        """Return the source of this app and environment."""
        return Source(self.kind, self.name.replace("{app}", app).replace("{env}", env))

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Key:
    """What the declaration says about one variable of the app's environment."""

    name: str
    required: bool = False
    secret: bool = True


@dataclass(frozen=True)
class Declaration:
    """Sources (later ones win) and keys."""

    sources: tuple[Source, ...]
    keys: tuple[Key, ...]


def load(path: Path) -> Declaration:
    """Read a declaration.

    Raises:
        ConfigError: it is missing or wrong; every mistake is named.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(Exit.DECLARATION, f"the declaration {path} can't be read: {reason}") from error
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigError(Exit.DECLARATION, f"the declaration {path} is not YAML{where}") from error
    return parse(content, str(path))


def parse(content: object, where: str) -> Declaration:
    """Turn the parsed YAML of a declaration into one.

    Args:
        content: ``{"sources": [{<kind>: <name>}], "keys": {<name>: {<option>: <value>}}}``.
        where: the file, for the messages.

    Raises:
        ConfigError: with every mistake.
    """
    if not isinstance(content, Mapping):
        raise ConfigError(
            Exit.DECLARATION, f"{where}: sources and keys are expected, as in {{sources: […], keys: {{…}}}}"
        )
    problems = [
        f"{where}: {key!r} is not known; sources and keys are" for key in content if key not in ("sources", "keys")
    ]
    sources: list[Source] = []
    keys: list[Key] = []
    for found in (*_sources(content.get("sources")), *_keys(content.get("keys", {}))):
        if isinstance(found, Source):
            sources.append(found)
        elif isinstance(found, Key):
            keys.append(found)
        else:
            problems.append(f"{where}: {found}")
    if problems:
        raise ConfigError(Exit.DECLARATION, problems)
    return Declaration(tuple(sources), tuple(keys))


def _sources(content: Any) -> Iterator[Source | str]:
    if not isinstance(content, list) or not content:
        yield "sources must be a list of at least one source"
        return
    for number, entry in enumerate(content, 1):
        if not isinstance(entry, Mapping) or len(entry) != 1 or not set(entry) <= set(KINDS):
            yield f"source {number} must have exactly one of {', '.join(KINDS)}"
            continue
        ((kind, name),) = entry.items()
        if not isinstance(name, str) or not name:
            yield f"source {number} ({kind}) must name a place, as a string"
        elif unknown := set(re.findall(r"\{[^}]*\}?|\}", name)) - {"{app}", "{env}"}:
            yield f"source {number} ({kind}) may use {{app}} and {{env}}, not {', '.join(sorted(unknown))}"
        elif kind == "parameter_store" and not name.startswith("/"):
            yield f"source {number} ({kind}) must be a path that begins with a slash"
        else:
            yield Source(kind, name)


def _keys(content: Any) -> Iterator[Key | str]:
    if not isinstance(content, Mapping):
        yield "keys must be a mapping of names to options"
        return
    for name, options in content.items():
        if problem := name_problem(name) if isinstance(name, str) else "is not a string":
            yield f"key {name} {problem}"
        elif not isinstance(options, Mapping):
            yield f"key {name} must have options, as in {{required: true, secret: true}}"
        else:
            wrong = [
                option for option, value in options.items() if option not in KEY_OPTIONS or not isinstance(value, bool)
            ]
            yield from (
                f"key {name}: {option} must be one of {', '.join(KEY_OPTIONS)}, true or false" for option in wrong
            )
            if not wrong:
                yield Key(name, **options)
