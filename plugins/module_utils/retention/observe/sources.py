# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module's arguments → the regions and accounts that are looked at. Refused here, nothing was touched."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients, connect
from ansible_collections.immutable.ec2.plugins.module_utils.retention.observe.region import Look, Region
from ansible_collections.immutable.ec2.plugins.module_utils.retention.observe.survey import Survey
from ansible_collections.immutable.ec2.plugins.module_utils.retention.policy import account_of
from ansible_collections.immutable.ec2.plugins.module_utils.retention.runner import check_regions

if t.TYPE_CHECKING:
    from collections.abc import Mapping


def to_survey(params: Mapping[str, t.Any]) -> Survey:
    """The regions of the session's account, and the same regions of the accounts that are looked into by role.

    Raises:
        PolicyError: a region is unknown.
        AwsError: there are no credentials, or a role can't be assumed.
    """
    clients = clients_of(params)
    names = list(dict.fromkeys(params["regions"])) or [clients.region]
    check_regions(clients, names)
    references = params.get("references") or {}
    keep = params.get("keep") or {}
    roles = list(dict.fromkeys(references.get("accounts") or ()))
    previous = keep.get("per_env_previous")
    look = Look(
        parameters=tuple(references.get("ssm_parameters") or ()),
        versions=references.get("launch_template_versions") or Look.versions,
        previous=Look.previous if previous is None else previous,
        accounts=frozenset(map(account_of, roles)),
        shared=keep.get("shared") is not False,
        public=keep.get("public") is not False,
    )
    own = {name: Region(clients.in_region(name), name, look) for name in names}
    others = []
    for role in roles:
        theirs = connect({**params, "role": role, "region": clients.region})
        others += [Region(theirs.in_region(name), name, look, account_of(role)) for name in names]
    return Survey(own, others, params["concurrency"])


def clients_of(params: Mapping[str, t.Any]) -> Clients:
    """The session's clients; where it has no region of its own, those of the first of the regions asked for."""
    try:
        return connect(params)
    except AwsError:
        if not params["regions"]:
            raise
        return connect({**params, "region": params["regions"][0]})
