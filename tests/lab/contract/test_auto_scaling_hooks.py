# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lifecycle hooks hold members on their way into service and out of it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from tests.lab.contract.scaling import (
    LAUNCHING,
    TERMINATING,
    complete,
    create,
    hook,
    launch_settings,
    reach,
    refusal,
    removed_at_the_end,
    states,
)
from tests.lab.contract.support import Api, wait_for


@pytest.fixture(scope="module")
def launch(api: Api) -> dict[str, str]:
    return launch_settings(api)


@pytest.fixture
def name(api: Api) -> Iterator[str]:
    with removed_at_the_end(api) as made:
        yield made


def test_a_launch_hook_holds_a_member_out_of_service(api: Api, name: str, launch: dict[str, str]) -> None:
    create(api, name, launch, size=1, LifecycleHookSpecificationList=[hook("ready", LAUNCHING)])
    (member,) = reach(api, name, "Pending:Wait")
    complete(api, name, "ready", member, "CONTINUE")
    assert reach(api, name, "InService") == [member]


def test_an_abandoned_launch_is_replaced(api: Api, name: str, launch: dict[str, str]) -> None:
    create(api, name, launch, size=1, LifecycleHookSpecificationList=[hook("ready", LAUNCHING)])
    (member,) = reach(api, name, "Pending:Wait")
    complete(api, name, "ready", member, "ABANDON")
    wait_for(lambda: member not in states(api, name) and states(api, name), "another member")
    api.reach(member, "terminated")


def test_every_hook_must_say_go_on(api: Api, name: str, launch: dict[str, str]) -> None:
    hooks = [hook("warm", LAUNCHING), hook("checked", LAUNCHING)]
    create(api, name, launch, size=1, LifecycleHookSpecificationList=hooks)
    (member,) = reach(api, name, "Pending:Wait")
    complete(api, name, "warm", member, "CONTINUE")
    with pytest.raises(ClientError) as error:
        complete(api, name, "warm", member, "CONTINUE")
    assert refusal(error) == f"No active Lifecycle Action found with instance ID {member}"
    assert list(states(api, name).values()) == ["Pending:Wait"]
    complete(api, name, "checked", member, "CONTINUE")
    reach(api, name, "InService")


def test_one_hook_that_abandons_is_enough(api: Api, name: str, launch: dict[str, str]) -> None:
    hooks = [hook("warm", LAUNCHING), hook("checked", LAUNCHING)]
    create(api, name, launch, size=1, LifecycleHookSpecificationList=hooks)
    (member,) = reach(api, name, "Pending:Wait")
    complete(api, name, "warm", member, "ABANDON")
    api.reach(member, "terminated")


@pytest.mark.parametrize(("result", "expected"), [("CONTINUE", "stays"), ("ABANDON", "goes")])
def test_a_hook_that_nobody_answers_ends_with_its_default(
    api: Api, name: str, launch: dict[str, str], result: str, expected: str
) -> None:
    # A second of AWS's time is a fiftieth of one here.
    quick = hook("ready", LAUNCHING, HeartbeatTimeout=30, DefaultResult=result)
    create(api, name, launch, size=1, LifecycleHookSpecificationList=[quick])
    (member,) = reach(api, name, "Pending:Wait")
    if expected == "stays":
        assert reach(api, name, "InService") == [member]
    else:
        wait_for(lambda: member not in states(api, name), "the end of the abandoned launch")


def test_a_heartbeat_prolongs_the_wait(api: Api, name: str, launch: dict[str, str]) -> None:
    slow = hook("ready", LAUNCHING, HeartbeatTimeout=60, DefaultResult="CONTINUE")
    create(api, name, launch, size=1, LifecycleHookSpecificationList=[slow])
    (member,) = reach(api, name, "Pending:Wait")
    begun = time.monotonic()
    longer = begun + 2 * 60 * 0.02
    while time.monotonic() < longer:
        api.scaling.record_lifecycle_action_heartbeat(
            AutoScalingGroupName=name, LifecycleHookName="ready", InstanceId=member
        )
        assert states(api, name) == {member: "Pending:Wait"}
    assert reach(api, name, "InService") == [member]


def test_a_terminate_hook_holds_a_member_that_leaves(api: Api, name: str, launch: dict[str, str]) -> None:
    create(api, name, launch, size=1)
    (member,) = reach(api, name, "InService")
    api.scaling.put_lifecycle_hook(AutoScalingGroupName=name, **hook("last-words", TERMINATING))
    api.scaling.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=0)
    reach(api, name, "Terminating:Wait")
    assert api.instance(member)["State"]["Name"] == "running"
    complete(api, name, "last-words", member, "ABANDON")
    api.reach(member, "terminated")
    reach(api, name)


def test_hooks_are_shown_as_they_were_asked_for(api: Api, name: str, launch: dict[str, str]) -> None:
    create(api, name, launch)
    api.scaling.put_lifecycle_hook(AutoScalingGroupName=name, **hook("ready", LAUNCHING))
    (found,) = api.scaling.describe_lifecycle_hooks(AutoScalingGroupName=name)["LifecycleHooks"]
    assert found == {
        "LifecycleHookName": "ready",
        "AutoScalingGroupName": name,
        "LifecycleTransition": LAUNCHING,
        "HeartbeatTimeout": 7200,
        "GlobalTimeout": 172800,
        "DefaultResult": "ABANDON",
    }
