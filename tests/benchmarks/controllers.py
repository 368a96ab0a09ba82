# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one run of ansible-playbook costs: time, processor, calls."""

from __future__ import annotations

import itertools
import json
import os
import resource
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from tests.lab.deployments.controller import Controller, Ended
from tests.lab.deployments.env import Env

_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
        ended: how.
        seconds: from its start to its end.
        cpu_seconds: of the process and of all it waited for, user and system.
        writes: its calls that change something, by service and operation.
        reads: the others.
    """

    ended: Ended
    seconds: float
    cpu_seconds: float
    writes: Mapping[str, int]
    reads: Mapping[str, int]

    @property
    def calls(self) -> dict[str, int]:
        return {"writes": sum(self.writes.values()), "reads": sum(self.reads.values())}

    def shown(self) -> dict[str, Any]:
        """As data for JSON."""
        times = {"seconds": round(self.seconds, 2), "cpu_seconds": round(self.cpu_seconds, 2)}
        return {**times, "calls": self.calls, "writes": self.writes, "reads": self.reads}


def measured(env: Env, start: Callable[[str], Controller]) -> Run:
    """Run a controller to its end; nothing else that this process has started may end meanwhile.

    Args:
        env: whose lab counts its calls.
        start: starts it with an access key of its own.
    """
    client = f"bench-{os.getpid()}-{next(_NUMBERS)}"
    used, begin = _children(), time.monotonic()
    ended = start(client).end()
    seconds, cpu = time.monotonic() - begin, _children() - used
    assert ended.code == 0, ended.said
    calls = _calls(env, client)
    by_kind = {
        writes: dict(sorted(Counter(_name(call) for call in calls if call["writes"] is writes).items()))
        for writes in (True, False)
    }
    return Run(ended, seconds, cpu, by_kind[True], by_kind[False])


def typical(runs: list[Run]) -> dict[str, Any]:
    """The medians of some runs, each figure for itself."""
    return {
        "calls": {kind: round(median(run.calls[kind] for run in runs)) for kind in ("writes", "reads")},
        "cpu_seconds": round(median(run.cpu_seconds for run in runs), 2),
        "seconds": round(median(run.seconds for run in runs), 2),
    }


def _calls(env: Env, client: str) -> list[dict[str, Any]]:
    """What the lab has seen of a client."""
    with urllib.request.urlopen(f"{env.shop.settings.api_url}/_lab/calls?client={client}", timeout=60) as answer:
        found: list[dict[str, Any]] = json.load(answer)["calls"]
        return found


def _name(call: Mapping[str, Any]) -> str:
    return f"{call['service']} {call['operation']}"


def _children() -> float:
    """Seconds of processor time of the processes that this one has started and waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
