# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Health of targets, counted as AWS counts it. Pure: probes and time come from outside.

Rules and words: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Health:
    """A target's health as DescribeTargetHealth shows it; reason and description are None when healthy."""

    state: str
    reason: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class Thresholds:
    """How many checks in a row change an unhealthy target to healthy, and the other way round."""

    healthy: int
    unhealthy: int


@dataclass(frozen=True)
class Probe:
    """One health check's outcome: passed, or why not."""

    passed: bool
    reason: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class Checked:
    """What the checks of one target have shown so far."""

    health: Health
    in_a_row: int = 0
    last_passed: bool | None = None


REGISTERING = Health("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
CHECKING = Health("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
HEALTHY = Health("healthy")
DRAINING = Health("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")
NOT_REGISTERED = Health("unused", "Target.NotRegistered", "Target is not registered to the target group")
NOT_IN_USE = Health(
    "unused", "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"
)
NEW = Checked(REGISTERING)


def invalid_state(state: str) -> Health:
    """Health of an instance that is not running."""
    return Health("unused", "Target.InvalidState", f"Target is in the {state} state")


def after(checked: Checked, probe: Probe, thresholds: Thresholds) -> Checked:
    """What is known after one more check.

    A new target is healthy after its first passed check; an unhealthy one needs the threshold. A healthy or new
    target is unhealthy after the threshold of failed ones.
    """
    in_a_row = checked.in_a_row + 1 if probe.passed == checked.last_passed else 1
    seen = replace(checked, in_a_row=in_a_row, last_passed=probe.passed)
    if probe.passed:
        if checked.health.state == "initial" or in_a_row >= thresholds.healthy:
            return replace(seen, health=HEALTHY)
        return seen
    if checked.health.state == "unhealthy" or in_a_row >= thresholds.unhealthy:
        return replace(seen, health=Health("unhealthy", probe.reason, probe.description))
    return replace(seen, health=CHECKING) if checked.health.state == "initial" else seen
