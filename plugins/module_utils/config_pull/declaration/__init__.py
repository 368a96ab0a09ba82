# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The app's declaration: where its configuration comes from and which keys it needs. It holds no values."""

from __future__ import annotations

from .model import Declaration, Key, Source
from .read import load, parse

__all__ = ["Declaration", "Key", "Source", "load", "parse"]
