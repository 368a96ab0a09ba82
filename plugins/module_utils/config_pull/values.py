# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values: how they are written as text, and whether one is what the declaration expects."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .declaration.model import Key

TRUE_OR_FALSE = ("true", "false")


def as_text(raw: object) -> str | None:
    """A scalar of JSON or YAML as text, or None for anything else."""
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, int | float):
        return str(raw)
    return raw if isinstance(raw, str) else None


def mistake(key: Key, value: bytes) -> str | None:
    """What keeps a value from being what was declared, as "must be …", or None. The value is not in the text."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        checked = key.type != "string" or key.pattern is not None or key.allowed is not None
        return "must be text: it is binary, and binary has neither type nor pattern" if checked else None
    if key.type != "string" and not _is(key.type, text):
        article = "an" if key.type == "integer" else "a"
        return "must be true or false" if key.type == "boolean" else f"must be {article} {_WORDS[key.type]}"
    if key.pattern is not None and not re.search(key.pattern, text):
        return f"must match {key.pattern}"
    if key.allowed is not None and text not in key.allowed:
        return f"must be one of {', '.join(key.allowed)}"
    return None


_WORDS = {"integer": "integer", "number": "number", "json": "JSON text", "boolean": "boolean"}


def _is(kind: str, text: str) -> bool:
    if kind == "integer":
        return re.fullmatch(r"[+-]?[0-9]+", text) is not None
    if kind == "number":
        return re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text) is not None
    if kind == "boolean":
        return text in TRUE_OR_FALSE
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
