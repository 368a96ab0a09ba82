# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One real swap, and one with an outage, for all tests of the report."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.demo.report.series import Traffic, traffic
from lab.demo.run import Run
from lab.load import Record, read_records
from tests.unit.demo.real_swap import Balancer, swap


@dataclass(frozen=True)
class Swapped:
    """A finished run: its folder, what was measured, the requests, and the same by second."""

    folder: Path
    run: Run
    records: list[Record]
    traffic: Traffic


@contextmanager
def _swapped(folder: Path, crash: bool) -> Iterator[Swapped]:
    balancer = Balancer(folder)
    try:
        run = swap(folder, balancer, unit=1.0, crash=crash)
        records = list(read_records(folder / "load.jsonl"))
        series = traffic(records)
        assert series is not None
        yield Swapped(folder, run, records, series)
    finally:
        balancer.kill()


@pytest.fixture(scope="session")
def swapped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swapped]:
    """A swap in which no request fails."""
    with _swapped(tmp_path_factory.mktemp("swap"), crash=False) as done:
        yield done


@pytest.fixture(scope="session")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swapped]:
    """A swap at whose end the load balancer is away for half a second."""
    with _swapped(tmp_path_factory.mktemp("crash"), crash=True) as done:
        yield done
