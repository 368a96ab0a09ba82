# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a run ended."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import Result
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import (
    Aborted,
    Deployed,
    RolledBack,
)

if t.TYPE_CHECKING:
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import Observed
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import Plan, Step
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import Wanted


@dataclass(frozen=True)
class Outcome:
    """How a run ended: its plan's result, what was seen first and last (in a preview: what will be), what was done."""

    plan: Plan
    before: Observed
    after: Observed
    done: tuple[Step, ...]
    wanted: Wanted

    @property
    def failed(self) -> bool:
        """Whether it ended otherwise than the user wanted."""
        result, wanted = self.plan.result, self.wanted
        if result is Result.ROLLED_BACK:
            return isinstance(wanted, Deployed) and not wanted.rolls_back
        if result is Result.ABORTED:
            # Turning back what had no traffic yet is what a rollback was asked for, too.
            return not (isinstance(wanted, Aborted) or (isinstance(wanted, RolledBack) and self.plan.turns_back))
        return result is Result.DIRTY
