# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line: ``config-pull`` fetches and writes; its other commands are for people and for the bake."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from . import commands, delivery, views
from .declaration import load
from .errors import ConfigError, Exit

COMMANDS = {
    "pull": "fetch and write (the default; what the unit does)",
    "check": "show what the app would get, secrets hidden, and write nothing",
    "diff": "show by key how this server differs from the stores; exit code 3 where it does",
    "resolve": "print the manifest of what the stores hold now: names and versions, no values",
    "check-declaration": "check the declaration and fetch nothing",
}


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(
        prog="config-pull", description="Fetches this environment's configuration from its config stores."
    )
    words = "; ".join(f"{name}: {what}" for name, what in COMMANDS.items())
    made.add_argument("command", nargs="?", choices=COMMANDS, default="pull", metavar="COMMAND", help=words)
    made.add_argument("--declaration", type=Path, default=Path("/etc/immutable/config.yml"))
    made.add_argument("--root", type=Path, default=Path("/run/immutable"), help="folder of what is written")
    made.add_argument("--deadline", type=float, default=120.0, metavar="SECONDS", help="for all of it (default: 120)")
    made.add_argument("--app", help="instead of the instance's tag")
    made.add_argument("--env", help="instead of the instance's tag")
    made.add_argument("--manifest", metavar="NAME", help="parameter with the versions to read, instead of the tag")
    made.add_argument("--newest", action="store_true", help="not the versions of this server's colour")
    made.add_argument("--tag", action="store_true", help="tag the instance where it fails")
    made.add_argument("--json", action="store_true", help="print JSON (check and diff)")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, tell what happened on standard error (the journal), and return the exit code.

    The last line that it writes is the cause, where it fails.
    """
    options = parser().parse_args(arguments)
    try:
        return _run(options)
    except ConfigError as error:
        code, problems = error.code, error.problems
    except Exception as error:
        # No traceback and no message: either can hold a value.
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "nowhere"
        code, problems = Exit.INTERNAL, (f"a mistake of config-pull's own: {type(error).__name__} at {place}",)
    if options.tag and (why := commands.raise_alarm(code)):
        _tell(f"the instance could not be tagged: {why}")
    for problem in problems[1:]:
        _tell(problem)
    more = f" ({len(problems)} problems, the others stand above)" if len(problems) > 1 else ""
    _tell(f"no configuration, the app does not start: {problems[0]}{more} [{code.word}, exit code {code.value}]")
    return code


def _run(options: argparse.Namespace) -> int:
    run = commands.Run(
        options.declaration,
        options.root,
        options.deadline,
        app=options.app,
        env=options.env,
        newest=options.newest,
        manifest=options.manifest,
    )
    if options.command == "check-declaration":
        load(run.declaration)
    elif options.command == "pull":
        commands.pull(run, _tell)
    elif options.command == "resolve":
        _show(commands.resolve(run))
    elif options.command == "check":
        declaration, _contents, configuration = commands.fetch(run)
        found = views.entries(declaration, configuration)
        _show(json.dumps(found, indent=2) if options.json else "\n".join(views.entry_lines(found)))
    else:
        there = delivery.read(run.root)
        _declaration, _contents, configuration = commands.fetch(run)
        differing = views.differences(there, configuration)
        _show(json.dumps(differing, indent=2) if options.json else "\n".join(views.difference_lines(differing)))
        return Exit.DIFFERENT if differing else Exit.OK
    return Exit.OK


def _show(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _tell(line: str) -> None:
    # One line for each: what a store or a file said must not look like a line of ours.
    sys.stderr.write(f"config-pull: {' '.join(line.split())}\n")
    sys.stderr.flush()
