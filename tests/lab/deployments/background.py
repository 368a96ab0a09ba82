# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deployments that take real minutes: they are begun early, and looked at when other things were tested."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field

from tests.lab.deployments.controller import Controller, Ended
from tests.lab.deployments.env import Env

RATE = 20
PATHS = ("/", "/articles")
CANARY = {
    "strategy": "canary",
    "canary": [20, 50],
    "bake_time": "3m",
    "gates": {"analysis": {"max_error_ratio": 1.5, "max_p95_ratio": 1.3, "min_requests": 200}},
}


@dataclass
class Analysed:
    """A release that is worse than the live one, judged by its metrics, under a load of its own."""

    env: Env
    _load: ExitStack = field(default_factory=ExitStack)
    _controller: Controller | None = None

    def begin(self, image: str) -> None:
        self.env.write(**CANARY)
        self._load.enter_context(self.env.load(RATE, PATHS))
        self._controller = self.env.start("deploy", image=image)

    def end(self) -> Ended:
        """How it ended; waits for that."""
        assert self._controller
        ended = self._controller.end()
        self._load.close()
        return ended


@dataclass(frozen=True)
class Overtaken:
    """A controller that is stopped past its lease, and the next one that waits for the lock.

    Attributes:
        late: the fault that keeps the first one's shift on the wire.
    """

    env: Env
    late: str
    paused: Controller
    following: Controller

    @classmethod
    def begin(cls, env: Env, image: str) -> Overtaken:
        env.write(strategy="canary", canary=[50], bake_time="1s", lock_wait="3m")
        late = env.lab.fault("hold_before", {"client": "paused", "operation": "UpdateStack", "nth": 2})
        paused = env.start("deploy", image=image, client="paused")
        env.lab.hit(late)
        paused.pause()
        return cls(env, late, paused, env.start("deploy", image=image, client="next"))
