# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IAM policies as IAM reads them: does one allow an action on a resource?

Conditions aren't judged: what a policy allows under a condition counts as allowed.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[3] / "roles" / "environment" / "files" / "permissions"
MOST_CHARACTERS = 6144
"""Of a managed policy, white space not counted.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""


@dataclass(frozen=True)
class Statement:
    """What one statement allows: patterns of actions and of resources."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]

    def allows(self, action: str, resource: str | None) -> bool:
        """Whether it allows the action on the resource; None for one that isn't known."""
        return _matches(self.actions, action, re.IGNORECASE) and (
            resource is None or _matches(self.resources, resource)
        )


@dataclass(frozen=True)
class Policy:
    """One of the documents in the role's folder, its placeholders filled in."""

    name: str
    text: str

    @classmethod
    def read(cls, name: str, **values: str) -> Policy:
        """The document of this name, for example with ``app="shop"`` for ``<app>``."""
        return cls.of(FOLDER / f"{name}.json", **values)

    @classmethod
    def of(cls, file: Path, **values: str) -> Policy:
        """The document in a file."""
        text = file.read_text(encoding="utf-8")
        for key, value in values.items():
            text = text.replace(f"<{key}>", value)
        return cls(file.stem, text)

    @property
    def statements(self) -> Iterator[Statement]:
        for each in json.loads(self.text)["Statement"]:
            assert each["Effect"] == "Allow"
            yield Statement(each["Sid"], _several(each["Action"]), _several(each["Resource"]))

    @property
    def actions(self) -> set[str]:
        """Every action that it names, patterns as they are."""
        return {action for statement in self.statements for action in statement.actions}

    def allows(self, action: str, resource: str | None) -> bool:
        return any(statement.allows(action, resource) for statement in self.statements)


def covers(pattern: str, action: str) -> bool:
    """Whether a policy's action, which may have wildcards, stands for this one."""
    return _matches((pattern,), action, re.IGNORECASE)


def _several(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _matches(patterns: tuple[str, ...], text: str, flags: int = 0) -> bool:
    return any(
        re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text, flags) for pattern in patterns
    )
