# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A clock that stands still unless it is moved."""

from __future__ import annotations

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock


class Clock:
    """The deployment's clock, in the test's hands."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def passes(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(clock, "monotonic", lambda: made.seconds)
    return made
