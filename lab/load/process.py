# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The load client in a process of its own, so that whoever starts it can go on working without slowing it down."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

from lab.load.records import Record, Summary, read_records


class LoadError(Exception):
    """The load client did not start, or ended without a summary."""


class Load:
    """A load run, as a context manager or with start() and stop().

    Args:
        url: where to, e.g. http://127.78.0.1
        out: file for the records.
        rate: requests a second.
        paths: asked for in turn.
        timeout: seconds that a request may take.
    """

    def __init__(
        self, url: str, out: Path, rate: float = 220.0, paths: Sequence[str] = ("/",), timeout: float = 5.0
    ) -> None:
        self.out = out
        self.summary: Summary | None = None
        self._command = [
            *(sys.executable, "-m", "lab.load", url, "--until-stdin-closes", "--json"),
            *("--rate", str(rate), "--timeout", str(timeout), "--paths", ",".join(paths), "--out", str(out)),
        ]
        self._timeout = timeout
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start sending; returns once the first request is due. Raises LoadError when that fails."""
        if self._process is not None:
            raise LoadError("the load runs already")
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
            # Ctrl-C in a terminal goes to the whole group; the load ends when its starter closes the pipe.
            start_new_session=True,
        )
        assert self._process.stdout is not None
        if not self._process.stdout.readline():
            _, errors = self._process.communicate()
            self._process = None
            raise LoadError(f"the load client did not start: {_last_line(errors)}")

    def stop(self) -> Summary:
        """Stop sending, wait for the replies that are still due, return the figures; LoadError if there are none."""
        if self._process is None:
            raise LoadError("the load does not run")
        process, self._process = self._process, None
        try:
            printed, errors = process.communicate(timeout=self._timeout + 10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise LoadError("the load client did not stop in time") from None
        try:
            self.summary = Summary.from_json(printed)
        except (ValueError, TypeError):
            raise LoadError(f"the load client ended early: {_last_line(errors)}") from None
        return self.summary

    def records(self) -> Iterator[Record]:
        """The requests of the run; complete once it was stopped."""
        return read_records(self.out)

    def met(self, release: str) -> bool:
        """Whether this release has answered one of its requests so far."""
        return f'"{release}"' in self.out.read_text(encoding="utf-8")

    def __enter__(self) -> Load:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self.stop()


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1]
