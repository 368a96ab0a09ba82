# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the load balancers' metrics are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

NAMESPACE = "AWS/ApplicationELB"


@dataclass(frozen=True)
class Datapoint:
    """What was seen of one metric in one minute of the lab.

    A count is a list of ones, as a load balancer reports it, so that Sum and SampleCount are both right.

    Attributes:
        namespace: such as ``AWS/ApplicationELB``.
        metric: such as ``RequestCount``.
        dimensions: values by name.
        time: when the minute began, in seconds since the epoch, by the real clock.
        values: every value that was seen; never empty.
        unit: as CloudWatch names it.
    """

    namespace: str
    metric: str
    dimensions: Mapping[str, str] = field(hash=False)
    time: float
    values: tuple[float, ...]
    unit: str = "Count"
