# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an env's file says of its gates, and what it leaves to the defaults."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.settings import (
    AnalysisSettings,
    CommandSettings,
    GateSettings,
    read_gates,
)


@pytest.mark.parametrize("gates", [None, {}, {"alarms": None, "analysis": {"min_requests": None}, "command": {}}])
def test_what_is_not_said_has_its_default(gates: dict[str, object] | None) -> None:
    settings = read_gates({"gates": gates})
    assert settings == GateSettings(
        (), (), None, None, False, deadline=timedelta(minutes=10), approval_deadline=timedelta(hours=24)
    )


def test_everything_that_is_said_counts() -> None:
    settings = read_gates(
        {
            "gates": {
                "alarms": ["prod-5xx"],
                "expected_alarms": ["prod-disk"],
                "analysis": {"max_error_ratio": 2, "max_p95_ratio": "1.1", "min_requests": 50, "not_enough": "fail"},
                "command": {"name": "smoke", "run": "bin/smoke", "timeout": 90},
                "approval": True,
                "deadline": 300,
                "approval_deadline": 3600,
            }
        }
    )
    assert settings == GateSettings(
        ("prod-5xx",),
        ("prod-disk",),
        AnalysisSettings(2.0, 1.1, 50, "fail"),
        CommandSettings("smoke", "bin/smoke", timedelta(seconds=90)),
        True,
        timedelta(minutes=5),
        timedelta(hours=1),
    )


def test_one_value_switches_the_analysis_on() -> None:
    assert read_gates({"gates": {"analysis": {"min_requests": 50}}}).analysis == AnalysisSettings(min_requests=50)


def test_a_command_without_anything_to_run_is_refused() -> None:
    with pytest.raises(Refused, match=r"gates\.command has nothing to run"):
        read_gates({"gates": {"command": {"name": "smoke", "run": " "}}})
