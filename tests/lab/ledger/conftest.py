# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One lab API without servers for all cases of the ledger; each has a table of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests import octets
from tests.lab.contract import support as lab
from tests.lab.ledger.support import Table, Time

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def ledger_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The API's address."""
    with lab.running(tmp_path_factory.mktemp("ledger-api"), octets.LEDGER) as api:
        yield api.url


@pytest.fixture
def table(ledger_url: str) -> Table:
    made = Table(ledger_url, f"shop-prod{next(_numbers)}-ledger")
    made.dynamodb.create_table(
        TableName=made.name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    return made


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    return Time(monkeypatch)
