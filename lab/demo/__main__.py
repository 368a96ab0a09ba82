# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command: python -m lab.demo (make demo)."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from lab.cli.environment import variables
from lab.demo.cloud import Cloud
from lab.demo.commands import Commands
from lab.demo.journal import DemoError, Journal
from lab.demo.report.__main__ import write_report
from lab.demo.scenario import Scenario, folders
from lab.load import LoadError, Summary
from lab.servers.errors import ServersError
from lab.settings import CHECKOUT, LabError, from_environment

FOLDER = CHECKOUT / "build" / "demo"
NOTES = [
    "Servers are systemd machines in containers, the load balancer is HAProxy, the AWS API is emulated; all of it, and "
    "the load, share this machine. AWS's timers run faster here: see LAB_CLOCK_FACTOR.",
    "A request is due at a fixed moment, whether or not earlier ones were answered, and its time counts from then. "
    "Failed are those without a complete reply within 5 s, and those answered 4xx or 5xx. None is sent twice.",
    "The weights are read from the listener twice a second.",
    "A step's time is that of the whole command, ansible-playbook's own start included.",
]


def main(arguments: list[str] | None = None) -> int:
    """Run the demo; returns 0 when every step ended as it must and no request failed."""
    parser = argparse.ArgumentParser(prog="python -m lab.demo", description=__doc__)
    parser.add_argument("--rate", type=float, default=220.0, help="requests a second of the load (220)")
    after = parser.add_mutually_exclusive_group()
    after.add_argument("--keep", action="store_true", help="leave the lab running at the end (what is done anyway)")
    after.add_argument("--down", action="store_true", help="stop the lab at the end")
    options = parser.parse_args(arguments)
    try:
        return _demo(options.rate, options.down)
    except KeyboardInterrupt:
        print("\ndemo: interrupted; the lab still runs, make lab-down stops it", file=sys.stderr)
        return 130


def _demo(rate: float, down: bool) -> int:
    logs = folders(FOLDER)
    journal = Journal(FOLDER)
    journal.run.notes += NOTES
    run = journal.run
    try:
        settings = from_environment()
        own = variables(settings)
        commands = Commands(logs, own, journal.tell)
        Scenario(settings, Cloud(own), commands, journal, rate).play()
        run.problem = _verdict(run.load)
    except (DemoError, LabError, LoadError, ServersError, BotoCoreError, ClientError) as error:
        run.problem = str(error)
    journal.write()
    print(f"\n{journal.tables()}")
    print(f"report:  {_shown(write_report(FOLDER))}\nsummary: {_shown(FOLDER / 'summary.json')}")
    if run.problem is not None:
        print(f"\ndemo: {run.problem}", file=sys.stderr)
    if down:
        subprocess.run([sys.executable, "-m", "lab", "down"], cwd=CHECKOUT, check=False)
    else:
        print("the lab still runs: make lab-status shows it, make lab-down stops it")
    return 1 if run.problem is not None else 0


def _verdict(load: Summary | None) -> str | None:
    """What was wrong with the load, in one line; None when it was as promised."""
    if load is None:
        return "there was no load"
    if load.failed:
        reasons = ", ".join(f"{count} {name}" for name, count in {**load.by_error, **load.by_status}.items())
        return f"{load.failed} of {load.requests} requests failed ({reasons})"
    if load.behind:
        return (
            f"the load client fell behind (1 % of the requests left {load.late_p99_ms:.0f} ms late or more), so the "
            "run shows less than it should: end what else runs on this machine and try again"
        )
    return None


def _shown(path: Path) -> Path:
    """A path as a person in the checkout would type it."""
    return path.relative_to(CHECKOUT)


if __name__ == "__main__":
    sys.exit(main())
