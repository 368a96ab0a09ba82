# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as a table for people, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
import typing as t
from pathlib import Path

from ansible_collections.immutable.ec2.plugins.module_utils.retention.words import Step

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Entry = Mapping[str, t.Any]

COLUMNS: t.Final = ("happens", "region", "id", "name", "created", "age_days", "size_gib", "rules", "reason")
SHOWN: t.Final = ("happens", "region", "id", "name", "age_days", "size_gib", "reason")
"""The columns of the table: those that a person reads."""
CHANGES: t.Final = (Step.DEREGISTER, Step.DISABLE, Step.DEPRECATE, Step.RESTORE, Step.KEEP)


def rows(result: Mapping[str, t.Any]) -> Iterator[dict[str, str]]:
    """One for each image, what changes first."""
    for step in CHANGES:
        for entry in result[step.value]:
            values = {**entry, "happens": step.value, "rules": " ".join(entry["rules"])}
            yield {name: "" if values[name] is None else str(values[name]) for name in COLUMNS}


def table(result: Mapping[str, t.Any]) -> list[str]:
    """Lines with the columns of `SHOWN` under each other, and the totals."""
    lines = [{name: name.replace("_", " ") for name in SHOWN}, *rows(result)]
    widths = {name: max(len(line[name]) for line in lines) for name in SHOWN[:-1]}
    text = ["  ".join([*(line[name].ljust(widths[name]) for name in widths), line[SHOWN[-1]]]) for line in lines]
    totals = result["totals"]
    happened = ", ".join(f"{totals[step.value]} {step.value}" for step in CHANGES if totals[step.value])
    saved = f"{totals['removed_gib']} GiB of snapshots go, at most {totals['saved_per_month']:.2f} a month"
    return [*text, f"{totals['images']} images: {happened or 'none'}; {saved}"]


def to_csv(result: Mapping[str, t.Any]) -> str:
    """The same with all columns, as a spreadsheet reads it."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows(result))
    return text.getvalue()


def write(path: str, text: str) -> None:
    """Writes a file as a whole or not at all.

    Raises:
        OSError: it can't be written.
    """
    place = Path(path).expanduser()
    handle, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        os.chmod(name, 0o644)
        os.replace(name, place)
    except BaseException:
        os.unlink(name)
        raise


def write_all(result: Mapping[str, t.Any], json_path: str | None, csv_path: str | None) -> None:
    """Writes the report to the files that are asked for.

    Raises:
        OSError: one can't be written.
    """
    if json_path:
        write(json_path, json.dumps(result, indent=2) + "\n")
    if csv_path:
        write(csv_path, to_csv(result))
