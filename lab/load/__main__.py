# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command: python -m lab.load URL --rate 220 --duration 60 --paths /,/up --out load.jsonl"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path
from typing import IO

from lab.load.openloop import OpenLoop, Target, allow_many_sockets
from lab.load.records import Record, Summary, Tally

STARTED = "started"


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns 0 when all went well, 1 when a request failed or the rate was not held."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        target = Target.parse(options.url)
        # By lines, so that whoever started it sees meanwhile what was met.
        out: IO[str] = options.out.open("w", buffering=1, encoding="utf-8")
    except ValueError as error:
        parser.error(str(error))
    except OSError as error:
        parser.error(f"cannot write the records to {options.out}: {error.strerror}")
    allow_many_sockets()
    with out:
        summary = asyncio.run(_run(options, target, out))
    print(summary.to_json() if options.json else _for_people(summary), flush=True)
    return 1 if summary.failed or summary.behind else 0


async def _run(options: argparse.Namespace, target: Target, out: IO[str]) -> Summary:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if options.until_stdin_closes:
        await loop.connect_read_pipe(lambda: _AtEnd(stop), sys.stdin)
    tally = Tally()

    def sink(record: Record, late_ms: float) -> None:
        tally.add(record, late_ms)
        out.write(record.to_json() + "\n")

    print(STARTED, flush=True)
    await OpenLoop(target, options.rate, options.paths, options.timeout, sink).run(stop, options.duration)
    return tally.summary()


class _AtEnd(asyncio.Protocol):
    """Sets an event when the pipe's other end is closed: whoever started the load has ended, in whatever way."""

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop.set()


def _for_people(summary: Summary) -> str:
    lines = [
        f"{summary.requests} requests in {summary.seconds:.1f} s ({summary.rate:.1f}/s), {summary.failed} failed; "
        f"p50 {summary.p50_ms:.1f} ms, p99 {summary.p99_ms:.1f} ms, longest {summary.max_ms:.1f} ms"
    ]
    for title, counts in (
        ("release", summary.by_release),
        ("status", summary.by_status),
        ("error", summary.by_error),
    ):
        lines += [f"  {title} {name}: {count}" for name, count in counts.items()]
    if summary.behind:
        lines.append(
            f"  the client itself fell behind: 1 % of the requests left {summary.late_p99_ms:.0f} ms late or more; "
            "lower --rate or free the machine"
        )
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab.load", description="Open-loop HTTP load.")
    parser.add_argument("url", help="where to, e.g. http://127.78.0.1")
    parser.add_argument("--rate", type=_positive, default=220.0, help="requests a second (default: 220)")
    until = parser.add_mutually_exclusive_group(required=True)
    until.add_argument("--duration", type=_positive, help="seconds")
    until.add_argument("--until-signal", action="store_true", help="until SIGTERM or SIGINT (Ctrl-C)")
    until.add_argument("--until-stdin-closes", action="store_true", help="until the end of standard input, a pipe")
    parser.add_argument("--paths", type=_paths, default=["/"], help="asked for in turn, with commas between")
    parser.add_argument("--timeout", type=_positive, default=5.0, help="seconds a request may take (default: 5)")
    parser.add_argument("--out", type=Path, required=True, help="file for the records, a line of JSON each")
    parser.add_argument("--json", action="store_true", help="print the summary as one line of JSON")
    return parser


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not above zero")
    return number


def _paths(text: str) -> list[str]:
    paths = text.split(",")
    wrong = [path for path in paths if not path.startswith("/") or any(ord(c) <= 32 or ord(c) > 126 for c in path)]
    if wrong:
        raise argparse.ArgumentTypeError(f"{wrong[0]!r} is not a path that begins with / and has no spaces")
    return paths


if __name__ == "__main__":
    sys.exit(main())
