# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a wait has been going on, and when to look again."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import Await

FIRST_PAUSE_SECONDS: t.Final = 0.5
LONGEST_PAUSE_SECONDS: t.Final = 5.0
"""Between two looks at a thing that is under way: soon at first, then less often, so that long work costs few calls."""


class Wait:
    """The present wait of a run."""

    def __init__(self) -> None:
        self._what = ""
        self._reason = ""
        self._since = 0.0
        self._pause = FIRST_PAUSE_SECONDS

    def too_long(self, step: Await) -> bool:
        """Whether the step's patience is at its end."""
        if step.what != self._what:
            self._what, self._since = step.what, clock.monotonic()
        return clock.monotonic() - self._since > step.patience.total_seconds()

    def pause(self, step: Await, hurry: bool = False) -> None:
        """Sleeps until the next look.

        Args:
            step: what is waited for.
            hurry: users are being hurt: look again as soon as at first.
        """
        changed = step.reason != self._reason
        self._reason = step.reason
        longest = FIRST_PAUSE_SECONDS if hurry else LONGEST_PAUSE_SECONDS
        self._pause = FIRST_PAUSE_SECONDS if changed else min(self._pause * 1.5, longest)
        left = step.left.total_seconds() if step.left is not None else self._pause
        clock.sleep(max(0.05, min(self._pause, left)))
