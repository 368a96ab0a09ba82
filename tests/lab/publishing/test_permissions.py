# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy for those who bake and publish allows what is done, and nothing that isn't needed."""

from __future__ import annotations

import re

import pytest

from tests.lab.contract.faulty import Client
from tests.lab.permissions.asked import ACCOUNT, REGION, asked
from tests.lab.permissions.conftest import Asked
from tests.lab.permissions.policies import MOST_CHARACTERS, Policy
from tests.lab.publishing.conftest import Account

APP, KEY = "rights", "baker"
PACKER = (
    "ec2:AuthorizeSecurityGroupIngress ec2:CreateImage ec2:CreateKeyPair ec2:CreateSecurityGroup ec2:CreateSnapshot"
    " ec2:CreateTags ec2:DeleteKeyPair ec2:DeleteSecurityGroup ec2:DescribeImages ec2:DescribeInstanceStatus"
    " ec2:DescribeInstances ec2:DescribeRegions ec2:DescribeSecurityGroups ec2:DescribeSnapshots ec2:DescribeSubnets"
    " ec2:DescribeVolumes ec2:DescribeVpcs ec2:ImportKeyPair ec2:RegisterImage ec2:RunInstances ec2:StopInstances"
    " ec2:TerminateInstances"
)
"""https://developer.hashicorp.com/packer/integrations/hashicorp/amazon#iam-task-or-instance-role"""
RARE = {
    "ec2:GetConsoleOutput": "a server that took no login",
    "ec2:DeregisterImage": "a copy that failed",
    "iam:PassRole": "the launch of a server with the profile of the env validation",
    "s3:GetObject": "the SBOM of the release before, which is not at hand",
    "s3:ListBucket": "whether there is a bucket (HeadBucket)",
    "s3:PutObject": "the SBOM",
    "sns:Publish": "the events of a bake",
    "ssm:DeleteParameter": "a withdrawal without an earlier release",
}
"""Calls for which nothing in this test gives cause, and actions that are no call."""


@pytest.fixture(scope="module")
def done(account: Account) -> Asked:
    """What IAM would have been asked when two releases were published, and one withdrawn."""
    for release in ("r1", "r2"):
        account.bake(APP, release)
        assert account.start(APP, release, KEY, accounts=["210987654321"]).end()["result"] == "published"
    assert account.start(APP, "r2", KEY, state="withdrawn").end()["result"] == "withdrawn"
    return {each for call in Client(account.api, KEY).calls() for each in asked(call)}


@pytest.fixture(scope="module")
def policy() -> Policy:
    return Policy.read("bake", account=ACCOUNT, region=REGION, app=APP)


def test_every_recorded_call_is_allowed(done: Asked, policy: Policy) -> None:
    assert [one for one in sorted(done, key=str) if not policy.allows(*one)] == []


def test_what_packer_needs_is_allowed(policy: Policy) -> None:
    assert {action for action in PACKER.split() if not policy.allows(action, None)} == set()


def test_nothing_is_allowed_that_is_not_needed(done: Asked, policy: Policy) -> None:
    assert policy.actions - {action for action, _resource in done} - set(PACKER.split()) - set(RARE) == set()


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("ssm:PutParameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/immutable/blog/channels/main"),
        ("ssm:GetParameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/{APP}/prod/DATABASE_URL"),
        ("ssm:GetParametersByPath", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/{APP}/prod"),
        ("s3:PutObject", f"arn:aws:s3:::blog-artifacts-{ACCOUNT}-{REGION}/sbom/r1"),
        ("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/{APP}-prod-blue"),
    ],
)
def test_another_apps_and_another_environments_things_are_out_of_reach(
    policy: Policy, action: str, resource: str
) -> None:
    assert not policy.allows(action, resource)


def test_it_fits_into_iam_and_names_no_account() -> None:
    text = Policy.read("bake").text
    assert len("".join(text.split())) < MOST_CHARACTERS
    assert not re.search(r"\d{12}", text)
    assert set(re.findall(r"<(\w+)>", text)) <= {"account", "region", "app"}
