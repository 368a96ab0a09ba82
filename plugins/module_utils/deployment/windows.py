# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the idle colour stays: for a rollback where it served before, for inspection where it was turned back."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import timedelta

if t.TYPE_CHECKING:
    from datetime import datetime

    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import Observed


@dataclass(frozen=True)
class Window:
    """The idle colour's window: how much of it is left, zero once it has passed."""

    left: timedelta
    turned_back: bool
    """Whether the colour was turned back, so that it is looked at and not rolled back to."""


def idle_window(observed: Observed, rollback: timedelta, inspect: timedelta, now: datetime) -> Window | None:
    """The idle colour's window; None where no colour is idle, or no one knows since when it is.

    Args:
        observed: the env.
        rollback: how long a colour that served before stays after the swap.
        inspect: how long one that was turned back does.
        now: this moment.
    """
    edge = observed.edge
    idle = observed.colours[edge.live.other] if edge.live else None
    if idle is None:
        return None
    serving = observed.colours[idle.colour.other]
    turned_back = serving is not None and idle.created_at > serving.created_at
    # A colour that never had traffic was not swapped: it is looked at from when it was made.
    since = max(filter(None, (edge.swapped_at, idle.created_at if turned_back else None)), default=None)
    if since is None:
        return None
    return Window(max(timedelta(0), since + (inspect if turned_back else rollback) - now), turned_back)
