# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab holds now, as data for ``/_lab/status``: stacks, groups, servers, targets, weights."""

from __future__ import annotations

from typing import Any

from moto.ec2 import ec2_backends

from lab.api.autoscaling.groups import groups
from lab.api.elbv2.actions import shares
from lab.api.elbv2.targets import Targets, backend
from lab.api.moto_bridge import LOCK
from lab.api.settings import ACCOUNT
from lab.settings import REGION

Row = dict[str, Any]


def status(targets: Targets) -> dict[str, list[Row]]:
    """Everything a person wants to see, by kind; what has ended (stacks, servers) is left out."""
    with LOCK:
        return {
            "stacks": _stacks(),
            "images": _images(),
            "groups": [_group(group) for group in groups()],
            "servers": _servers(),
            "targets": _targets(targets),
            "listeners": _listeners(),
        }


def _stacks() -> list[Row]:
    """From ministack's private table of stacks."""
    from ministack.services.cloudformation import _stacks as stacks

    return [
        {"name": name, "status": stack["StackStatus"], "tags": {tag["Key"]: tag["Value"] for tag in stack["Tags"]}}
        for name, stack in sorted(stacks.items())
        if stack["StackStatus"] != "DELETE_COMPLETE"
    ]


def _images() -> list[Row]:
    return [
        {"id": image.id, "name": image.name, "state": image.state, "tags": _tags(image)}
        for image in ec2_backends[ACCOUNT][REGION].amis.values()
    ]


def _group(group: Any) -> Row:
    return {
        "name": group.name,
        "min": group.min_size,
        "desired": group.desired_capacity,
        "max": group.max_size,
        "members": [
            {"id": member.instance_id, "state": member.lifecycle_state, "health": member.health_status}
            for member in group.instance_states
        ],
    }


def _servers() -> list[Row]:
    return [
        {
            "id": instance.id,
            "state": instance.state,
            "address": instance.private_ip,
            "image": instance.image_id,
            "tags": _tags(instance),
        }
        for instance in ec2_backends[ACCOUNT][REGION].all_instances()
        if instance.state != "terminated"
    ]


def _targets(targets: Targets) -> list[Row]:
    rows = []
    for group in backend().target_groups.values():
        for target in targets.of(group):
            health = targets.state(group, target)
            rows.append({"group": group.name, "id": target.id, "state": health.state, "reason": health.reason})
    return rows


def _listeners() -> list[Row]:
    names = {group.arn: group.name for group in backend().target_groups.values()}
    return [
        {
            "load_balancer": balancer.name,
            "url": f"{listener.protocol.lower()}://{balancer.dns_name}:{listener.port}",
            "weights": {
                names.get(share.group, share.group): share.weight
                for action in listener.default_actions
                for share in shares(action)
            },
        }
        for balancer in backend().load_balancers.values()
        for listener in balancer.listeners.values()
    ]


def _tags(resource: Any) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in resource.get_tags()}
