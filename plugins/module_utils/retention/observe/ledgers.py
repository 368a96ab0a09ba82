# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images that the environments of this collection count on: of deployments under way, and of earlier ones."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws import dynamodb
from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger import items
from ansible_collections.immutable.ec2.plugins.module_utils.retention.model import Reference
from ansible_collections.immutable.ec2.plugins.module_utils.retention.words import Rule

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mypy_boto3_cloudformation.type_defs import StackTypeDef

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients

LEDGER: t.Final = "LedgerTableName"
"""The output of an edge's stack that names its ledger."""
LOOK_BACK: t.Final = 200
"""Deployments among which earlier releases are looked for."""


def references(clients: Clients, stacks: Iterable[StackTypeDef], previous: int) -> Iterator[Reference]:
    """The images of each env: the one being deployed, the last one deployed, and so many releases before it.

    Args:
        clients: the region's clients.
        stacks: all stacks of the region, the edges among them.
        previous: how many earlier releases of each env.

    Raises:
        AwsError: a ledger can't be read, or not understood.
    """
    for stack in stacks:
        table = next((out["OutputValue"] for out in stack.get("Outputs", []) if out["OutputKey"] == LEDGER), "")
        if table:
            try:
                yield from _of_env(clients, stack["StackName"].removesuffix("-edge"), table, previous)
            except Refused as error:
                raise AwsError(f"read the ledger {table}", str(error)) from error


def _of_env(clients: Clients, env: str, table: str, previous: int) -> Iterator[Reference]:
    seen = items.ledger_seen(dynamodb.query(clients, table, items.ENV).items, table)
    if seen.deployment and seen.deployment.image:
        yield Reference(seen.deployment.image, f"deployment {seen.deployment.id} of {env}, which is under way")
    answer = dynamodb.query(clients, table, items.HISTORY, newest_first=True, limit=LOOK_BACK)
    releases: dict[str, str] = {}
    for item in answer.items:
        record = items.record(item, table)
        if record.result == "deployed" and record.image and record.image not in releases:
            releases[record.image] = f"release {record.release} of {env}, deployed {record.ended_at:%Y-%m-%d}"
    for place, (image_id, what) in enumerate(list(releases.items())[: previous + 1]):
        rule = Rule.PREVIOUS if place else Rule.IN_USE
        yield Reference(image_id, f"{what}, one of the {previous} before the last" if place else what, rule)
