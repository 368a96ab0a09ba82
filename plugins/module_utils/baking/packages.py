# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an image holds: packages of the system, gems, ruby; and how two images differ in that."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KINDS: t.Final = ("deb", "gem", "ruby")


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """One package. `architecture` and `licences` may be unknown."""

    kind: str
    name: str
    version: str
    architecture: str = ""
    licences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Contents:
    """The packages, and the system that they are of (`debian` and `13`)."""

    distribution: str
    distribution_version: str
    packages: tuple[Package, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """From one image's packages to another's. Of changed ones: kind, name, the versions before and after."""

    added: tuple[Package, ...]
    changed: tuple[tuple[str, str, str, str], ...]
    removed: tuple[Package, ...]


def read_contents(listed: Mapping[str, t.Any]) -> Contents:
    """What the role ``image_sbom`` found on a builder.

    Raises:
        ValueError: it is no such list.
    """
    try:
        system = listed["system"]
        packages = [
            Package(
                str(one["type"]),
                str(one["name"]),
                str(one["version"]),
                str(one.get("architecture", "")),
                tuple(str(licence) for licence in one.get("licences", ())),
            )
            for one in listed["packages"]
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"this is no list of packages: {error!r} is missing or wrong") from error
    return Contents(str(system.get("id", "")), str(system.get("version", "")), tuple(sorted(packages)))


def difference(before: Iterable[Package], after: Iterable[Package]) -> Difference:
    """What an update of the packages did. Several versions of a package in one image count together."""
    old, new = _versions(before), _versions(after)
    changed = [
        (*key, ", ".join(old[key]), ", ".join(new[key]))
        for key in sorted(old.keys() & new.keys())
        if old[key] != new[key]
    ]
    return Difference(_only(new, old), tuple(changed), _only(old, new))


def _versions(packages: Iterable[Package]) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], set[str]] = {}
    for package in packages:
        found.setdefault((package.kind, package.name), set()).add(package.version)
    return {key: sorted(versions) for key, versions in found.items()}


def _only(here: Mapping[tuple[str, str], list[str]], there: Mapping[tuple[str, str], list[str]]) -> tuple[Package, ...]:
    return tuple(Package(*key, ", ".join(here[key])) for key in sorted(here.keys() - there.keys()))
