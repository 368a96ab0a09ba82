# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m lab.demo.report: make the report of the last run again, or save the drawing of the swap alone."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lab.demo.report.chart import picture
from lab.demo.report.page import page
from lab.demo.report.series import traffic
from lab.demo.run import Run
from lab.load import Record, read_records

RUN, LOAD, REPORT = "run.json", "load.jsonl", "report.html"


def write_report(folder: Path) -> Path:
    """Write report.html beside run.json and load.jsonl; returns its path; raises OSError or ValueError."""
    run, records = _read(folder)
    path = folder / REPORT
    path.write_text(page(run, traffic(records), records), encoding="utf-8")
    return path


def write_picture(folder: Path, path: Path) -> None:
    """Write the drawing of the load as an SVG file; raises OSError, and ValueError when the run had no load."""
    run, records = _read(folder)
    series = traffic(records)
    if series is None:
        raise ValueError(f"{folder / LOAD} holds no requests: the run ended before the load")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(picture(run, series), encoding="utf-8")


def _read(folder: Path) -> tuple[Run, list[Record]]:
    run = Run.read(folder / RUN)
    load = folder / LOAD
    return run, list(read_records(load)) if load.exists() else []


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns 0, or 1 when there is no run to report."""
    parser = argparse.ArgumentParser(prog="python -m lab.demo.report", description="The report of the last demo run.")
    parser.add_argument("--folder", type=Path, default=Path("build/demo"), help="what the run left (build/demo)")
    parser.add_argument("--picture", type=Path, help="write the drawing alone to this file, e.g. docs/images/swap.svg")
    options = parser.parse_args(arguments)
    try:
        if options.picture is None:
            print(write_report(options.folder))
        else:
            write_picture(options.folder, options.picture)
            print(options.picture)
    except (OSError, ValueError, TypeError) as error:
        print(f"no report from {options.folder}: {error}; run make demo first", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
