# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab recorded, as what IAM would have been asked.

Which action a call needs, and on which resources it can be allowed:
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

ACCOUNT, REGION = "123456789012", "eu-west-1"
PREFIXES = {"elbv2": "elasticloadbalancing"}
"""boto3's name of a service → IAM's, where they differ."""

ACTIONS = {
    "s3:HeadBucket": ("s3:ListBucket",),
    "s3:ListObjectsV2": ("s3:ListBucket",),
    "dynamodb:TransactWriteItems": (
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "dynamodb:DeleteItem",
        "dynamodb:ConditionCheckItem",
    ),
}
"""Operations that are not actions of the same name.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html"""

NEEDS_NONE = {"sts:GetCallerIdentity", "iam:ListAccountAliases"}
"""https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html; the account's alias is what
amazon.aws.aws_caller_info asks for and does without where it may not."""

_ARNS = {
    "cloudformation": "arn:aws:cloudformation:{region}:{account}:stack/{name}/*",
    "dynamodb": "arn:aws:dynamodb:{region}:{account}:table/{name}",
    "autoscaling": "arn:aws:autoscaling:{region}:{account}:autoScalingGroup:*:autoScalingGroupName/{name}",
    "ssm": "arn:aws:ssm:{region}:{account}:parameter{name}",
    "secretsmanager": "arn:aws:secretsmanager:{region}:{account}:secret:{name}-1a2B3c",
}
_OF_ALL = {"secretsmanager:BatchGetSecretValue"}
_EC2_ARNS = {
    "ec2:GetConsoleOutput": "arn:aws:ec2:{region}:{account}:instance/{name}",
    "ec2:TerminateInstances": "arn:aws:ec2:{region}:{account}:instance/{name}",
    "ec2:DeleteKeyPair": "arn:aws:ec2:{region}:{account}:key-pair/{name}",
    "ec2:DeleteSecurityGroup": "arn:aws:ec2:{region}:{account}:security-group/{name}",
    "ec2:EnableImageDeprecation": "arn:aws:ec2:{region}::image/{name}",
    "ec2:ModifyImageAttribute": "arn:aws:ec2:{region}::image/{name}",
}
"""Where a policy names what a call is about; it is allowed on everything else of EC2."""
_NAMELESS = {
    "autoscaling:CreateOrUpdateTags",
    "autoscaling:DeleteTags",
    "cloudformation:DeleteChangeSet",
    "cloudformation:DescribeChangeSet",
    "dynamodb:TransactWriteItems",
    "ssm:GetParametersByPath",
}
"""Name what they are about deeper in the request than the lab looks, or not at all."""


def asked(call: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Each action with its resource (None where the record doesn't say) that a call needs."""
    operation = f"{PREFIXES.get(call['service'], call['service'])}:{call['operation']}"
    if operation in NEEDS_NONE:
        return
    for action in ACTIONS.get(operation, (operation,)):
        yield action, None if operation in _NAMELESS else _resource(call["service"], operation, call["resource"])


def _resource(service: str, operation: str, named: str) -> str:
    if named.startswith("arn:"):
        return named
    if operation in _EC2_ARNS:
        return _EC2_ARNS[operation].format(region=REGION, account=ACCOUNT, name=named)
    if operation in _OF_ALL:
        return "*"
    if service in _ARNS and named and ":Describe" not in re.sub(":Describe(Stack|Secret)", "", operation):
        return _ARNS[service].format(region=REGION, account=ACCOUNT, name=named.rstrip("/"))
    return "*"
