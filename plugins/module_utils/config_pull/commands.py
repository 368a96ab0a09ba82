# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the command line can be asked for: fetch and write, check, diff, resolve."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import delivery, manifest
from .alarm import tag_instance
from .aws.client import Aws
from .aws.credentials import Chain
from .deadline import Deadline
from .declaration import Declaration, load
from .errors import ConfigError, Exit
from .instance import Metadata, Place, locate
from .merge import Configuration, merge
from .stores.content import Content
from .stores.everything import read_everything

TAG_SECONDS = 10.0


@dataclass(frozen=True)
class Run:
    """One run of the command, as its options say.

    Attributes:
        seconds: for all of it.
        app, env: instead of the instance's tags.
        newest: read the newest versions, whatever the colour's manifest says.
        manifest: the manifest's name, instead of the instance's tag.
    """

    declaration: Path
    root: Path
    seconds: float
    app: str | None = None
    env: str | None = None
    newest: bool = False
    manifest: str | None = None


def fetch(run: Run) -> tuple[Declaration, list[Content], Configuration]:
    """Find out where this server is, read all sources and merge them.

    Raises:
        ConfigError: with the mistakes of all sources.
    """
    declaration = load(run.declaration)
    contents = read_sources(run, declaration)
    return declaration, contents, merge(declaration, contents)


def read_sources(run: Run, declaration: Declaration) -> list[Content]:
    """The contents of all sources.

    Raises:
        ConfigError: with the mistakes of all sources.
    """
    deadline = Deadline(run.seconds)
    metadata = Metadata(deadline)
    place = locate(metadata, run.app, run.env, _region(), pinned=not (run.newest or run.manifest))
    manifest_name = run.manifest or place.manifest
    aws = Aws(place.region, Chain(metadata), deadline)
    pins = manifest.fetch(aws, manifest_name) if manifest_name else None
    return read_everything(aws, [source.filled(place.app, place.env) for source in declaration.sources], pins)


def pull(run: Run, tell: Callable[[str], None]) -> None:
    """Fetch and write.

    Raises:
        ConfigError: nothing was written.
    """
    _declaration, _contents, configuration = fetch(run)
    path = delivery.write(run.root, configuration)
    for name in configuration.undeclared:
        tell(f"{name} is not declared ({configuration.origins[name]}); passed on")
    for source in configuration.missing:
        tell(f"{source} does not exist, and is optional")
    tell(f"{len(configuration.values)} variables and {len(configuration.files)} files written to {path}")


def resolve(run: Run) -> str:
    """The manifest of what the stores hold now; it must be a whole configuration.

    Raises:
        ConfigError: it is none.
    """
    _declaration, contents, _configuration = fetch(run)
    return manifest.text({content.source.address: content.pin() for content in contents})


def raise_alarm(code: Exit) -> str | None:
    """Tag the instance; returns why it could not be done, or None."""
    deadline = Deadline(TAG_SECONDS)
    metadata = Metadata(deadline)
    try:
        place: Place = locate(metadata, "any", "any", _region())
    except ConfigError as error:
        return str(error)
    return tag_instance(Aws(place.region, Chain(metadata), deadline), metadata, code)


def _region() -> str | None:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
