# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nested stacks: from the events of the stack above to the resource that failed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.contract.faulty import arm, ask
from tests.lab.contract.support import Api, wait_for


@pytest.fixture(scope="module")
def template(api: Api) -> str:
    """Where the nested stack's template lies; it makes one note."""
    note = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Ref": "Text"}}}
    inner = {"Parameters": {"Text": {"Type": "String"}}, "Resources": {"Note": note}}
    storage = api.client("s3")
    storage.create_bucket(Bucket="nested", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    storage.put_object(Bucket="nested", Key="inner.json", Body=json.dumps(inner).encode())
    return f"{api.url}/nested/inner.json"


@pytest.fixture(autouse=True)
def no_faults_left(api: Api) -> Iterator[None]:
    yield
    ask(api, "DELETE", "/_lab/faults")


def outer(template: str, text: str) -> str:
    properties = {"TemplateURL": template, "Parameters": {"Text": text}}
    return json.dumps({"Resources": {"Inner": {"Type": "AWS::CloudFormation::Stack", "Properties": properties}}})


def events(api: Api, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.stacks.describe_stack_events(StackName=name)["StackEvents"]
    return found[::-1]


def cause(api: Api, name: str) -> tuple[str, str]:
    """The first failed resource and its reason, followed down into nested stacks."""
    first = next(
        each for each in events(api, name)
        if each["ResourceStatus"].endswith("_FAILED") and each["PhysicalResourceId"] != each["StackId"]
    )  # fmt: skip
    if first["ResourceType"] == "AWS::CloudFormation::Stack":
        return cause(api, first["PhysicalResourceId"])
    return first["LogicalResourceId"], first["ResourceStatusReason"]


def test_the_cause_of_a_failed_creation_is_found_below(api: Api, template: str) -> None:
    arm(api, "fail_resource", {"resource": "Note", "action": "create"}, error="no room for notes")
    api.stacks.create_stack(StackName="nested-create", TemplateBody=outer(template, "one"))
    assert api.settled("nested-create")["StackStatus"] == "ROLLBACK_COMPLETE"
    assert cause(api, "nested-create") == ("Note", "no room for notes")
    (above,) = [each for each in events(api, "nested-create") if each["ResourceStatus"] == "CREATE_FAILED"]
    assert above["ResourceStatusReason"].startswith(
        f"Embedded stack {above['PhysicalResourceId']} was not successfully"
    )


def test_the_cause_of_a_failed_update_is_found_below(api: Api, template: str) -> None:
    api.stacks.create_stack(StackName="nested-update", TemplateBody=outer(template, "one"))
    api.settled("nested-update")
    arm(api, "fail_resource", {"resource": "Note", "action": "update"}, error="no room for notes")
    api.stacks.update_stack(StackName="nested-update", TemplateBody=outer(template, "two"))
    assert api.settled("nested-update")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert cause(api, "nested-update") == ("Note", "no room for notes")
    values = [each["Value"] for each in notes(api, "nested-update")]
    assert values == ["one"]


def notes(api: Api, name: str) -> list[dict[str, Any]]:
    (inner,) = api.stacks.describe_stack_resources(StackName=name)["StackResources"]
    (note,) = api.stacks.describe_stack_resources(StackName=inner["PhysicalResourceId"])["StackResources"]
    found: list[dict[str, Any]] = api.client("ssm").get_parameters(Names=[note["PhysicalResourceId"]])["Parameters"]
    return found


def test_a_nested_stack_can_be_watched_while_it_is_made(api: Api, template: str) -> None:
    held = arm(api, "slow_resource", {"resource": "Note", "action": "create"})
    api.stacks.create_stack(StackName="nested-watch", TemplateBody=outer(template, "one"))
    held.seen(wait=10)
    inner = wait_for(
        lambda: [
            each["PhysicalResourceId"]
            for each in events(api, "nested-watch")
            if each["LogicalResourceId"] == "Inner" and each["PhysicalResourceId"]
        ],
        "the nested stack's id",
    )[0]
    assert [(each["LogicalResourceId"], each["ResourceStatus"]) for each in events(api, inner)][-1] == (
        "Note",
        "CREATE_IN_PROGRESS",
    )
    held.release()
    assert api.settled("nested-watch")["StackStatus"] == "CREATE_COMPLETE"
