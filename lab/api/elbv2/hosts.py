# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many targets of a group are healthy, for its metrics."""

from __future__ import annotations

from typing import Any

from lab.api.elbv2.targets import Targets, backend
from lab.loadbalancer.model import Balancing
from lab.metrics.minutes import Hosts
from lab.metrics.names import balancer_of, group_of


def hosts(balancing: Balancing, targets: Targets) -> list[Hosts]:
    """Counts for each load balancer and each of its groups that has targets. Call with moto's lock held."""
    used = {(balancer_of(each.listener), group) for each in balancing.frontends for group in each.groups}
    found = []
    for balancer, arn in sorted(used):
        group = backend().target_groups.get(arn)
        states = _states(group, targets) if group else []
        if states:
            found.append(Hosts(balancer, group_of(arn), states.count("healthy"), states.count("unhealthy")))
    return found


def _states(group: Any, targets: Targets) -> list[str]:
    return [targets.state(group, each).state for each in targets.of(group) if not each.draining]
