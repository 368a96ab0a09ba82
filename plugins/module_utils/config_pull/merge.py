# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Puts the sources together and checks the result against the declaration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .declaration import Declaration, Key
from .errors import ConfigError, Exit
from .names import file_problem, name_problem, value_problem
from .stores.content import Content
from .values import as_text, mistake

DEFAULT = "the declaration's default"


@dataclass(frozen=True)
class Configuration:
    """What the app gets. Values are kept out of the representation, so that no log can hold them.

    Attributes:
        values: variables by name.
        files: contents of files by name.
        origins: by name, the source that each value is from, in words.
        undeclared: names that the declaration does not know, sorted.
        missing: optional sources that do not exist.
    """

    values: Mapping[str, str] = field(repr=False)
    files: Mapping[str, bytes] = field(repr=False)
    origins: Mapping[str, str]
    undeclared: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def merge(declaration: Declaration, contents: Sequence[Content]) -> Configuration:
    """Merge sources, later ones over earlier ones, and check what comes out.

    Raises:
        ConfigError: with every mistake: names that can't or may not be set, values that no variable or file can hold,
            required keys that no source has or whose value is empty, values that are not as declared. Keys and sources
            are named, values never.
    """
    declared = {key.name: key for key in declaration.keys}
    found: dict[str, bytes] = {}
    origins: dict[str, str] = {}
    problems: list[str] = []
    for content in contents:
        for name, raw in content.values.items():
            value, problem = _bytes(name, raw, declared.get(name))
            if problem:
                problems.append(f"{name!r} in {content.source} {problem}")
            elif value is not None:
                found[name], origins[name] = value, str(content.source)
    # A name that is there but wrong has been reported above.
    there = {name for content in contents for name in content.values}
    looked_in = ", ".join(str(content.source) for content in contents)
    for key in declaration.keys:
        if key.name not in there and key.default is not None:
            found[key.name], origins[key.name] = key.default.encode(), DEFAULT
        elif key.required and key.name not in there:
            problems.append(f"{key.name} is required and missing; looked in {looked_in}")
        elif key.required and found.get(key.name) == b"":
            problems.append(f"{key.name} is required and empty in {origins[key.name]}")
        elif key.name in found and (wrong := mistake(key, found[key.name])):
            problems.append(f"{key.name} in {origins[key.name]} {wrong}")
    undeclared = tuple(sorted(found.keys() - declared.keys()))
    if declaration.strict:
        problems += [f"{name} in {origins[name]} is not declared, and the declaration is strict" for name in undeclared]
    files = {name: value for name, value in found.items() if name in declared and declared[name].as_file}
    if too_much := file_problem(files):
        problems.append(too_much)
    if problems:
        raise ConfigError(Exit.INCOMPLETE, problems)
    values = {name: value.decode() for name, value in found.items() if name not in files}
    missing = tuple(str(content.source) for content in contents if content.missing)
    return Configuration(values, files, origins, undeclared, missing)


def _bytes(name: str, raw: object, key: Key | None) -> tuple[bytes | None, str | None]:
    """The value as bytes, or what is wrong with name or value."""
    as_file = key is not None and key.as_file
    if isinstance(raw, bytes):
        value = raw
    elif (text := as_text(raw)) is None:
        return None, "must be a string, a number or a boolean"
    else:
        value = text.encode("utf-8", "surrogatepass")
    problem = name_problem(name)
    if problem is None and not as_file:
        problem = value_problem(name, value)
    return value, problem
