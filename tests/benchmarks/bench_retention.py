# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What it costs to find out which of 1,000 and 5,000 images may go, beside Cloud Custodian and aws-amicleaner.

Each is the whole command that a person starts, as a dry run; the median of runs that take turns. The account is moto's,
its lists are recorded before. `make bench-long` adds 50,000 images.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moto.moto_api._internal import moto_api_backend
from moto.moto_server.werkzeug_app import MotoRequestHandler

from tests.benchmarks import compared
from tests.benchmarks.compared import FIRST_RUN, OTHERS, OURS, REGION, Cost, Tool
from tests.benchmarks.large_account import LargeAccount, tags_by_id
from tests.benchmarks.recorded import RecordedFront
from tests.benchmarks.results import circumstances
from tests.lab.retention.account import Account
from tests.lab.retention.emulator import serving

SIZES = (1_000, 5_000)
RUNS = 3


def main() -> None:
    compared.install()
    for size in SIZES:
        with served(size) as account:
            save({str(size): account.measured((OURS, *OTHERS, FIRST_RUN), RUNS)})


@dataclass(frozen=True)
class Served:
    """An account that is served over HTTP."""

    front: RecordedFront
    url: str
    account: LargeAccount
    folder: Path

    def measured(self, tools: Sequence[Tool], runs: int) -> dict[str, Any]:
        """The figures of each tool: how much is medians of so many runs, after one that has moto make the lists."""
        costs: dict[str, list[Cost]] = {tool.name: [] for tool in tools}
        size, used = len(self.account.ids), self.account.used
        figures: dict[str, Any] = {"images": size, "in_use": len(used)}
        for number in range(runs + 1):
            for tool in tools:
                self.front.calls.clear()
                cost = tool.run(self.folder / tool.name, self.url)
                costs[tool.name] += [cost] if number else []
                removed = tool.would_remove(self.folder / tool.name)
                counts = {"calls": self.front.calls.total(), "would_remove": len(removed)}
                figures[tool.name] = {**counts, "in_use_removed": len(removed & used)}
        for name, found in costs.items():
            figures[name] |= {
                field: round(statistics.median(getattr(cost, field) for cost in found), 2)
                for field in ("seconds", "cpu_seconds", "peak_mib")
            }
            print(f"{size:>6} images  {name:<15} {figures[name]}", flush=True)
        return figures


@contextmanager
def served(size: int) -> Iterator[Served]:
    """An account of so many images."""
    os.environ |= {"AWS_ACCESS_KEY_ID": "lab", "AWS_SECRET_ACCESS_KEY": "lab", "MOTO_EC2_LOAD_DEFAULT_AMIS": "false"}
    MotoRequestHandler.log = lambda *_arguments: None
    tags_by_id()
    moto_api_backend.reset()
    front = RecordedFront()
    with serving(front) as url, tempfile.TemporaryDirectory(prefix="bench-retention-") as folder:
        account = LargeAccount(Account(url, REGION), size)
        front.serves_recordings = True
        yield Served(front, url, account, Path(folder))


def save(figures: dict[str, Any]) -> None:
    """Adds the figures to the file named on the command line, which `make bench` and `make bench-long` share."""
    file = Path(sys.argv[1])
    known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    for size, found in figures.items():
        known[size] = known.get(size, {}) | found
    file.write_text(json.dumps(known | circumstances(), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
