# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rights of the builds' role, with the names that the stack has given to its resources."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.lab.permissions.asked import asked
from tests.lab.permissions.policies import Policy
from tests.lab.pipeline.team import Team
from tests.pipeline import pipeline_template


def needed(call: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """What IAM would be asked for a call of a build. A resource that the lab's record doesn't name is None: any."""
    for action, resource in asked(call):
        if resource and "parameter/aws/service/" in resource:
            yield action, resource.replace("123456789012", "")
        else:
            yield action, None if resource == "*" else resource


def build_policy(team: Team) -> Policy:
    """All that the role allows."""
    names = {
        "App": team.app,
        "AWS::Partition": "aws",
        "AWS::Region": "eu-west-1",
        "AWS::AccountId": "123456789012",
        "Topic": team.outputs["TopicArn"],
        "Bucket.Arn": f"arn:aws:s3:::{team.outputs['BucketName']}",
        "BuildLog.Arn": f"arn:aws:logs:eu-west-1:123456789012:log-group:/aws/codebuild/{team.app}-bake:*",
    }
    resources = pipeline_template()["Resources"]
    documents = [policy["PolicyDocument"] for policy in resources["BuildRole"]["Properties"]["Policies"]]
    documents.append(resources["BakeRights"]["Properties"]["PolicyDocument"])
    statements = [
        _resolved(statement, names)
        for document in documents
        for statement in document["Statement"]
        if "Fn::If" not in statement  # the connection's
    ]
    return Policy("build", json.dumps({"Version": "2012-10-17", "Statement": statements}))


def _resolved(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_resolved(each, names) for each in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Ref"}:
        return names[value["Ref"]]
    if set(value) == {"Fn::GetAtt"}:
        return names[".".join(value["Fn::GetAtt"])]
    if set(value) == {"Fn::Sub"}:
        return re.sub(r"\$\{([\w:.]+)\}", lambda found: names[found[1]], value["Fn::Sub"])
    return {key: _resolved(each, names) for key, each in value.items()}
