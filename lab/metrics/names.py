# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of the metrics' dimensions. Pure."""

from __future__ import annotations


def balancer_of(listener: str) -> str:
    """The load balancer of a listener's ARN: ``app/NAME/ID``."""
    return listener.split(":listener/", 1)[1].rsplit("/", 1)[0]


def group_of(arn: str) -> str:
    """A target group's ARN: ``targetgroup/NAME/ID``."""
    return arn.rsplit(":", 1)[-1]
