# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameter Store, one function a call."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import absent, aws_call

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients

ABSENT: t.Final = frozenset({"ParameterNotFound"})
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


@absent(ABSENT, instead=None)
@aws_call("read the parameter {}")
def find_parameter(clients: Clients, name: str) -> str:
    """The parameter's value, None where there is no such parameter.

    Raises:
        AwsError: it could not be read.
    """
    return clients.ssm.get_parameter(Name=name)["Parameter"]["Value"]


@absent(ABSENT, instead=())
@aws_call("read the history of the parameter {}")
def parameter_history(clients: Clients, name: str) -> Sequence[str]:
    """The values that the parameter had, the newest (the present one) first; AWS keeps a hundred.

    Raises:
        AwsError: they could not be read.
    """
    pages = clients.ssm.get_paginator("get_parameter_history").paginate(Name=name)
    versions = [version for page in pages for version in page["Parameters"]]
    return [version["Value"] for version in sorted(versions, key=lambda version: version["Version"], reverse=True)]


@aws_call("set the parameter {}")
def put_parameter(clients: Clients, name: str, value: str, description: str) -> None:
    """Sets the parameter; its earlier values stay in its history."""
    clients.ssm.put_parameter(Name=name, Value=value, Description=description, Type="String", Overwrite=True)


@aws_call("delete the parameter {}")
def delete_parameter(clients: Clients, name: str) -> None:
    """Deletes the parameter with its history."""
    clients.ssm.delete_parameter(Name=name)


@aws_call("look for parameters under {}")
def has_parameters(clients: Clients, path: str) -> bool:
    """Whether there is any parameter below a path."""
    return bool(clients.ssm.get_parameters_by_path(Path=path, Recursive=True, MaxResults=1)["Parameters"])
