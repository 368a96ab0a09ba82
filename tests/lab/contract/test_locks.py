# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DynamoDB as a lock needs it: conditions hold, also when many ask at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.lab.contract.support import Api

KEY = {"pk": {"S": "env"}, "sk": {"S": "lock"}}


@pytest.fixture
def table(api: Api, request: pytest.FixtureRequest) -> str:
    """A table of the case's own, with the ledger's keys; its name."""
    name = str(request.node.name).replace("[", "-").replace("]", "")
    api.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


def item(api: Api, table: str) -> dict[str, Any]:
    """The lock as it is."""
    found: dict[str, Any] = api.client("dynamodb").get_item(TableName=table, Key=KEY, ConsistentRead=True)["Item"]
    return found


def take(dynamodb: Any, table: str, holder: str, now: int) -> None:
    """Take the lock unless someone has it after ``now``: the way of a lease with a fence."""
    dynamodb.update_item(
        TableName=table,
        Key=KEY,
        UpdateExpression="SET holder = :holder, #until = :until, fence = if_not_exists(fence, :zero) + :one",
        ConditionExpression="attribute_not_exists(holder) OR #until < :now",
        ExpressionAttributeNames={"#until": "until"},
        ExpressionAttributeValues={
            ":holder": {"S": holder},
            ":until": {"N": str(now + 60)},
            ":now": {"N": str(now)},
            ":zero": {"N": "0"},
            ":one": {"N": "1"},
        },
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
    )


def refused(call: Callable[[], object]) -> dict[str, Any]:
    """The answer of a call whose condition fails."""
    with pytest.raises(ClientError) as refusal:
        call()
    answer: dict[str, Any] = dict(refusal.value.response)
    assert answer["Error"]["Code"] == "ConditionalCheckFailedException"
    return answer


def test_put_only_where_nothing_is(api: Api, table: str) -> None:
    dynamodb = api.client("dynamodb")
    put = {
        "TableName": table,
        "Item": {**KEY, "armed": {"BOOL": True}},
        "ConditionExpression": "attribute_not_exists(pk)",
    }
    dynamodb.put_item(**put)
    refused(lambda: dynamodb.put_item(**put))


def test_a_taken_lock_is_refused_with_who_has_it(api: Api, table: str) -> None:
    dynamodb = api.client("dynamodb")
    take(dynamodb, table, "first", now=1000)
    answer = refused(lambda: take(dynamodb, table, "second", now=1059))
    assert answer["Item"] == {**KEY, "holder": {"S": "first"}, "until": {"N": "1060"}, "fence": {"N": "1"}}


def test_an_expired_lock_is_taken_over_and_the_fence_rises(api: Api, table: str) -> None:
    dynamodb = api.client("dynamodb")
    take(dynamodb, table, "first", now=1000)
    take(dynamodb, table, "second", now=1061)
    assert (item(api, table)["holder"], item(api, table)["fence"]) == ({"S": "second"}, {"N": "2"})


def test_numbers_are_compared_as_numbers(api: Api, table: str) -> None:
    dynamodb = api.client("dynamodb")
    take(dynamodb, table, "first", now=940)
    take(dynamodb, table, "second", now=10_000)  # as text, 1000 would not be below 10000
    assert item(api, table)["holder"] == {"S": "second"}


def test_condition_on_a_field_of_a_map(api: Api, table: str) -> None:
    dynamodb = api.client("dynamodb")
    dynamodb.put_item(TableName=table, Item={**KEY, "deployment": {"M": {"id": {"S": "one"}, "step": {"N": "1"}}}})

    def abort(deployment: str) -> None:
        dynamodb.update_item(
            TableName=table,
            Key=KEY,
            UpdateExpression="SET deployment.aborted_by = :who",
            ConditionExpression="deployment.id = :id",
            ExpressionAttributeValues={":id": {"S": deployment}, ":who": {"S": "ann"}},
        )

    refused(lambda: abort("two"))
    abort("one")
    assert item(api, table)["deployment"]["M"] == {"id": {"S": "one"}, "step": {"N": "1"}, "aborted_by": {"S": "ann"}}


def test_removing_attributes_keeps_the_fence(api: Api, table: str) -> None:
    dynamodb = api.client("dynamodb")
    take(dynamodb, table, "first", now=1000)
    dynamodb.update_item(
        TableName=table,
        Key=KEY,
        UpdateExpression="REMOVE holder, #until",
        ConditionExpression="holder = :holder AND fence = :fence",
        ExpressionAttributeNames={"#until": "until"},
        ExpressionAttributeValues={":holder": {"S": "first"}, ":fence": {"N": "1"}},
    )
    assert item(api, table) == {**KEY, "fence": {"N": "1"}}


def test_condition_of_a_delete(api: Api, table: str) -> None:
    dynamodb = api.client("dynamodb")
    take(dynamodb, table, "first", now=1000)

    def delete(holder: str) -> None:
        dynamodb.delete_item(
            TableName=table,
            Key=KEY,
            ConditionExpression="holder = :holder",
            ExpressionAttributeValues={":holder": {"S": holder}},
        )

    refused(lambda: delete("second"))
    delete("first")
    assert "Item" not in dynamodb.get_item(TableName=table, Key=KEY)


def test_condition_on_what_is_not_there_fails(api: Api, table: str) -> None:
    refused(
        lambda: api.client("dynamodb").update_item(
            TableName=table,
            Key=KEY,
            UpdateExpression="SET armed = :no",
            ConditionExpression="armed = :yes",
            ExpressionAttributeValues={":no": {"BOOL": False}, ":yes": {"BOOL": True}},
        )
    )


def test_one_query_reads_all_of_an_env(api: Api, table: str) -> None:
    dynamodb = api.client("dynamodb")
    for pk, sk in (("env", "lock"), ("env", "guard"), ("history", "1"), ("history", "2"), ("history", "3")):
        dynamodb.put_item(TableName=table, Item={"pk": {"S": pk}, "sk": {"S": sk}})

    def query(pk: str, **more: Any) -> list[str]:
        found = dynamodb.query(
            TableName=table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": pk}},
            ConsistentRead=True,
            **more,
        )
        return [each["sk"]["S"] for each in found["Items"]]

    assert query("env") == ["guard", "lock"]
    assert query("history", ScanIndexForward=False, Limit=2) == ["3", "2"]


def test_a_transaction_writes_all_or_nothing_and_says_why(api: Api, table: str) -> None:
    dynamodb = api.client("dynamodb")
    take(dynamodb, table, "first", now=1000)

    def end(holder: str) -> None:
        release = {
            "TableName": table,
            "Key": KEY,
            "UpdateExpression": "REMOVE holder",
            "ConditionExpression": "holder = :holder",
            "ExpressionAttributeValues": {":holder": {"S": holder}},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        record = {"TableName": table, "Item": {"pk": {"S": "history"}, "sk": {"S": holder}}}
        dynamodb.transact_write_items(TransactItems=[{"Put": record}, {"Update": release}])

    with pytest.raises(dynamodb.exceptions.TransactionCanceledException) as refusal:
        end("second")
    reasons = refusal.value.response["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == ["None", "ConditionalCheckFailed"]
    assert reasons[1]["Item"]["holder"] == {"S": "first"}
    assert "Item" not in dynamodb.get_item(TableName=table, Key={"pk": {"S": "history"}, "sk": {"S": "second"}})
    end("first")
    assert "Item" in dynamodb.get_item(TableName=table, Key={"pk": {"S": "history"}, "sk": {"S": "first"}})


def test_of_twenty_at_once_one_takes_the_lock(api: Api, table: str) -> None:
    clients = [api.client("dynamodb") for _ in range(20)]

    def wins(number: int) -> bool:
        try:
            take(clients[number], table, f"number {number}", now=1000)
        except ClientError:
            return False
        return True

    with ThreadPoolExecutor(20) as pool:
        outcome = list(pool.map(wins, range(20)))
    assert outcome.count(True) == 1
    assert item(api, table)["holder"] == {"S": f"number {outcome.index(True)}"}


def test_twenty_at_once_count_to_a_hundred(api: Api, table: str) -> None:
    clients = [api.client("dynamodb") for _ in range(20)]

    def count(number: int) -> None:
        for _ in range(5):
            clients[number].update_item(
                TableName=table,
                Key=KEY,
                UpdateExpression="ADD fence :one",
                ExpressionAttributeValues={":one": {"N": "1"}},
            )

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(count, range(20)))
    assert item(api, table)["fence"] == {"N": "100"}
