# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of deployments."""

from __future__ import annotations

import secrets
import typing as t

if t.TYPE_CHECKING:
    from datetime import datetime


def new_id(now: datetime) -> str:
    """``YYYYMMDD-HHMMSS-xxxx``: sorts by time, and two that begin in the same second differ."""
    return f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
