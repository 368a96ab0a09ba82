# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.faults``: every call of a deployment × every fault; results in build/faults.json."""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import signal
import sys
from contextlib import ExitStack
from pathlib import Path

from tests import octets
from tests.faults.campaign import Results, choose, record, run_points, write
from tests.faults.emulated import BREAKS, EmulatedLab
from tests.faults.playbooks import CHECKOUT, Playbooks
from tests.faults.points import Call
from tests.faults.world import Ground

FOLDER = CHECKOUT / "build" / "faults"
RESULT = CHECKOUT / "build" / "faults.json"
#: Labs of its own, one a core: the emulated API is one process.
LANES = 4
#: The first shift is the second update of the edge, after the preview's; only then does the other release break.
RELEASES = {"": None, BREAKS: Call("cloudformation", "UpdateStack", 2)}


def main() -> int:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--points", type=int, default=0, help="so many of them by chance; 0 for all")
    parser.add_argument("--lanes", type=int, default=LANES, help="runs at a time in each of the labs")
    parser.add_argument("--only", default="", help="points whose description has these words")
    arguments = parser.parse_args()
    seed = seed_of_the_day()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started ends, too
    shutil.rmtree(FOLDER, ignore_errors=True)
    with ExitStack() as stack:
        grounds = prepare(stack, FOLDER, octets.ALL_FAULTS)
        print(f"faults: seed {seed} (FAULTS_SEED={seed} repeats the choice and the order)", flush=True)
        points = [point for point in record(grounds, RELEASES) if arguments.only in str(point)]
        chosen = choose(points, arguments.points or len(points), seed)
        print(f"faults: {len(chosen)} of {len(points)} points", flush=True)
        results = run_points(grounds, chosen, arguments.lanes, lambda line: print(line, flush=True))
    write(results, seed, RESULT)
    print(f"faults: {RESULT.read_text()}")
    return verdict(results)


def seed_of_the_day() -> int:
    return int(os.environ.get("FAULTS_SEED") or secrets.randbelow(1_000_000))


def prepare(stack: ExitStack, folder: Path, labs: tuple[int, ...]) -> list[Ground]:
    """Labs that end with the stack."""
    (folder / "ops").mkdir(parents=True)
    playbooks = Playbooks(folder / "playbooks")
    stack.callback(playbooks.close)
    grounds = []
    for octet in labs:
        lab = EmulatedLab(octet, folder / f"lab-{octet}")
        stack.callback(lab.close)
        grounds.append(lab.ground(playbooks, folder / "ops"))
    return grounds


def verdict(results: Results) -> int:
    return 1 if results.failed or results.broken else 0


if __name__ == "__main__":
    sys.exit(main())
