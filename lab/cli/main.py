# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arguments of the lab's command line, and errors as one line."""

from __future__ import annotations

import argparse
import os
import sys

from lab.cli import down, environment, logs, status, up
from lab.settings import LabError, from_environment

_DEFAULT_FACTOR = "0.1"


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code (0 done, 1 failed or not running, 2 wrong arguments)."""
    options = _parser().parse_args(arguments)
    try:
        settings = from_environment()
        match options.command:
            case "up":
                up.run(settings, options.clock_factor)
            case "down":
                down.run(settings)
            case "status":
                return status.run(settings, as_json=options.json)
            case "env":
                environment.run(settings)
            case "logs":
                logs.run(settings, options.part, options.lines)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever read our output (head, grep -q) has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        print("lab: interrupted; python -m lab down removes what is left", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lab",
        description="AWS on this machine: an emulated API with real servers, images, load balancers and stores.",
        epilog="LAB_OCTET=NN (not 78) makes a separate lab, with a network, ports and names of its own.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    one = commands.add_parser("up", help="start the lab, or make sure that it runs", description=up.__doc__)
    one.add_argument(
        "--clock-factor",
        type=_factor,
        default=os.environ.get("LAB_CLOCK_FACTOR", _DEFAULT_FACTOR),
        metavar="F",
        help=f"every AWS timer is multiplied by it (0 < F <= 1; LAB_CLOCK_FACTOR, else {_DEFAULT_FACTOR})",
    )
    commands.add_parser("down", help="stop the lab and leave nothing of it behind", description=down.__doc__)
    one = commands.add_parser(
        "status", help="show stacks, groups, servers, targets and weights", description=status.__doc__
    )
    one.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    commands.add_parser(
        "env", help='print the shell\'s variables: eval "$(python -m lab env)"', description=environment.__doc__
    )
    one = commands.add_parser(
        "logs", help="show the log of a part, or the parts that have one", description=logs.__doc__
    )
    one.add_argument("part", nargs="?", help="api, haproxy, rootfs, stores, or an instance's id; without it, a list")
    one.add_argument("--lines", type=int, default=200, metavar="N", help="how many of the last lines (default 200)")
    return parser


def _factor(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is no clock factor: it is above 0 and at most 1")
    return value
