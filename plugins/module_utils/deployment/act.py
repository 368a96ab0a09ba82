# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A step in, the call that does it out. Each step can be done again without harm."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws import auto_scaling, cloudformation, load_balancing
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    CreateColour,
    Scale,
    Shift,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.observe import (
    outputs_of,
    read_edge_stack,
    target_group_of,
)

if t.TYPE_CHECKING:
    from datetime import datetime

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import Colour, Release
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.settings import Environment, Settings


def create_colour(clients: Clients, settings: Settings, release: Release, step: CreateColour) -> str:
    """Starts a colour's stack for a release and returns the stack's id."""
    environment, identity = settings.environment, settings.identity(release)
    edge = outputs_of(read_edge_stack(clients, environment))
    tags = {"app": environment.app, "env": environment.env, "colour": step.colour.value, "release": release.name}
    parameters = {
        **settings.launch,
        "App": environment.app,
        "Env": environment.env,
        "Colour": step.colour.value,
        "Release": release.name,
        "Identity": identity,
        "ImageId": release.image,
        "InstanceType": settings.instance_type,
        "MinSize": str(settings.capacity.minimum),
        "MaxSize": str(settings.capacity.maximum),
        "DesiredCapacity": str(step.desired),
        "Subnets": edge["Subnets"],
        "SecurityGroupId": edge["ServerSecurityGroupId"],
        "TargetGroupArn": target_group_of(edge, step.colour),
    }
    return cloudformation.create_stack(
        clients,
        environment.stack(step.colour),
        settings.template,
        parameters,
        {**tags, "identity": identity, "image": release.image},
    )


def delete_colour(clients: Clients, environment: Environment, colour: Colour) -> None:
    """Starts the deletion of an idle colour's stack; its servers finish what they are at while they drain.

    Raises:
        Refused: the colour has traffic by now. The weights are read again here, right before the call.
    """
    edge = outputs_of(read_edge_stack(clients, environment))
    listener = load_balancing.describe_listener(clients, edge["ListenerArn"])
    weight = load_balancing.weights(listener).get(target_group_of(edge, colour), 0)
    if weight > 0:
        raise Refused(f"{environment.stack(colour)} was not deleted: it has traffic by now (weight {weight})")
    cloudformation.delete_stack(clients, environment.stack(colour))


def shift(clients: Clients, environment: Environment, step: Shift, now: datetime) -> None:
    """Starts an update of the edge that changes the weights and nothing else."""
    stack = read_edge_stack(clients, environment)
    changed = {f"{colour.capitalize()}Weight": str(weight) for colour, weight in step.weights.items()}
    changed["SwappedAt"] = now.isoformat(timespec="seconds")
    names = {parameter["ParameterKey"] for parameter in stack.get("Parameters", [])}
    cloudformation.update_parameters(clients, environment.edge, changed, sorted(names - changed.keys()))


def scale(clients: Clients, environment: Environment, step: Scale) -> None:
    """Gives a colour more servers."""
    stack = cloudformation.describe_stack(clients, environment.stack(step.colour))
    if stack is None:
        raise Refused(f"{environment.stack(step.colour)} was not scaled: it is gone by now")
    auto_scaling.set_desired_capacity(clients, outputs_of(stack)["AutoScalingGroupName"], step.desired)
