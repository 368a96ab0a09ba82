# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controllers of one env, each with clients and a ledger of its own, against a table in the lab."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients, connect
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.ledger import Ledger
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import Colour, Deployment, GuardOrder

LEASE = timedelta(seconds=60)
R2 = Deployment(
    id="20260501-120000-0a1b",
    release="r2",
    image="ami-2",
    identity="abc",
    colour=Colour.GREEN,
    previous=Colour.BLUE,
    previous_release="r1",
    started_at=datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC),
    by="ann@ci pid 1",
    strategy="canary",
    baseline=3,
)
R3 = replace(R2, id="20260501-130000-2c3d", release="r3", image="ami-3", previous_release="r2", by="bob@ci pid 2")
ORDER = GuardOrder(R2.id, {Colour.BLUE: 100, Colour.GREEN: 0}, ("prod-5xx",), armed=True)


class Table:
    """The ledger's table as anybody with a DynamoDB client sees it."""

    def __init__(self, url: str, name: str) -> None:
        self.url = url
        self.name = name
        self.dynamodb = self.clients().dynamodb

    def clients(self) -> Clients:
        return connect(
            {"region": "eu-west-1", "endpoint_url": self.url, "access_key": "lab", "secret_key": "lab-secret"}
        )

    def controller(self, name: str, lease: timedelta = LEASE) -> Ledger:
        """A controller's ledger."""
        return Ledger(self.clients(), self.name, name, lease)

    def item(self, pk: str, sk: str) -> dict[str, Any]:
        """An item as it is stored."""
        found = self.dynamodb.get_item(TableName=self.name, Key={"pk": {"S": pk}, "sk": {"S": sk}}, ConsistentRead=True)
        return dict(found.get("Item", {}))

    def everything(self) -> list[dict[str, Any]]:
        """All items, as they are stored."""
        return sorted(self.dynamodb.scan(TableName=self.name)["Items"], key=str)

    def put(self, **attributes: Any) -> None:
        """Writes an item by hand."""
        self.dynamodb.put_item(TableName=self.name, Item=attributes)

    def guard_fires(self, alarm: str) -> None:
        """What the guard writes."""
        self.dynamodb.update_item(
            TableName=self.name,
            Key={"pk": {"S": "env"}, "sk": {"S": "guard"}},
            UpdateExpression="SET armed = :off, fired_at = :now, fired_by = :alarm",
            ConditionExpression="armed = :on",
            ExpressionAttributeValues={
                ":off": {"BOOL": False},
                ":on": {"BOOL": True},
                ":now": {"S": clock.now().isoformat()},
                ":alarm": {"S": alarm},
            },
        )


class Time:
    """The machine's clocks, which pass only when someone sleeps, or the test says so."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._passed = 0.0
        self._start = datetime.now(UTC)
        self._lock = threading.Lock()
        patch.setattr(clock, "now", lambda: self._start + timedelta(seconds=self._passed))
        patch.setattr(clock, "boottime", lambda: 1000 + self._passed)
        patch.setattr(clock, "sleep", self.pass_by)

    def pass_by(self, seconds: float) -> None:
        with self._lock:
            self._passed += seconds
