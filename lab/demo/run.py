# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of the demo measured, as data: written down as it goes, read by the summary and the report."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lab.load import Summary


@dataclass(frozen=True, slots=True)
class Phase:
    """One step of the demo.

    Attributes:
        name: what it did, in a few words.
        start: when it began, in seconds since the epoch.
        seconds: how long it took.
        outcome: what came out, in a few words; "" when there is nothing to add.
        loaded: whether the load was running.
    """

    name: str
    start: float
    seconds: float
    outcome: str = ""
    loaded: bool = False


@dataclass(frozen=True, slots=True)
class Bake:
    """An image that Packer made."""

    image: str
    seconds: float
    stage: str
    release: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment or rollback of an environment; result as the design's promise 7 names it."""

    env: str
    release: str
    seconds: float
    result: str


@dataclass(frozen=True, slots=True)
class Weights:
    """The listener's weights from `t` (seconds since the epoch) on, and the release of each colour."""

    t: float
    weights: dict[str, int]
    releases: dict[str, str]


@dataclass(slots=True)
class Run:
    """Everything that a run of the demo measured. A figure that was not reached is None.

    `problem` says why the run did not end as it must, and is None when it did.
    """

    started: float
    machine: str
    phases: list[Phase] = field(default_factory=list)
    bakes: list[Bake] = field(default_factory=list)
    deployments: list[Deployment] = field(default_factory=list)
    weights: list[Weights] = field(default_factory=list)
    load: Summary | None = None
    rollback_seconds: float | None = None
    images_before: int | None = None
    images_after: int | None = None
    problem: str | None = None
    notes: list[str] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """Write the run as JSON; raises OSError."""
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Run:
        """The run that write() wrote; raises OSError, ValueError or TypeError."""
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        for name, kind in (("phases", Phase), ("bakes", Bake), ("deployments", Deployment), ("weights", Weights)):
            data[name] = [kind(**item) for item in data[name]]
        if data["load"] is not None:
            data["load"] = Summary(**data["load"])
        return cls(**data)

    def summary(self) -> dict[str, Any]:
        """The run in the form of build/demo/summary.json; figures that were not reached are null."""
        load = self.load
        return {
            "bakes": [{"image": bake.image, "seconds": round(bake.seconds, 1)} for bake in self.bakes],
            "deployments": [
                {
                    "env": deployment.env,
                    "release": deployment.release,
                    "seconds": round(deployment.seconds, 1),
                    "result": deployment.result,
                }
                for deployment in self.deployments
            ],
            "load": None
            if load is None
            else {"requests": load.requests, "failed": load.failed, "p50_ms": load.p50_ms, "p99_ms": load.p99_ms},
            "rollback_seconds": self.rollback_seconds,
            "images_before": self.images_before,
            "images_after": self.images_after,
        }
