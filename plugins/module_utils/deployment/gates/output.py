# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last lines of a process's output, fit to be shown."""

from __future__ import annotations

import codecs
import collections
import os
import re
import selectors
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Mapping

LINES_KEPT: t.Final = 5
LONGEST_LINE: t.Final = 500
READ_BYTES: t.Final = 65536
MASK: t.Final = "***"
SECRET_VARIABLES: t.Final = ("PREVIEW_SECRET", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
SHORTEST_SECRET: t.Final = 8
"""Shorter ones are words that a message may hold."""

NOT_PRINTED: t.Final = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[^\t\x20-\x7e\xa0-\U0010ffff]")


def secrets(environment: Mapping[str, str]) -> re.Pattern[str]:
    """What is masked in the output of a process with this environment; as the load balancer, it knows no case."""
    values = (environment.get(name, "") for name in SECRET_VARIABLES)
    parts = [re.escape(value) for value in values if len(value) >= SHORTEST_SECRET]
    return re.compile("|".join(parts) or r"(?!)", re.IGNORECASE)


class Output:
    """The last lines that a process printed, without secrets and without what a terminal would act on.

    Args:
        pipe: what is read, never waiting for more than there is.
        masked: what is masked.
    """

    def __init__(self, pipe: t.IO[bytes], masked: re.Pattern[str]) -> None:
        self._pipe = pipe
        self._masked = masked
        self._selector = selectors.DefaultSelector()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self.lines: collections.deque[str] = collections.deque(maxlen=LINES_KEPT)
        self.closed = False
        """Whether nobody can write any more."""

    def __enter__(self) -> Output:
        os.set_blocking(self._pipe.fileno(), False)
        self._selector.register(self._pipe, selectors.EVENT_READ)
        return self

    def __exit__(self, *_error: object) -> None:
        self._selector.close()
        self._pipe.close()

    @property
    def latest(self) -> str:
        return self.lines[-1] if self.lines else ""

    def wait(self, seconds: float) -> None:
        """Until something was printed and read, or the time is over."""
        if self._selector.select(seconds):
            self._read()

    def drain(self) -> None:
        """Reads what is there, no more than a pipe holds, and takes a last line without its end for a line."""
        self._read()
        self._take(self._rest)
        self._rest = ""

    def _read(self) -> None:
        try:
            read = os.read(self._pipe.fileno(), READ_BYTES)
        except BlockingIOError:
            return
        self.closed = not read
        *lines, rest = re.split(r"[\r\n]", self._rest + self._decoder.decode(read))
        for line in lines:
            self._take(line)
        # A line without end is masked before it is cut, so that no part of a secret is left at the cut.
        self._rest = self._masked.sub(MASK, rest)[-READ_BYTES:]

    def _take(self, line: str) -> None:
        shown = " ".join(self._masked.sub(MASK, NOT_PRINTED.sub("", line)).split())
        if shown:
            self.lines.append(shown[-LONGEST_LINE:])
