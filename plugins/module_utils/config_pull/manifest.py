# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The manifest of a colour: which version of each source its servers read, whenever they start. It holds no values.

It is the value of one parameter, JSON: ``{"format": 1, "sources": {"<kind> <name> <options>": <pin>}}`` with a pin for
each source of the declaration: ``{"parameters": {"<name below the path>": <version>}}`` for the Parameter Store,
``{"version": "<id>"}`` or ``{"stage": "<label>"}`` for Secrets Manager, ``{"version": <number>}`` for KV version 2,
``{"absent": true}`` for an optional one that did not exist, and ``{}`` for a source that is not pinned. One that would
be longer than a parameter may be is compressed: ``zlib:`` and base64.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from .aws.client import Aws
from .declaration import Source
from .errors import ConfigError, Exit

FORMAT = 1
# A parameter of the standard tier, and a parameter of a CloudFormation stack, hold so many bytes.
LONGEST = 4096
COMPRESSED = "zlib:"


@dataclass(frozen=True)
class Manifest:
    """Pins by source, by the source's address with app and environment filled in."""

    name: str
    sources: Mapping[str, Mapping[str, Any]]

    def pinned(self, source: Source) -> Source:
        """The source with the stage or version that the manifest says.

        Raises:
            ConfigError: the manifest does not know the source: it is of another declaration.
        """
        pin = self.sources.get(source.address)
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

    def absent(self, source: Source) -> bool:
        """Whether it did not exist for this colour: made meanwhile, it is the next colour's."""
        return source.pinned and self.sources.get(source.address, {}).get("absent") is True

    def parameters(self, source: Source) -> dict[str, str] | None:
        """Parameter → version, or None where the source is not pinned."""
        found = self.sources.get(source.address, {}).get("parameters") if source.pinned else None
        if found is None:
            return None
        path = source.name.rstrip("/") + "/"
        return {name if name.startswith("/") else path + name: str(version) for name, version in found.items()}


def text(pins: Mapping[str, Mapping[str, Any]]) -> str:
    """A manifest as the value of its parameter.

    Raises:
        ConfigError: it is too long for one.
    """
    plain = json.dumps({"format": FORMAT, "sources": pins}, separators=(",", ":"), sort_keys=True)
    if len(plain) <= LONGEST:
        return plain
    packed = COMPRESSED + base64.b64encode(zlib.compress(plain.encode(), 9)).decode()
    if len(packed) > LONGEST:
        raise ConfigError(
            Exit.INCOMPLETE,
            f"the manifest of its versions has {len(packed)} bytes, and a parameter holds {LONGEST}; put what is read"
            " from the Parameter Store into fewer entries, such as one JSON secret, or let sources say pin: false",
        )
    return packed


def read(value: str) -> Mapping[str, Mapping[str, Any]]:
    """The pins by source of a manifest's value.

    Raises:
        ValueError: it is no manifest of this format.
    """
    try:
        if value.startswith(COMPRESSED):
            value = zlib.decompress(base64.b64decode(value.removeprefix(COMPRESSED))).decode()
        content = json.loads(value)
        if content["format"] == FORMAT and isinstance(content["sources"], dict):
            return dict(content["sources"])
    except (KeyError, TypeError, ValueError, zlib.error):
        pass
    raise ValueError(f"no manifest of format {FORMAT}")


def fetch(aws: Aws, name: str) -> Manifest:
    """Read a manifest.

    Raises:
        ConfigError: it is not there, denied, not to be had, or no manifest of this format.
    """
    what = f"the manifest {name}"
    answer = aws.service("ssm").json(what, "GetParameter", {"Name": name})
    try:
        return Manifest(name, read(answer["Parameter"]["Value"]))
    except (KeyError, TypeError, ValueError):
        pass  # raised below: the cause could quote what was read
    raise ConfigError(Exit.DECLARATION, f"{what} is none of format {FORMAT}; was it made by another version?")
