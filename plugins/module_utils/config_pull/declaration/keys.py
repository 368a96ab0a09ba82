# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The keys of a declaration, and whether what it says of them can hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..names import name_problem
from ..values import as_text, mistake
from .model import TYPES, Key

FLAGS = ("required", "secret")
OPTIONS = (*FLAGS, "type", "pattern", "allowed", "default", "as")


def read_keys(content: Any) -> Iterator[Key | str]:
    """Keys, and a sentence for each mistake."""
    if not isinstance(content, Mapping):
        yield "keys must be a mapping of names to options"
        return
    for name, options in content.items():
        if problem := name_problem(name) if isinstance(name, str) else "is not a string":
            yield f"key {name} {problem}"
        elif not isinstance(options, Mapping):
            yield f"key {name} must have options, as in {{required: true, secret: true}}"
        else:
            problems = list(_options(options))
            yield from (f"key {name}: {problem}" for problem in problems)
            if not problems:
                yield from _key(name, options)


def _options(options: Mapping[Any, Any]) -> Iterator[str]:
    for option, value in options.items():
        if option not in OPTIONS:
            yield f"{option} is not known; {', '.join(OPTIONS)} are"
        elif option in FLAGS and not isinstance(value, bool):
            yield f"{option} must be true or false"
        elif option == "type" and value not in TYPES:
            yield f"type must be one of {', '.join(TYPES)}"
        elif option == "as" and value not in ("file", "variable"):
            yield "as must be file or variable"
        elif option == "allowed" and (not isinstance(value, list) or not value or None in map(as_text, value)):
            yield "allowed must be a list of values"
        elif option == "default" and as_text(value) is None:
            yield "default must be a string, a number, true or false"
        elif option == "pattern" and not _compiles(value):
            yield "pattern must be a regular expression"
    if options.get("required") is True and "default" in options:
        yield "a key with a default can't be required"


def _key(name: str, options: Mapping[str, Any]) -> Iterator[Key | str]:
    allowed = options.get("allowed")
    key = Key(
        name,
        required=options.get("required", False),
        secret=options.get("secret", True),
        type=options.get("type", "string"),
        pattern=options.get("pattern"),
        allowed=tuple(str(as_text(value)) for value in allowed) if allowed else None,
        default=as_text(options.get("default")),
        as_file=options.get("as") == "file",
    )
    if key.default is not None and (wrong := mistake(key, key.default.encode())):
        yield f"key {name}: its default {wrong}"
    else:
        yield key


def _compiles(pattern: object) -> bool:
    try:
        re.compile(pattern) if isinstance(pattern, str) else re.compile(")")
    except re.error:
        return False
    return True
