# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which instances the lab's API knows, and for how long."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from lab.api.ec2.instances import RUNNING, SHUTTING_DOWN, TERMINATED
from lab.api.ec2.memory import Memory

KEPT = 60.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(time, "monotonic", lambda: now.seconds)
    return now


def backend(**states: int) -> Any:
    """A backend whose instances have one reservation each."""
    instances = {name: SimpleNamespace(id=name, state_code=code) for name, code in states.items()}
    reservations = {f"r-{name}": SimpleNamespace(instances=[one]) for name, one in instances.items()}
    return SimpleNamespace(reservations=reservations, tags={name: {"app": "shop"} for name in instances})


def known(memory: Memory, found: Any) -> set[str]:
    return {name for name in ("one", "two") if memory.find(found, name)}


def test_an_instance_is_known_as_soon_as_it_is_launched(clock: SimpleNamespace) -> None:
    memory, found = Memory(KEPT), backend(one=RUNNING)
    assert known(memory, found) == {"one"}
    found.reservations |= backend(two=RUNNING).reservations
    assert known(memory, found) == {"one", "two"}


def test_a_terminated_instance_is_known_for_an_hour_and_then_forgotten_with_its_tags(clock: SimpleNamespace) -> None:
    memory, found = Memory(KEPT), backend(one=TERMINATED, two=SHUTTING_DOWN)
    memory.tick(found)
    clock.seconds = KEPT - 1
    memory.tick(found)
    assert known(memory, found) == {"one", "two"}
    clock.seconds = KEPT
    memory.tick(found)
    assert known(memory, found) == {"two"}
    assert found.tags.keys() == {"two"}


def test_what_still_runs_is_never_forgotten(clock: SimpleNamespace) -> None:
    memory, found = Memory(KEPT), backend(one=RUNNING)
    memory.tick(found)
    clock.seconds = 100 * KEPT
    memory.tick(found)
    assert known(memory, found) == {"one"}
