# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameter Store and Secrets Manager, one function a call: requests and answers are the APIs' own, values included."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import aws_call

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients

Request: t.TypeAlias = "Mapping[str, t.Any]"
Reply: t.TypeAlias = "dict[str, t.Any]"


@aws_call("read parameters by their path")
def get_parameters_by_path(clients: Clients, request: Request) -> Reply:
    """A page of the parameters under a path."""
    return t.cast("Reply", clients.ssm.get_parameters_by_path(**request))


@aws_call("read parameters")
def get_parameters(clients: Clients, request: Request) -> Reply:
    """At most ten parameters by their names; those that don't exist are named in the answer."""
    return t.cast("Reply", clients.ssm.get_parameters(**request))


@aws_call("read a secret")
def get_secret_value(clients: Clients, request: Request) -> Reply:
    """One secret, of a version or a stage."""
    return t.cast("Reply", clients.secretsmanager.get_secret_value(**request))


@aws_call("read secrets")
def batch_get_secret_value(clients: Clients, request: Request) -> Reply:
    """The current versions of at most twenty secrets; those that can't be read are named in the answer."""
    return t.cast("Reply", clients.secretsmanager.batch_get_secret_value(**request))


@aws_call("read the labels of the secret {}")
def stages(clients: Clients, secret: str) -> dict[str, str]:
    """Staging label → the id of the version that has it."""
    found = clients.secretsmanager.describe_secret(SecretId=secret).get("VersionIdsToStages", {})
    return {label: version for version, labels in found.items() for label in labels}


@aws_call("move a label of the secret {}")
def move_stage(clients: Clients, secret: str, label: str, to: str | None, away_from: str | None) -> None:
    """Puts a staging label on a version (None: on none), away from the one that has it.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
    """
    ends = {"MoveToVersionId": to, "RemoveFromVersionId": away_from}
    given = {name: version for name, version in ends.items() if version}
    clients.secretsmanager.update_secret_version_stage(SecretId=secret, VersionStage=label, **given)
