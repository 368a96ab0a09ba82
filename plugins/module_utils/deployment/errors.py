# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ends a run before it begins."""

from __future__ import annotations


class Refused(Exception):
    """What was asked for can't be done, or not safely. Its text is one line: what, where, why, what to do."""
