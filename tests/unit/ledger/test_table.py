# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the table does about answers that the lab can't give: conflicts of transactions, and refusals by IAM."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.stub import Stubber

from ansible_collections.immutable.ec2.plugins.module_utils.aws.dynamodb import Conflict, Write
from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.aws.fence import Fence
from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients, connect
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.table import PAUSES, Table

WRITE = Write("Update", {"pk": "env", "sk": "lock"}, "#fence = :fence", {"fence": 1}, "REMOVE #holder")


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Clients:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    return connect({"region": "eu-west-1", "access_key": "any", "secret_key": "any-other"})


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    pauses: list[float] = []
    monkeypatch.setattr(clock, "sleep", pauses.append)
    return pauses


def refuse(stub: Stubber, operation: str, code: str, **more: Any) -> None:
    stub.add_client_error(operation, code, "No.", modeled_fields=more)


def test_a_write_that_met_a_transaction_is_sent_again(clients: Clients, slept: list[float]) -> None:
    with Stubber(clients.dynamodb) as stub:
        refuse(stub, "update_item", "TransactionConflictException")
        stub.add_response("update_item", {"Attributes": {"fence": {"N": "1"}}})
        assert Table(clients, "ledger", Fence(lambda: None)).update(WRITE) == {"fence": 1}
        stub.assert_no_pending_responses()
    assert slept == list(PAUSES[:1])


def test_a_transaction_that_met_a_write_is_sent_again(clients: Clients, slept: list[float]) -> None:
    with Stubber(clients.dynamodb) as stub:
        reasons = [{"Code": "None"}, {"Code": "TransactionConflict", "Message": "No."}]
        refuse(stub, "transact_write_items", "TransactionCanceledException", CancellationReasons=reasons)
        stub.add_response("transact_write_items", {})
        Table(clients, "ledger", Fence(lambda: None)).transact(WRITE)
        stub.assert_no_pending_responses()
    assert slept == list(PAUSES[:1])


def test_conflicts_without_end_are_said(clients: Clients, slept: list[float]) -> None:
    with Stubber(clients.dynamodb) as stub:
        for _each in range(len(PAUSES) + 1):
            refuse(stub, "update_item", "TransactionConflictException")
        with pytest.raises(Conflict, match="write to the ledger ledger: another write was under way"):
            Table(clients, "ledger", Fence(lambda: None)).update(WRITE)
    assert slept == list(PAUSES)


def test_a_missing_permission_is_named(clients: Clients) -> None:
    with Stubber(clients.dynamodb) as stub:
        refuse(stub, "query", "AccessDeniedException")
        with pytest.raises(AwsError, match=r"AccessDeniedException: No\. \(allow dynamodb:Query, UpdateItem"):
            Table(clients, "ledger", Fence(lambda: None)).query("env")
