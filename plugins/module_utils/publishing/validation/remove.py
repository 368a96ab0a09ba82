# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a validation made goes again: what is gone already is as good."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws import servers
from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.model import Leftover

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients

TERMINATION_SECONDS: t.Final = 600.0
PAUSE_SECONDS: t.Final = 1.0
STILL_USED: t.Final = frozenset({"DependencyViolation", "InvalidGroup.InUse"})


def remove(clients: Clients, leftover: Leftover) -> None:
    """Removes a server, key pair or security group; returns when it is gone.

    Raises:
        AwsError: AWS refuses, or a server doesn't end.
    """
    match leftover.kind:
        case "instance":
            _instance(clients, leftover.id)
        case "key pair":
            _unless_gone(lambda: servers.delete_key(clients, leftover.id))
        case "security group":
            _group(clients, leftover.id)


def _instance(clients: Clients, instance_id: str) -> None:
    _unless_gone(lambda: servers.terminate_instance(clients, instance_id))
    deadline = clock.monotonic() + TERMINATION_SECONDS
    while _state(clients, instance_id) != "terminated":
        if clock.monotonic() > deadline:
            raise AwsError(f"terminate {instance_id}", f"it was not gone after {TERMINATION_SECONDS:.0f} s")
        clock.sleep(PAUSE_SECONDS)


def _state(clients: Clients, instance_id: str) -> str:
    try:
        return servers.describe_instance(clients, instance_id)["State"]["Name"]
    except AwsError as error:
        if servers.is_gone(error):
            return "terminated"
        raise


def _group(clients: Clients, group: str) -> None:
    """A server's network interface goes a little later than the server itself."""
    deadline = clock.monotonic() + TERMINATION_SECONDS
    while True:
        try:
            _unless_gone(lambda: servers.delete_group(clients, group))
            return
        except AwsError as error:
            if error.code not in STILL_USED or clock.monotonic() > deadline:
                raise
        clock.sleep(PAUSE_SECONDS)


def _unless_gone(call: Callable[[], None]) -> None:
    try:
        call()
    except AwsError as error:
        if not servers.is_gone(error):
            raise
