# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong with a machine; each message is one line for a person."""

from __future__ import annotations

from lab.settings import LabError


class ServersError(LabError):
    """A machine or an image could not be made, changed or removed."""


class OutOfSpaceError(ServersError):
    """The disk is full: nothing was made."""
