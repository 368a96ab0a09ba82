# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameter Store, one function a call."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import aws_call

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients

A_CALL: t.Final = 10
"""Parameters that AWS gives in one answer, by name and by path."""


@aws_call("read the SSM parameters below {}")
def parameters_below(clients: Clients, path: str) -> dict[str, str]:
    """Name → value of every parameter below a path; what is encrypted stays so."""
    pages = clients.ssm.get_paginator("get_parameters_by_path").paginate(Path=path, Recursive=True)
    return {one["Name"]: one["Value"] for page in pages for one in page["Parameters"]}


@aws_call("read the SSM parameters {}")
def parameters_named(clients: Clients, names: Sequence[str]) -> dict[str, str]:
    """Name as it was asked for (with `:version` or `:label`, or an ARN) → value, of those that exist."""
    found: dict[str, str] = {}
    for start in range(0, len(names), A_CALL):
        asked = list(names[start : start + A_CALL])
        for one in clients.ssm.get_parameters(Names=asked)["Parameters"]:
            value = one.get("Value", "")
            known = {one.get("ARN", ""), one.get("Name", ""), one.get("Name", "") + one.get("Selector", "")}
            known.add(one.get("ARN", "") + one.get("Selector", ""))
            found |= {name: value for name in asked if name in known}
    return found
