# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demo tells while it runs, and what it writes down."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.cli.tables import table
from lab.demo.report.svg import clock
from lab.demo.run import Phase, Run


class DemoError(Exception):
    """Something that a person can look into. The message says what failed, where and why."""


@dataclass
class Note:
    """What a phase came to; set by whoever does the phase."""

    outcome: str = ""


class Journal:
    """Prints a line for each thing that is done, with its time, and keeps the run's file up to date.

    Args:
        folder: where run.json and summary.json are written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run = Run(started=time.time(), machine=machine())

    @contextmanager
    def phase(self, name: str, loaded: bool = False) -> Iterator[Note]:
        """Do one thing: its name is printed when it begins, its time and outcome when it has ended."""
        note = Note()
        begin = time.time()
        print(f"{clock(begin - self.run.started):>5}  {name}", flush=True)
        yield note
        seconds = time.time() - begin
        self.run.phases.append(Phase(name, begin, seconds, note.outcome, loaded))
        self.write()
        print(f"       {seconds:.1f} s{f': {note.outcome}' if note.outcome else ''}", flush=True)

    def tell(self, line: str) -> None:
        """A line of progress within a phase."""
        print(f"       | {line}", flush=True)

    def write(self) -> None:
        """Write run.json and summary.json as they stand now."""
        self.run.write(self.folder / "run.json")
        summary = json.dumps(self.run.summary(), indent=2) + "\n"
        (self.folder / "summary.json").write_text(summary, encoding="utf-8")

    def tables(self) -> str:
        """What was done, as tables for a terminal."""
        run = self.run
        phases = [
            {
                "step": phase.name,
                "seconds": f"{phase.seconds:.1f}",
                "load": "yes" if phase.loaded else "",
                "outcome": phase.outcome,
            }
            for phase in run.phases
        ]
        parts = [table("what was done", phases)]
        if run.load is not None:
            load = run.load
            figures = {
                "requests": load.requests,
                "a second": load.rate,
                "failed": load.failed,
                "p50 ms": load.p50_ms,
                "p99 ms": load.p99_ms,
                "rollback s": run.rollback_seconds,
                "images before": run.images_before,
                "images after": run.images_after,
            }
            parts.append(table("what came out", [figures]))
        return "\n".join(parts)


def machine() -> str:
    """The machine in a few words: its system, cores and memory."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    return f"{system}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB"
