# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known after a step without a look at AWS, and what is read again though it looked complete."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.aws import auto_scaling, load_balancing
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import ColourStack, Observed, StackPhase
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.naming import EdgeStack
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.observe import Observer
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import (
    Align,
    Await,
    ClosePreview,
    Part,
    ResumeReplacing,
    Shift,
    Step,
    SuspendReplacing,
)
from tests.unit.deployment.memory import Time
from tests.unit.deployment.worlds import BLUE, GREEN, edge, stack, world

SPLIT = {BLUE: 50, GREEN: 50}
NOBODY: t.Any = None


@pytest.mark.parametrize(
    ("step", "asked"),
    [
        (Align(BLUE, "why"), {BLUE: 100, GREEN: 0}),
        (Shift(GREEN, "why", 60), {BLUE: 40, GREEN: 60}),
        (ClosePreview("why"), SPLIT),
    ],
    ids=str,
)
def test_an_update_that_was_just_begun_is_known_with_what_it_asks_for(step: Step, asked: t.Any) -> None:
    before = world(edge(50, 50, asked=SPLIT))
    after = Observer(NOBODY, NOBODY, NOBODY).after(before, step).edge
    assert (after.phase, after.status, after.asked) == (StackPhase.BUSY, "UPDATE_IN_PROGRESS", asked)
    assert after.weights == before.edge.weights


def group(*servers: str) -> dict[str, t.Any]:
    return {
        "AutoScalingGroupName": "green-group",
        "MinSize": 2,
        "MaxSize": 4,
        "DesiredCapacity": 2,
        "Instances": [{"InstanceId": server, "LifecycleState": "InService"} for server in servers],
    }


WAIT = Await("2 servers of green are healthy", "", part=Part.TARGETS, colour=GREEN)
GREEN_SERVES = world(edge(100, 0), green=stack(GREEN, "r2", group="green-group", desired=2))


@pytest.fixture
def observer(monkeypatch: pytest.MonkeyPatch) -> Observer:
    """Of an env whose green group AWS shows with the servers i-1 and i-dead, of which i-1 is healthy."""
    show(monkeypatch, "i-1", "i-dead")
    targets = [{"Target": {"Id": server}, "TargetHealth": {"State": "healthy"}} for server in ("i-1", "i-new")]
    monkeypatch.setattr(load_balancing, "target_health", lambda *_: targets)
    made = Observer(NOBODY, NOBODY, NOBODY)
    made.edge_stack = EdgeStack("edge", "edge", "UPDATE_COMPLETE", {"GreenTargetGroupArn": "green"}, {})
    return made


def show(monkeypatch: pytest.MonkeyPatch, *servers: str) -> None:
    monkeypatch.setattr(auto_scaling, "describe_groups", lambda _, names: {name: group(*servers) for name in names})


def green(seen: Observed) -> ColourStack:
    found = seen.colours[GREEN]
    assert found
    return found


def test_a_server_that_was_replaced_while_its_health_was_waited_for_is_seen_within_a_minute(
    monkeypatch: pytest.MonkeyPatch, time: Time, observer: Observer
) -> None:
    assert green(observer.again(GREEN_SERVES, WAIT, turning_back=False)).healthy == 1
    show(monkeypatch, "i-1", "i-new")
    time.sleep(60)
    assert green(observer.again(GREEN_SERVES, WAIT, turning_back=False)).healthy == 2


def test_that_replacing_was_suspended_is_known_until_the_group_is_read_again(time: Time, observer: Observer) -> None:
    seen = observer.again(GREEN_SERVES, WAIT, turning_back=False)
    seen = observer.after(seen, SuspendReplacing(GREEN, "why"))
    assert not green(seen).replaces_unhealthy
    seen = observer.again(seen, WAIT, turning_back=False)
    assert not green(seen).replaces_unhealthy
    assert green(observer.after(seen, ResumeReplacing(GREEN, "why"))).replaces_unhealthy
