# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DynamoDB, one function a call, with plain values: strings, integers, booleans, lists and dicts."""

from __future__ import annotations

import re
import time
import typing as t
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

try:
    from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
    from botocore.exceptions import ClientError
except ImportError:  # session.connect() says what to install
    pass

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError, aws_call

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients

Item: t.TypeAlias = "Mapping[str, t.Any]"


class ConditionFailed(AwsError):
    """A write was refused by its own condition; nothing was written.

    Args:
        failed: number of the write in its transaction (0 for a single one) → the item as it is, empty if there is none.
    """

    def __init__(self, doing: str, failed: Mapping[int, Item]) -> None:
        super().__init__(doing, "it was changed by someone else meanwhile", "ConditionalCheckFailedException")
        self.failed = failed


class Conflict(AwsError):
    """Another write to the same item was under way; nothing was written, and the same write may be sent again."""


@dataclass(frozen=True)
class Write:
    """One conditional write. In its expressions ``#name`` is an attribute and ``:name`` a value.

    Args:
        kind: Update, Put, Delete or ConditionCheck.
        key: the item's key; for a Put the whole item.
        condition: what must hold; empty where another write of the transaction says it.
        values: the values that the expressions name.
        update: an Update's expression.
    """

    kind: str
    key: Item
    condition: str = ""
    values: Mapping[str, t.Any] = field(default_factory=dict)
    update: str = ""

    def parameters(self, table: str) -> dict[str, t.Any]:
        """As the API takes it. Every name is passed apart, since many (``until``, ``token``) are reserved words.

        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html
        """
        names = {f"#{name}": name for name in re.findall(r"#(\w+)", f"{self.update} {self.condition}")}
        optional = {
            "ConditionExpression": self.condition,
            "UpdateExpression": self.update,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": _wire({f":{name}": value for name, value in self.values.items()}),
        }
        return {
            "TableName": table,
            "Item" if self.kind == "Put" else "Key": _wire(self.key),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            **{name: value for name, value in optional.items() if value},
        }


class Answer(t.NamedTuple):
    """What a query found.

    `skew` is by how many seconds this machine's clock is ahead of AWS's (negative: behind), as far as the answer's date
    proves it: 0 where it fits.
    """

    items: list[dict[str, t.Any]]
    skew: float


@aws_call("read the ledger {}")
def query(
    clients: Clients, table: str, partition: str, *, newest_first: bool = False, limit: int | None = None
) -> Answer:
    """The items with this ``pk``, ordered by ``sk``, as they are at this moment (a consistent read); at most 1 MB."""
    before = time.time()
    answer = clients.dynamodb.query(
        TableName=table,
        KeyConditionExpression="#pk = :pk",
        ExpressionAttributeNames={"#pk": "pk"},
        ExpressionAttributeValues=_wire({":pk": partition}),
        ConsistentRead=True,
        ScanIndexForward=not newest_first,
        **({"Limit": limit} if limit else {}),  # type: ignore[arg-type]
    )
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    return Answer([plain(item) for item in answer["Items"]], skew(date, before, time.time()))


def skew(date: str | None, before: float, after: float) -> float:
    """How far a clock that showed `before` and `after` around an answer is ahead of the one that dated it, at least.

    Args:
        date: the answer's Date header, cut to whole seconds.
    """
    if not date:
        return 0.0
    dated = parsedate_to_datetime(date).timestamp()
    return max(0.0, before - (dated + 1)) or min(0.0, after - dated)


@aws_call("write to the ledger {}")
def update(clients: Clients, table: str, write: Write) -> dict[str, t.Any]:
    """Makes one Update and returns the whole item as it is then.

    Raises:
        ConditionFailed, Conflict: nothing was written.
    """
    try:
        return plain(clients.dynamodb.update_item(**write.parameters(table), ReturnValues="ALL_NEW")["Attributes"])
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "ConditionalCheckFailedException":
            seen = plain(error.response.get("Item", {}))  # type: ignore[arg-type]
            raise ConditionFailed(f"write to the ledger {table}", {0: seen}) from error
        if code == "TransactionConflictException":
            raise Conflict(f"write to the ledger {table}", "another write was under way") from error
        raise


@aws_call("write to the ledger {}")
def transact(clients: Clients, table: str, *writes: Write) -> None:
    """Makes all of the writes or none. Botocore gives each call a token, so that a retry never writes twice.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html

    Raises:
        ConditionFailed, Conflict: nothing was written.
    """
    try:
        clients.dynamodb.transact_write_items(
            TransactItems=[{write.kind: write.parameters(table)} for write in writes]  # type: ignore[misc]
        )
    except ClientError as error:
        reasons: list[dict[str, t.Any]] = error.response.get("CancellationReasons", [])  # type: ignore[assignment]
        codes = [reason.get("Code") for reason in reasons]
        failed = {
            number: plain(reason.get("Item") or {})
            for number, reason in enumerate(reasons)
            if reason.get("Code") == "ConditionalCheckFailed"
        }
        if failed:
            raise ConditionFailed(f"write to the ledger {table}", failed) from error
        if "TransactionConflict" in codes:
            raise Conflict(f"write to the ledger {table}", "another write was under way") from error
        raise


def plain(item: Item) -> dict[str, t.Any]:
    """An item of the API as plain values; numbers are `decimal.Decimal`."""
    read = TypeDeserializer().deserialize
    return {name: read(value) for name, value in item.items()}


def _wire(values: Item) -> dict[str, t.Any]:
    write = TypeSerializer().serialize
    return {name: write(value) for name, value in values.items()}
