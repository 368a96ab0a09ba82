# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rights of the builds' role, with the names that the stack has given to its resources."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.lab.permissions.policies import Policy
from tests.lab.pipeline.team import Team
from tests.pipeline import pipeline_template

#: What a build in the lab gives no cause for, and why it is there.
NOT_SEEN = {
    "logs:CreateLogStream": "CodeBuild itself",
    "logs:PutLogEvents": "CodeBuild itself",
    "s3:GetBucketAcl": "CodeBuild itself, for artifacts and cache",
    "s3:GetBucketLocation": "CodeBuild itself, for artifacts and cache",
    "kms:Decrypt": "SNS asks KMS on behalf of who publishes",
    "kms:GenerateDataKey": "SNS asks KMS on behalf of who publishes",
}


def build_policy(team: Team) -> Policy:
    """All that the role allows."""
    names = {
        "App": team.app,
        "AWS::Partition": "aws",
        "AWS::Region": "eu-west-1",
        "AWS::AccountId": "123456789012",
        "Topic": team.outputs["TopicArn"],
        "TopicKey.Arn": team.outputs["TopicKeyArn"],
        "Bucket.Arn": f"arn:aws:s3:::{team.outputs['BucketName']}",
        "BuildLog.Arn": f"arn:aws:logs:eu-west-1:123456789012:log-group:/aws/codebuild/{team.app}-bake:*",
    }
    statements = [
        _resolved(statement, names)
        for policy in pipeline_template()["Resources"]["BuildRole"]["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
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
