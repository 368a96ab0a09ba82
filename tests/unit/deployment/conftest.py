# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What unit tests of the engine have in common."""

from __future__ import annotations

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock
from tests.unit.deployment.memory import Time


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    """The deployment's clock, which stands still unless somebody sleeps."""
    made = Time()
    monkeypatch.setattr(clock, "now", lambda: made.now)
    monkeypatch.setattr(clock, "monotonic", lambda: made.seconds)
    monkeypatch.setattr(clock, "boottime", lambda: made.seconds)
    monkeypatch.setattr(clock, "sleep", made.sleep)
    return made
