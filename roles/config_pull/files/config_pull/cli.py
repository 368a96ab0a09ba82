# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line: ``config-pull`` fetches, ``config-pull --check-declaration`` only reads the declaration."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from .deadline import Deadline
from .declaration import Declaration, Source, load
from .delivery import write
from .errors import ConfigError, Exit
from .instance import Metadata, locate
from .merge import Configuration, merge


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(
        prog="config-pull", description="Fetches this environment's configuration from its config stores."
    )
    made.add_argument("--declaration", type=Path, default=Path("/etc/immutable/config.yml"))
    made.add_argument("--output", type=Path, default=Path("/run/immutable/config.env"))
    made.add_argument("--deadline", type=float, default=120.0, metavar="SECONDS", help="for all of it (default: 120)")
    made.add_argument("--app", help="instead of the instance's tag")
    made.add_argument("--env", help="instead of the instance's tag")
    made.add_argument("--check-declaration", action="store_true", help="check the declaration and fetch nothing")
    return made


def fetch(declaration: Declaration, app: str | None, env: str | None, deadline: Deadline) -> Configuration:
    """Find out where this server is, read all sources and merge them.

    Raises:
        ConfigError: with the mistakes of all sources.
    """
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    place = locate(Metadata(deadline), app, env, region)
    # Here, since loading botocore takes longer than all that comes before it may need.
    from .stores import Stores

    stores = Stores(place.region, deadline)
    contents: list[tuple[Source, Mapping[str, object]]] = []
    failures: list[ConfigError] = []
    for source in (source.filled(place.app, place.env) for source in declaration.sources):
        try:
            contents.append((source, stores.read(source)))
        except ConfigError as error:
            failures.append(error)
    if failures:
        raise ConfigError(failures[0].code, [problem for failure in failures for problem in failure.problems])
    return merge(declaration.keys, contents)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, tell what happened on standard error (the journal), and return the exit code."""
    options = parser().parse_args(arguments)
    try:
        declaration = load(options.declaration)
        if options.check_declaration:
            return Exit.OK
        configuration = fetch(declaration, options.app, options.env, Deadline(options.deadline))
        write(options.output, configuration.values)
    except ConfigError as error:
        for problem in error.problems:
            print(f"config-pull: {problem}", file=sys.stderr)
        if len(error.problems) > 1:
            print(
                f"config-pull: {len(error.problems)} problems, no configuration: the app does not start",
                file=sys.stderr,
            )
        return error.code
    for name in configuration.undeclared:
        print(f"config-pull: {name} is not declared ({configuration.origins[name]}); passed on", file=sys.stderr)
    print(f"config-pull: {len(configuration.values)} variables written to {options.output}", file=sys.stderr)
    return Exit.OK
