# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ends of a run that are no success, each with one line for a person."""

from __future__ import annotations


class PublishError(Exception):
    """The release can't be published, or not now."""


class ValidationFailed(PublishError):
    """A server of the image did not do what it must.

    Args:
        reason: why, in one line.
        lines: the last that the server wrote, the oldest first.
    """

    def __init__(self, reason: str, lines: list[str]) -> None:
        super().__init__(reason)
        self.reason = reason
        self.lines = lines
