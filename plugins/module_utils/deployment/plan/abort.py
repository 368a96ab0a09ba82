# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is under way is to end, with traffic where it was before."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import Observed
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan import turn_back
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import Plan, Result
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import Aborted


def abort(observed: Observed, wanted: Aborted) -> Plan:
    begun = observed.ledger.deployment
    if begun is None:
        return Plan(Result.NOTHING_TO_DO, "no deployment is under way")
    reason = begun.turned_back or f"{begun.abort_by or wanted.by} asked for its end"
    end = turn_back.turn_back(observed, begun.colour, reason)
    return end if end.result is Result.DIRTY else replace(end, result=Result.ABORTED)
