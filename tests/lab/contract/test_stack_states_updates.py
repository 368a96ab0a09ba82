# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The states that an update leads a stack through: cancelled, rolled back, stuck, continued."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from botocore.exceptions import ClientError

from tests.lab.contract.faulty import ask
from tests.lab.contract.stack import Stack
from tests.lab.contract.support import Api

OLD = {"BlueWeight": "100", "GreenWeight": "0", "Note1": "first"}


@pytest.fixture
def stack(api: Api, request: pytest.FixtureRequest) -> Iterator[Stack]:
    """A stack at 100 : 0; its faults are removed."""
    made = Stack(api, request.node.name.replace("_", "-").replace("[", "-").replace("]", ""))
    assert made.create() == "CREATE_COMPLETE"
    yield made
    ask(api, "DELETE", "/_lab/faults")


def refused(refusal: pytest.ExceptionInfo[ClientError]) -> str:
    assert refusal.value.response["Error"]["Code"] == "ValidationError"
    return str(refusal.value.response["Error"]["Message"])


# --- under way


def test_the_listener_changes_when_it_is_reached_and_not_before(stack: Stack) -> None:
    held = stack.slow("Listener", "update")
    stack.update(BlueWeight=90, GreenWeight=10)
    held.seen(wait=10)
    assert stack.status() == "UPDATE_IN_PROGRESS"
    assert stack.weights() == [100, 0]
    held.release()
    assert stack.settled() == "UPDATE_COMPLETE"
    assert stack.weights() == [90, 10]


def test_a_resource_can_be_slow_once_it_has_changed(stack: Stack) -> None:
    held = stack.slow("Listener", "update", after=True)
    stack.update(BlueWeight=90, GreenWeight=10)
    held.seen(wait=10)
    assert stack.weights() == [90, 10]
    assert stack.status() == "UPDATE_IN_PROGRESS"
    held.release()
    assert stack.settled() == "UPDATE_COMPLETE"


def test_a_resource_is_slow_for_so_many_seconds(stack: Stack) -> None:
    held = stack.slow("Listener", "update", seconds=0.5)
    stack.update(BlueWeight=90, GreenWeight=10)
    assert held.seen(wait=10)["hit"]
    assert stack.settled() == "UPDATE_COMPLETE"


def test_an_update_has_events_for_what_it_changes_alone(stack: Stack) -> None:
    stack.update(BlueWeight=90, GreenWeight=10)
    stack.settled()
    assert [each[:2] for each in stack.events()] == [
        (stack.name, "UPDATE_IN_PROGRESS"),
        ("Listener", "UPDATE_IN_PROGRESS"),
        ("Listener", "UPDATE_COMPLETE"),
        (stack.name, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        (stack.name, "UPDATE_COMPLETE"),
    ]


def test_a_listener_changed_by_hand_is_left_alone_by_an_update_that_does_not_change_it(stack: Stack) -> None:
    found = stack.described()["Outputs"][0]["OutputValue"]
    action = stack.api.elb.describe_listeners(ListenerArns=[found])["Listeners"][0]["DefaultActions"][0]
    for group, weight in zip(action["ForwardConfig"]["TargetGroups"], (0, 100), strict=True):
        group["Weight"] = weight
    shares = {"Type": "forward", "ForwardConfig": action["ForwardConfig"]}
    stack.api.elb.modify_listener(ListenerArn=found, DefaultActions=[shares])
    stack.update(Note1="second")
    assert stack.settled() == "UPDATE_COMPLETE"
    assert stack.weights() == [0, 100]


BUSY = "Stack:{} is in UPDATE_IN_PROGRESS state and can not be updated."
ANOTHER: dict[str, tuple[Callable[[Stack], object], str]] = {
    "update": (lambda stack: stack.update(BlueWeight=80, GreenWeight=20), BUSY),
    "delete": (
        lambda stack: stack.api.stacks.delete_stack(StackName=stack.name),
        "Stack [{}] cannot be deleted while in status UPDATE_IN_PROGRESS",
    ),
    "change-set": (
        lambda stack: stack.api.stacks.create_change_set(
            StackName=stack.name, ChangeSetName="second", UsePreviousTemplate=True, ChangeSetType="UPDATE"
        ),
        BUSY,
    ),
}


@pytest.mark.parametrize("operation", ANOTHER)
def test_a_busy_stack_refuses_another_operation(stack: Stack, operation: str) -> None:
    held = stack.slow("Listener", "update")
    stack.update(BlueWeight=90, GreenWeight=10)
    held.seen(wait=10)
    begin, message = ANOTHER[operation]
    with pytest.raises(ClientError) as refusal:
        begin(stack)
    assert refused(refusal) == message.format(stack.described()["StackId"])
    held.release()
    assert stack.settled() == "UPDATE_COMPLETE"
    assert stack.weights() == [90, 10]


def test_an_update_without_a_change_is_refused(stack: Stack) -> None:
    with pytest.raises(ClientError) as refusal:
        stack.update()
    assert refused(refusal) == "No updates are to be performed."


def test_the_same_request_sent_again_is_answered_again(stack: Stack) -> None:
    held = stack.slow("Listener", "update")
    stack.update(token="once", BlueWeight=90, GreenWeight=10)
    held.seen(wait=10)
    stack.update(token="once", BlueWeight=90, GreenWeight=10)
    with pytest.raises(ClientError):
        stack.update(token="twice", BlueWeight=90, GreenWeight=10)
    held.release()
    assert stack.settled() == "UPDATE_COMPLETE"


# --- cancelled


@pytest.mark.parametrize("after", [False, True])
def test_a_cancelled_update_brings_weights_and_parameters_back(stack: Stack, after: bool) -> None:
    held = stack.slow("Listener", "update", after=after)
    stack.update(BlueWeight=90, GreenWeight=10)
    held.seen(wait=10)
    stack.cancel()
    assert stack.settled() == "UPDATE_ROLLBACK_COMPLETE"
    assert stack.weights() == [100, 0]
    assert stack.parameters() == OLD


def test_a_cancelled_update_sends_back_what_was_done_before(stack: Stack) -> None:
    held = stack.slow("Note", "update")
    stack.update(BlueWeight=90, GreenWeight=10, Note1="second")
    held.seen(wait=10)
    assert stack.weights() == [90, 10]
    stack.cancel()
    assert stack.settled() == "UPDATE_ROLLBACK_COMPLETE"
    assert (stack.weights(), stack.note()) == ([100, 0], "first")


def test_the_states_of_a_cancelled_update(stack: Stack) -> None:
    held, back = stack.slow("Listener", "update", after=True), stack.slow("Listener", "rollback")
    stack.update(BlueWeight=90, GreenWeight=10)
    held.seen(wait=10)
    stack.cancel()
    back.seen(wait=10)
    assert stack.status() == "UPDATE_ROLLBACK_IN_PROGRESS"
    assert stack.weights() == [90, 10], "an update goes back resource by resource"
    back.release()
    stack.settled()
    statuses = [status for resource, status, _ in stack.events() if resource == stack.name]
    assert statuses[-3:] == [
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE",
    ]


def test_only_an_update_can_be_cancelled(stack: Stack) -> None:
    with pytest.raises(ClientError) as refusal:
        stack.cancel()
    assert refused(refusal) == "CancelUpdateStack cannot be called from current stack status"


def test_a_stack_that_was_rolled_back_can_be_updated(stack: Stack) -> None:
    held = stack.slow("Listener", "update")
    stack.update(BlueWeight=90, GreenWeight=10)
    held.seen(wait=10)
    stack.cancel()
    stack.settled()
    stack.update(BlueWeight=90, GreenWeight=10)
    assert stack.settled() == "UPDATE_COMPLETE"
    assert stack.weights() == [90, 10]


# --- failed


def test_a_failed_update_names_the_resource_and_goes_back(stack: Stack) -> None:
    stack.failing("Note", "update", "no room for notes")
    stack.update(BlueWeight=90, GreenWeight=10, Note1="second")
    assert stack.settled() == "UPDATE_ROLLBACK_COMPLETE"
    assert stack.failed() == ("Note", "no room for notes")
    assert (stack.weights(), stack.note(), stack.parameters()) == ([100, 0], "first", OLD)


def test_a_rollback_that_fails_leaves_the_stack_stuck(stack: Stack) -> None:
    stuck(stack)
    assert stack.described()["StackStatusReason"] == "The following resource(s) failed to update: [Listener]."
    with pytest.raises(ClientError) as refusal:
        stack.update(BlueWeight=80, GreenWeight=20)
    assert refused(refusal).endswith("is in UPDATE_ROLLBACK_FAILED state and can not be updated.")


def test_a_stuck_rollback_goes_on_when_its_cause_is_gone(stack: Stack) -> None:
    stuck(stack)
    stack.api.stacks.continue_update_rollback(StackName=stack.name)
    assert stack.settled() == "UPDATE_ROLLBACK_COMPLETE"
    assert (stack.weights(), stack.parameters()) == ([100, 0], OLD)


def test_a_stuck_rollback_goes_on_without_what_is_skipped(stack: Stack) -> None:
    stuck(stack, times=9)
    stack.api.stacks.continue_update_rollback(StackName=stack.name)
    assert stack.settled() == "UPDATE_ROLLBACK_FAILED"
    stack.api.stacks.continue_update_rollback(StackName=stack.name, ResourcesToSkip=["Listener"])
    assert stack.settled() == "UPDATE_ROLLBACK_COMPLETE"
    assert stack.weights() == [90, 10], "what is skipped stays as it is"


def test_only_what_failed_can_be_skipped(stack: Stack) -> None:
    stuck(stack)
    with pytest.raises(ClientError) as refusal:
        stack.api.stacks.continue_update_rollback(StackName=stack.name, ResourcesToSkip=["Note"])
    refused(refusal)
    assert stack.status() == "UPDATE_ROLLBACK_FAILED"


def stuck(stack: Stack, times: int = 1) -> None:
    stack.failing("Note", "update", "no room for notes")
    stack.failing("Listener", "rollback", "the listener is gone", times=times)
    stack.update(BlueWeight=90, GreenWeight=10, Note1="second")
    assert stack.settled() == "UPDATE_ROLLBACK_FAILED"
