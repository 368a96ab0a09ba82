# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudFormation, one function a call."""

from __future__ import annotations

import json
import typing as t
import uuid

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError, aws_call

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mypy_boto3_cloudformation.type_defs import ParameterTypeDef, StackTypeDef

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients

# The colour's template makes a role and an instance profile with names of their own.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-template.html#using-iam-capabilities
CAPABILITIES: t.Final = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"]


def describe_stack(clients: Clients, name: str) -> StackTypeDef | None:
    """The newest stack of that name that is not deleted, or None."""
    try:
        return _describe_stack(clients, name)
    except AwsError as error:
        # "Stack with id … does not exist" is a ValidationError like any other, told apart by its text alone.
        if error.code == "ValidationError" and "does not exist" in error.why:
            return None
        raise


@aws_call("read the stack {}")
def _describe_stack(clients: Clients, name: str) -> StackTypeDef | None:
    stacks = clients.cloudformation.describe_stacks(StackName=name)["Stacks"]
    return next((stack for stack in stacks if stack["StackStatus"] != "DELETE_COMPLETE"), None)


@aws_call("read the stacks")
def describe_all_stacks(clients: Clients) -> list[StackTypeDef]:
    """Every stack that is not deleted, with parameters and outputs."""
    pages = clients.cloudformation.get_paginator("describe_stacks").paginate()
    return [stack for page in pages for stack in page["Stacks"] if stack["StackStatus"] != "DELETE_COMPLETE"]


@aws_call("read the template of the stack {}")
def template(clients: Clients, name: str) -> str:
    """A stack's template as it was made by its transforms, as text."""
    body: t.Any = clients.cloudformation.get_template(StackName=name, TemplateStage="Processed")["TemplateBody"]
    return body if isinstance(body, str) else json.dumps(body)


@aws_call("create the stack {}")
def create_stack(
    clients: Clients, name: str, template: str, parameters: Mapping[str, str], tags: Mapping[str, str]
) -> str:
    """Starts a stack and returns its id.."""
    answer = clients.cloudformation.create_stack(
        StackName=name,
        TemplateBody=template,
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        Capabilities=CAPABILITIES,  # type: ignore[arg-type]
        ClientRequestToken=_token(),
    )
    return answer["StackId"]


@aws_call("update the stack {}")
def update_parameters(clients: Clients, name: str, changed: Mapping[str, str], kept: Iterable[str]) -> None:
    """Updates a stack's parameters and nothing else: the template and the parameters in `kept` stay as they are."""
    parameters: list[ParameterTypeDef] = [
        {"ParameterKey": key, "ParameterValue": value} for key, value in changed.items()
    ]
    parameters += [{"ParameterKey": key, "UsePreviousValue": True} for key in kept]
    clients.cloudformation.update_stack(
        StackName=name,
        UsePreviousTemplate=True,
        Parameters=parameters,
        Capabilities=CAPABILITIES,  # type: ignore[arg-type]
        # Rollback triggers go back one step, not to safety, and are kept from earlier updates unless given again.
        RollbackConfiguration={"RollbackTriggers": [], "MonitoringTimeInMinutes": 0},
        ClientRequestToken=_token(),
    )


def _token() -> str:
    """By it AWS knows botocore's retry of a call whose answer was lost, and does not refuse it as a second one.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_UpdateStack.html
    """
    return f"immutable-{uuid.uuid4()}"


@aws_call("delete the stack {}")
def delete_stack(clients: Clients, name: str) -> None:
    """Starts the deletion of a stack; one that isn't there is no error."""
    clients.cloudformation.delete_stack(StackName=name)


def cancel_update(clients: Clients, name: str) -> bool:
    """Has an update that is under way rolled back.

    Returns:
        False where there is none that can be cancelled, or none any more.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CancelUpdateStack.html
    """
    try:
        _cancel_update(clients, name)
    except AwsError as error:
        if error.code == "ValidationError" and "current stack status" in error.why:
            return False
        raise
    return True


@aws_call("cancel the update of the stack {}")
def _cancel_update(clients: Clients, name: str) -> None:
    clients.cloudformation.cancel_update_stack(StackName=name)


@aws_call("continue the rollback of the stack {}")
def continue_rollback(clients: Clients, name: str, skip: Sequence[str] = ()) -> None:
    """Has a rollback that is stuck (UPDATE_ROLLBACK_FAILED) tried again.

    Args:
        clients: the way to AWS.
        name: the stack.
        skip: logical ids of resources that are left as they are; AWS takes only those that the rollback failed on.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ContinueUpdateRollback.html
    """
    more: t.Any = {"ResourcesToSkip": list(skip)} if skip else {}
    clients.cloudformation.continue_update_rollback(StackName=name, **more)
