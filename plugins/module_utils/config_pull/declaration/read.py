# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads a declaration and names every mistake in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..errors import ConfigError, Exit
from .keys import read_keys
from .model import Declaration, Key, Source
from .sources import read_sources

PARTS = ("sources", "keys", "strict")


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
    import yaml  # here, since a deployment has its declarations as JSON, and PyYAML not everywhere

    try:
        # libyaml where it is there: it is several times as fast, and a boot waits for it.
        content = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigError(Exit.DECLARATION, f"the declaration {path} is not YAML{where}") from error
    return parse(content, str(path))


def parse(content: object, where: str) -> Declaration:
    """Turn the parsed YAML of a declaration into one.

    Args:
        content: ``{"sources": [{<kind>: <name>, …}], "keys": {<name>: {<option>: <value>}}, "strict": <bool>}``.
        where: the file, for the messages.

    Raises:
        ConfigError: with every mistake.
    """
    if not isinstance(content, Mapping):
        raise ConfigError(
            Exit.DECLARATION, f"{where}: sources and keys are expected, as in {{sources: […], keys: {{…}}}}"
        )
    problems = [f"{where}: {key!r} is not known; sources, keys and strict are" for key in content if key not in PARTS]
    sources: list[Source] = []
    keys: list[Key] = []
    for found in (*read_sources(content.get("sources")), *read_keys(content.get("keys", {}))):
        if isinstance(found, Source):
            sources.append(found)
        elif isinstance(found, Key):
            keys.append(found)
        else:
            problems.append(f"{where}: {found}")
    strict = content.get("strict", False)
    if not isinstance(strict, bool):
        problems.append(f"{where}: strict must be true or false")
    if problems:
        raise ConfigError(Exit.DECLARATION, problems)
    return Declaration(tuple(sources), tuple(keys), strict)
