# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Retention's policy allows what the removal of assets calls, and nothing else of S3."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.assets.keep import keep, remove
from ansible_collections.immutable.ec2.plugins.module_utils.assets.naming import conventional_bucket
from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients, connect
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock
from tests.lab.assets.conftest import Pack
from tests.lab.contract.faulty import Client
from tests.lab.contract.support import Api
from tests.lab.permissions.asked import ACCOUNT, REGION
from tests.lab.permissions.policies import Policy
from tests.lab.retention.test_permissions import FILE

NEEDED = {"ListObjectsV2": "s3:ListBucket", "GetObject": "s3:GetObject", "DeleteObjects": "s3:DeleteObject"}
"""Operation → the action that IAM knows it by.
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html"""


def test_the_policy_of_retention_allows_what_removing_assets_calls_and_nothing_else(
    api: Api, clients: Clients, pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = conventional_bucket("shop", ACCOUNT, REGION)
    clients.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    keep(clients, bucket, "r1", pack(**{"x-12345678__css": "a"}))
    later = clock.now() + timedelta(hours=25)
    monkeypatch.setattr(clock, "now", lambda: later)
    pruner = connect({"region": REGION, "endpoint_url": api.url, "access_key": "pruner", "secret_key": "lab"})
    assert remove(pruner, bucket, ["r1"]).assets
    calls = [(NEEDED[call["operation"]], call["resource"]) for call in Client(api, "pruner").calls()]
    policy = Policy.of(FILE, account=ACCOUNT, app="shop")
    assert [each for each in calls if not policy.allows(*each)] == []
    assert {action for action, _resource in calls} == {one for one in policy.actions if one.startswith("s3:")}
    other = conventional_bucket("blog", ACCOUNT, REGION)
    assert not any(policy.allows(action, resource.replace(bucket, other)) for action, resource in calls)
