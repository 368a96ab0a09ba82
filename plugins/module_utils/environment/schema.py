# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of an environment file, and the check of what one says: pure, it reads no file and calls nothing."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ansible_collections.immutable.ec2.plugins.module_utils.environment.values import (
    NotAllowed,
    Parser,
    Value,
    choice,
    duration,
    list_of,
    text,
    whole_number,
)

Settings: TypeAlias = dict[str, "Value | dict[str, Value]"]

#: Names become parts of stack names, tags and paths in the config store; the templates check the same.
NAME = r"[a-z][a-z0-9-]{0,30}"


@dataclass(frozen=True)
class Document:
    """What one source says: an environment file, or the command line."""

    name: str
    content: Mapping[object, object]


@dataclass(frozen=True)
class Rule:
    """What a key may hold, and what it is where nobody says; a required key has no default."""

    parse: Parser
    default: Value = None
    required: bool = False


class WrongSettings(Exception):
    """Environment files say something that can't be; mistakes has all of it, a sentence each."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = tuple(mistakes)


RULES: Mapping[str, Rule] = {
    "app": Rule(
        text(NAME, "a name of lower-case letters, digits and hyphens, at most 31, beginning with a letter"),
        required=True,
    ),
    "region": Rule(text(r"[a-z]{2}(-[a-z]+)+-[0-9]", "a region such as eu-west-1")),
    "strategy": Rule(choice("all_at_once"), "all_at_once"),
    "image": Rule(
        text(r"ami-[0-9a-f]{8,17}|(?!ami-)[a-z0-9][a-z0-9-]*", "newest, a release (bake id) or an image id (ami-...)"),
        "newest",
    ),
    "capacity.min": Rule(whole_number(1, 1000), 2),
    "capacity.max": Rule(whole_number(1, 1000), 4),
    "instance_type": Rule(text(r"[a-z0-9-]+\.[a-z0-9-]+", "an instance type such as t3.small"), "t3.small"),
    "rollback_window": Rule(duration("0s", "168h"), 3600),
    "network.vpc": Rule(text(r"vpc-[0-9a-f]{8,17}", "the id of a VPC (vpc-...)")),
    "network.subnets": Rule(
        list_of(r"subnet-[0-9a-f]{8,17}", 2, "a list of at least two different subnet ids (subnet-...)")
    ),
    "certificate": Rule(text(r"arn:aws[a-z-]*:(acm|iam):\S+", "the ARN of a certificate (arn:aws:acm:...)")),
    "health.path": Rule(text(r"/\S*", "a path that begins with /"), "/up"),
    "health.deadline": Rule(duration("10s", "6h"), 600),
    "retention.newest": Rule(whole_number(1, 1000), 5),
}
GROUPS = frozenset(key.split(".")[0] for key in RULES if "." in key)
TOP_LEVEL = tuple(dict.fromkeys(key.split(".")[0] for key in RULES))


def settings(documents: Sequence[Document], overrides: Document) -> Settings:
    """Returns what the documents say together; a later one wins, key by key, and overrides win over all.

    What is missing is reported as missing in the last document. The result has every key of RULES, nested where
    the key has a dot, durations in seconds.
    Raises WrongSettings with every mistake of every document.
    """
    mistakes: list[str] = []
    said: dict[str, tuple[Value, str]] = {}
    wrong: set[str] = set()
    for document in (*documents, overrides):
        for key, value in _flattened(document, mistakes):
            try:
                said[key] = RULES[key].parse(value), document.name
            except NotAllowed as error:
                mistakes.append(f"{document.name}: {key} is {_shown(value)}, allowed is {error}")
                wrong.add(key)
    where = documents[-1].name
    mistakes += [
        f"{where}: {key} is missing"
        for key, rule in RULES.items()
        if rule.required and key not in said and key not in wrong
    ]
    mistakes += _contradictions(said, wrong, where)
    if mistakes:
        raise WrongSettings(mistakes)
    return _nested({key: said[key][0] if key in said else rule.default for key, rule in RULES.items()})


def _flattened(document: Document, mistakes: list[str]) -> Iterator[tuple[str, object]]:
    for key, value in document.content.items():
        if key not in TOP_LEVEL:
            mistakes.append(_unknown(document.name, str(key), TOP_LEVEL))
        elif key not in GROUPS:
            yield str(key), value
        elif not isinstance(value, Mapping):
            keys = ", ".join(_keys_of(str(key)))
            mistakes.append(f"{document.name}: {key} is {_shown(value)}, allowed is a mapping with the keys {keys}")
        else:
            for inner, inner_value in value.items():
                path = f"{key}.{inner}"
                if path in RULES:
                    yield path, inner_value
                else:
                    mistakes.append(_unknown(document.name, path, [f"{key}.{name}" for name in _keys_of(str(key))]))


def _contradictions(said: Mapping[str, tuple[Value, str]], wrong: set[str], where: str) -> Iterator[str]:
    """Yields what is wrong between keys that are right in themselves."""
    smallest, largest = (said.get(key, (RULES[key].default, where)) for key in ("capacity.min", "capacity.max"))
    if not wrong & {"capacity.min", "capacity.max"}:
        low, high = smallest[0], largest[0]
        if isinstance(low, int) and isinstance(high, int) and low > high:
            source = said.get("capacity.min") or said["capacity.max"]
            yield f"{source[1]}: capacity.min is {low} but capacity.max is {high}, allowed is a min of at most max"
    for given, missing in (("network.vpc", "network.subnets"), ("network.subnets", "network.vpc")):
        if given in said and missing not in said and missing not in wrong:
            yield f"{said[given][1]}: {given} is set but {missing} is not, allowed are both or neither"


def _unknown(source: str, key: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    meant = f" (did you mean {close[0]}?)" if close else ""
    return f"{source}: {key} is not a key{meant}, allowed are {', '.join(known)}"


def _keys_of(group: str) -> list[str]:
    return [key.split(".")[1] for key in RULES if key.startswith(f"{group}.")]


def _shown(value: object) -> str:
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return str(value).lower()
    shown = f'"{value}"' if isinstance(value, str) else str(value)
    shown = " ".join(shown.split())
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


def _nested(flat: Mapping[str, Value]) -> Settings:
    nested: Settings = {key: value for key, value in flat.items() if "." not in key}
    for group in GROUPS:
        nested[group] = {key: flat[f"{group}.{key}"] for key in _keys_of(group)}
    return nested
