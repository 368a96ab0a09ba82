# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stack's status → what it means for a deployment, as a table."""

from __future__ import annotations

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import StackPhase
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.naming import phase

PHASES = {
    "CREATE_IN_PROGRESS": StackPhase.BUSY,
    "ROLLBACK_IN_PROGRESS": StackPhase.BUSY,
    "UPDATE_IN_PROGRESS": StackPhase.BUSY,
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": StackPhase.BUSY,
    "UPDATE_ROLLBACK_IN_PROGRESS": StackPhase.BUSY,
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": StackPhase.BUSY,
    "DELETE_IN_PROGRESS": StackPhase.DELETING,
    "CREATE_COMPLETE": StackPhase.READY,
    "UPDATE_COMPLETE": StackPhase.READY,
    "UPDATE_ROLLBACK_COMPLETE": StackPhase.READY,
    "CREATE_FAILED": StackPhase.BROKEN,
    "ROLLBACK_COMPLETE": StackPhase.BROKEN,
    "ROLLBACK_FAILED": StackPhase.BROKEN,
    "DELETE_FAILED": StackPhase.BROKEN,
    "REVIEW_IN_PROGRESS": StackPhase.BROKEN,
    "UPDATE_ROLLBACK_FAILED": StackPhase.STUCK,
    "A_STATUS_OF_TOMORROW": StackPhase.BUSY,
}


@pytest.mark.parametrize(("status", "meaning"), PHASES.items())
def test_phase(status: str, meaning: StackPhase) -> None:
    assert phase(status) is meaning
