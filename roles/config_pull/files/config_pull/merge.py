# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Puts the sources together and checks the result against the declaration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .declaration import Key, Source
from .errors import ConfigError, Exit
from .names import name_problem, value_problem


@dataclass(frozen=True)
class Configuration:
    """What the app gets.

    Attributes:
        values: by name. Kept out of the representation, so that no log can hold them.
        origins: by name, the source that each value is from.
        undeclared: names that the declaration does not know, sorted.
    """

    values: Mapping[str, str] = field(repr=False)
    origins: Mapping[str, Source]
    undeclared: tuple[str, ...]


def merge(keys: Sequence[Key], contents: Sequence[tuple[Source, Mapping[str, object]]]) -> Configuration:
    """Merge sources, later ones over earlier ones.

    Raises:
        ConfigError: with every mistake: names that can't or may not be set, values that no variable can hold, required
            keys that no source has or whose value is empty. Keys and sources are named, values never.
    """
    values: dict[str, str] = {}
    origins: dict[str, Source] = {}
    problems: list[str] = []
    for source, content in contents:
        for name, raw in content.items():
            value = _text(raw)
            if value is None:
                problem: str | None = "must be a string, a number or a boolean"
            else:
                problem = name_problem(name) or value_problem(name, value)
            if problem:
                problems.append(f"{name!r} in {source} {problem}")
            elif value is not None:
                values[name] = value
                origins[name] = source
    # A name that is there but wrong has been reported above.
    there = {name for _source, content in contents for name in content}
    looked_in = ", ".join(str(source) for source, _content in contents)
    for key in keys:
        if key.required and key.name not in there:
            problems.append(f"{key.name} is required and missing; looked in {looked_in}")
        elif key.required and values.get(key.name) == "":
            problems.append(f"{key.name} is required and empty in {origins[key.name]}")
    if problems:
        raise ConfigError(Exit.INCOMPLETE, problems)
    declared = {key.name for key in keys}
    return Configuration(values, origins, tuple(sorted(values.keys() - declared)))


def _text(raw: object) -> str | None:
    if isinstance(raw, bool):
        return "true" if raw else "false"
    return raw if isinstance(raw, str) else None
