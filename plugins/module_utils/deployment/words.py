# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures in words, the same ones wherever people read them."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import Colour


def span(duration: timedelta) -> str:
    """A duration as in ``8 s``, ``4 m 10 s``, ``1 h 5 m``; what is below a second doesn't count."""
    seconds = max(0, int(duration.total_seconds()))
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} m"
    if minutes:
        return f"{minutes} m {seconds % 60} s"
    return f"{seconds} s"


def shares(weights: Mapping[Colour, int]) -> str:
    """Weights as percentages of the traffic, as in ``blue 95 %, green 5 %``."""
    total = sum(weights.values())
    return ", ".join(f"{colour} {round(100 * weights[colour] / total) if total else 0} %" for colour in sorted(weights))


def plain(text: str) -> str:
    """The text without what is no text: an alarm's name or a server's log line may hold anything."""
    return "".join(each if each.isprintable() else " " for each in text)
