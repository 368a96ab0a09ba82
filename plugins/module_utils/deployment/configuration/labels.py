# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels on the versions of secrets that a colour reads: Secrets Manager removes versions that have none."""

from __future__ import annotations

import collections
import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws.config_stores import move_stage, stages
from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull import manifest

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients

SECRET: t.Final = "secrets_manager"
GONE: t.Final = ("ResourceNotFoundException", "InvalidRequestException")
"""The secret, or what was on its way out: nothing has a label there."""


def put(clients: Clients, stack: str, secrets: Iterable[tuple[str, str]]) -> None:
    """Labels the versions that a colour is to read. A label is on one version of a secret: it is moved.

    Args:
        stack: the name of the colour's stack, which is the label.
        secrets: name and version of each.

    Raises:
        AwsError: a call failed.
    """
    for secret, version, label in _labelled(stack, secrets):
        there = stages(clients, secret).get(label)
        if there != version:
            move_stage(clients, secret, label, version, there)


def take_away(clients: Clients, stack: str, value: str) -> None:
    """Removes a colour's labels.

    Args:
        stack: the name of the colour's stack.
        value: its manifest; one that can't be read names nothing.

    Raises:
        AwsError: a call failed.
    """
    for secret, _version, label in _labelled(stack, _secrets(value)):
        try:
            if there := stages(clients, secret).get(label):
                move_stage(clients, secret, label, None, there)
        except AwsError as error:
            if error.code not in GONE:
                raise


def _labelled(stack: str, secrets: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    """Secret, version, label; a second version of the same secret has a label of its own."""
    seen: collections.Counter[str] = collections.Counter()
    for secret, version in secrets:
        seen[secret] += 1
        yield secret, version, stack if seen[secret] == 1 else f"{stack}-{seen[secret]}"


def _secrets(value: str) -> Iterator[tuple[str, str]]:
    """Name and version of each secret in a manifest."""
    try:
        pins = manifest.read(value)
    except ValueError:
        return
    for address, pin in pins.items():
        kind, name = address.split(" ")[:2]
        if kind == SECRET and "version" in pin:
            yield name, pin["version"]
