# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy beside prune.yml allows what retention does, and nothing that it doesn't."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from lab.api.ec2 import image_life
from tests.lab.permissions.policies import MOST_CHARACTERS, Policy
from tests.lab.retention.account import Account
from tests.lab.retention.conftest import Prune
from tests.lab.retention.emulator import Call, Front

FILE = Path(__file__).parents[3] / "playbooks" / "files" / "retention_permissions.json"
ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/retention"
STAGES = {"deprecate_after": "30d", "disable_after": "60d", "deregister_after": "90d"}
KEEP = {"newest": 1, "protected": False, "shared": False}
ELSEWHERE = {"LookForUse", "ReadLedgers"}
"""The statements that the roles of other accounts need."""


@pytest.fixture
def calls(account: Account, front: Front, prune: Prune) -> list[Call]:
    """The calls of retention when all that it can do is done once."""
    made: list[Call] = []

    def totals(**arguments: Any) -> dict[str, int]:
        front.recover()
        report = prune(**arguments)
        made.extend(front.log)
        found: dict[str, int] = report["totals"]
        return found

    deprecated, disabled, removed, spare, newest = account.images(5)
    account.aged(spare, 0)
    account.env([newest])
    account.template(f"resolve:ssm:{account.parameter('/shop/image', newest)}")
    account.aged(newest, 0)
    account.aged(deprecated, 100)
    account.deprecated(account.aged(disabled, 100), 50)
    account.disabled(account.aged(removed, 100), 50)
    account.ec2.enable_image_deregistration_protection(ImageId=removed)
    shared: Any = {"Add": [{"UserId": ACCOUNT}]}
    account.ec2.modify_image_attribute(ImageId=disabled, LaunchPermission=shared)
    rules: dict[str, Any] = {"keep": KEEP, "references": {"accounts": [ROLE], "ssm_parameters": ["/shop/*"]}}
    after_stages = totals(stages=STAGES, **rules)
    assert [after_stages[step] for step in ("deprecated", "disabled", "removed")] == [1, 1, 1]
    assert totals(state="restored", images={"names": ["shop-*"]})["restored"] == 2
    image_life.RETAINS.add("eu-west-1")
    (disk,) = account.facts(deprecated)["BlockDeviceMappings"]
    assert totals(**rules)["removed"] == 2
    account.ec2.delete_snapshot(SnapshotId=disk["Ebs"]["SnapshotId"])
    assert totals(state="restored", images={"names": ["shop-*"]})["restored"] == 2
    return made


def resource(call: Call) -> str:
    """What a call is about, as a policy names it."""
    if call.action == "Query":
        return f"arn:aws:dynamodb:{call.region}:{ACCOUNT}:table/{call.parameters['TableName']}"
    names = [call.parameters.get(name) for name in ("ImageId", "SnapshotId", "ResourceId.1")]
    named = next(filter(None, names), None)
    if call.action.startswith("Describe") or not named:
        return "*"
    return f"arn:aws:ec2:{call.region}::{'image' if named.startswith('ami-') else 'snapshot'}/{named}"


def test_the_policy_allows_all_that_is_called_and_nothing_else(calls: list[Call]) -> None:
    """The roles of other accounts need its first two statements."""
    policy = Policy.of(FILE, account=ACCOUNT, app="shop")
    own = {(f"{call.service}:{call.action}", resource(call)) for call in calls if not call.assumed}
    assert [each for each in sorted(own) if not policy.allows(*each)] == [("sts:AssumeRole", "*")]
    # Assets are not this module's: tests/lab/assets has their removal.
    called = {action for action, _resource in own}
    assert {action for action in policy.actions - called if not action.startswith("s3:")} == set()
    statements = [one for one in policy.statements if one.sid in ELSEWHERE]
    theirs = {(f"{call.service}:{call.action}", resource(call)) for call in calls if call.assumed}
    assert theirs and len(statements) == len(ELSEWHERE)
    assert [each for each in sorted(theirs) if not any(one.allows(*each) for one in statements)] == []


def test_it_fits_into_iam_and_names_no_account() -> None:
    text = FILE.read_text(encoding="utf-8")
    assert len("".join(text.split())) < MOST_CHARACTERS and not re.search(r"\d{12}", text)
    assert set(re.findall(r"<(\w+)>", text)) == {"account", "app"}
