# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people are shown: what the app would get, how this server differs from the stores, and never a secret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypedDict

from .declaration import Declaration
from .delivery import environment_file
from .merge import DEFAULT, Configuration

HIDDEN = "(secret)"


class Entry(TypedDict):
    """One key in the JSON that ``check`` prints."""

    key: str
    source: str
    delivered_as: str
    declared: bool
    bytes: int
    value: str | None


class Difference(TypedDict):
    """One key in the JSON that ``diff`` prints."""

    key: str
    change: str
    source: str | None


def entries(declaration: Declaration, configuration: Configuration) -> list[Entry]:
    """What the app would get, by key; only what is declared as no secret is shown."""
    open_keys = {key.name for key in declaration.keys if not key.secret}
    variables = {name: value.encode() for name, value in configuration.values.items()}
    found: list[Entry] = []
    for name, value in sorted({**variables, **configuration.files}.items()):
        shown = name in open_keys or configuration.origins[name] == DEFAULT
        found.append(
            {
                "key": name,
                "source": configuration.origins[name],
                "delivered_as": "file" if name in configuration.files else "variable",
                "declared": name not in configuration.undeclared,
                "bytes": len(value),
                "value": value.decode("utf-8", "replace") if shown else None,
            }
        )
    return found


def differences(there: tuple[bytes, Mapping[str, bytes]], configuration: Configuration) -> list[Difference]:
    """How what is on this server differs from what the stores hold, by key."""
    before = {**_lines(there[0]), **there[1]}
    written = environment_file(configuration.values).encode()
    after = {**_lines(written), **configuration.files}
    found: list[Difference] = []
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            change = "added"
        elif name not in after:
            change = "removed"
        elif before[name] != after[name]:
            change = "changed"
        else:
            continue
        found.append({"key": name, "change": change, "source": configuration.origins.get(name)})
    return found


def entry_lines(found: list[Entry]) -> Iterator[str]:
    """A line for each key."""
    for entry in found:
        value = HIDDEN if entry["value"] is None else repr(entry["value"])
        note = "" if entry["declared"] else ", not declared"
        what = f"{entry['delivered_as']}, {entry['bytes']} bytes{note}"
        yield f"{entry['key']} = {value} from {entry['source']} ({what})"


def difference_lines(found: list[Difference]) -> Iterator[str]:
    """A line for each key that differs."""
    for difference in found:
        source = difference["source"]
        yield f"{difference['key']} {difference['change']}" + (f" in {source}" if source else "")


def _lines(content: bytes) -> dict[str, bytes]:
    """Assignments of an EnvironmentFile of ours, their quoting as it is."""
    found: dict[str, bytes] = {}
    name = ""
    for line in content.split(b"\n"):
        # A value's own lines may look like assignments: it goes on until its closing quote.
        if name and not _closed(found[name]):
            found[name] += b"\n" + line
        elif line:
            key, value = line.split(b"=", 1)
            name = key.decode()
            found[name] = value
    return found


def _closed(quoted: bytes) -> bool:
    body = quoted[1:]
    if not body.endswith(b'"'):
        return False
    backslashes = len(body[:-1]) - len(body[:-1].rstrip(b"\\"))
    return backslashes % 2 == 0
