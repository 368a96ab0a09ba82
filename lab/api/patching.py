# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replacing a method of a library's class or a function of its module, and noticing when the library has changed."""

from __future__ import annotations

from types import ModuleType
from typing import Any


def replace(owner: type | ModuleType, name: str, replacement: Any) -> Any:
    """Put ``replacement`` in the place of ``owner.name``.

    Returns:
        What stood there, for a replacement that adds to it.

    Raises:
        AttributeError: the owner has no such attribute: it is another version than the lab was written for.
    """
    original = getattr(owner, name)
    setattr(owner, name, replacement)
    return original
