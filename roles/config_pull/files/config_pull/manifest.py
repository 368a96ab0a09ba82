# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The manifest of a colour: which version of each source its servers read, whenever they start. It holds no values.

It is the value of one parameter, JSON: ``{"format": 1, "sources": {"<kind> <name>": <pin>}}`` with a pin for each
source of the declaration: ``{"parameters": {"<name below the path>": <version>}}`` for the Parameter Store,
``{"version": "<id>"}`` or ``{"stage": "<label>"}`` for Secrets Manager, ``{"version": <number>}`` for KV version 2,
and ``{}`` for a source that is not pinned.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from .aws.client import Aws
from .declaration import Source
from .errors import ConfigError, Exit

FORMAT = 1


@dataclass(frozen=True)
class Manifest:
    """Pins by source, as the source is written with app and environment filled in."""

    name: str
    sources: Mapping[str, Mapping[str, Any]]

    def pinned(self, source: Source) -> Source:
        """The source with the stage or version that the manifest says.

        Raises:
            ConfigError: the manifest does not know the source: it is of another declaration.
        """
        pin = self.sources.get(str(source))
        if pin is None:
            raise ConfigError(
                Exit.DECLARATION, f"{source}: the manifest {self.name} does not know it; deploy this image anew"
            )
        if not source.pinned or source.kind == "parameter_store":
            return source
        told = {option: pin[option] for option in ("stage", "version") if option in pin}
        # What a declaration says of versions is what the pin was made from.
        kept = {key: value for key, value in source.options.items() if not told or key not in ("stage", "version")}
        return replace(source, options={**kept, **told})

    def parameters(self, source: Source) -> dict[str, str] | None:
        """Parameter → version, or None where the source is not pinned."""
        found = self.sources.get(str(source), {}).get("parameters") if source.pinned else None
        if found is None:
            return None
        path = source.name.rstrip("/") + "/"
        return {name if name.startswith("/") else path + name: str(version) for name, version in found.items()}


def text(pins: Mapping[str, Mapping[str, Any]]) -> str:
    """A manifest as the value of its parameter: short, since that holds 4 kB."""
    return json.dumps({"format": FORMAT, "sources": pins}, separators=(",", ":"), sort_keys=True)


def fetch(aws: Aws, name: str) -> Manifest:
    """Read a manifest.

    Raises:
        ConfigError: it is not there, denied, not to be had, or no manifest of this format.
    """
    what = f"the manifest {name}"
    answer = aws.service("ssm").json(what, "GetParameter", {"Name": name})
    try:
        content = json.loads(answer["Parameter"]["Value"])
        if content["format"] == FORMAT and isinstance(content["sources"], dict):
            return Manifest(name, content["sources"])
    except (KeyError, TypeError, ValueError):
        content = None
    raise ConfigError(Exit.DECLARATION, f"{what} is none of format {FORMAT}; was it made by another version?")
