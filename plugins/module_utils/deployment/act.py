# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A step in, the calls that do it out. Each step can be done again without harm."""

from __future__ import annotations

import secrets
import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws import auto_scaling, cloudformation, load_balancing
from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.configuration import labels
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.configuration.pins import MANIFEST
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import ALL_TRAFFIC
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.naming import (
    NO_PREVIEW,
    ORIGINAL_MINIMUM,
    REPLACING,
    parameter_of,
    read_edge_stack,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import (
    Align,
    CancelUpdate,
    ClosePreview,
    ContinueUpdate,
    CreateColour,
    DeleteColour,
    HoldMinimum,
    OpenPreview,
    RestoreMinimum,
    ResumeReplacing,
    Shift,
    Step,
    SuspendReplacing,
    TurnBack,
)

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
        Colour,
        Observed,
    )
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.naming import EdgeStack
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.settings import Settings
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import Deployed

SECRET_BYTES: t.Final = 16


class Actor:
    """Does one env's steps.

    Args:
        clients: the way to AWS.
        settings: what a colour is made with.
    """

    def __init__(self, clients: Clients, settings: Settings) -> None:
        self._clients = clients
        self._settings = settings
        self._environment = settings.environment

    def create_colour(self, edge: EdgeStack, wanted: Deployed, step: CreateColour) -> str:
        """Starts a colour's stack for a release and returns the stack's id."""
        environment, settings, release, identity = self._environment, self._settings, wanted.release, wanted.identity
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
            "MinSize": str(step.desired),
            "OriginalMinimum": str(settings.capacity.minimum),
            "MaxSize": str(settings.capacity.maximum),
            "DesiredCapacity": str(step.desired),
            "Subnets": edge.outputs["Subnets"],
            "SecurityGroupId": edge.outputs["ServerSecurityGroupId"],
            "TargetGroupArn": edge.target_group(step.colour),
        }
        if wanted.pins:
            parameters[MANIFEST] = wanted.pins.manifest
            # Before any server reads them. A run that is killed here leaves labels that the next one moves.
            labels.put(self._clients, environment.stack(step.colour), wanted.pins.secrets)
        try:
            return cloudformation.create_stack(
                self._clients,
                environment.stack(step.colour),
                settings.template,
                parameters,
                {**settings.tags, **tags, "identity": identity, "image": release.image},
            )
        except AwsError as error:
            # The call before was answered by a lost connection, or another controller's was on the wire.
            if error.code == "AlreadyExistsException":
                return ""
            raise

    def do(self, edge: EdgeStack, seen: Observed, step: Step) -> None:
        """Does any step but a colour's creation and a command.

        Raises:
            Refused: the colour that is to go has traffic by now. The weights are read again right before the call.
            AwsError: a call failed.
        """
        match step:
            case DeleteColour():
                self._delete(step.colour)
            case HoldMinimum() | RestoreMinimum() | SuspendReplacing() | ResumeReplacing():
                self._size(seen, step)
            case OpenPreview():
                preview = {"PreviewColour": step.colour.value, "PreviewSecret": secrets.token_hex(SECRET_BYTES)}
                self._update(edge, preview)
            case ClosePreview():
                self._update(edge, CLOSED)
            case Shift():
                closes = CLOSED if step.share == ALL_TRAFFIC else {}
                self._weigh(edge, step.weights, {**closes, **(self._swapped() if step.share == ALL_TRAFFIC else {})})
            case Align():
                self._weigh(edge, step.weights, {**CLOSED, **self._swapped()})
            case TurnBack():
                load_balancing.set_weights(self._clients, edge.listener, edge.by_group(step.weights))
            case CancelUpdate():
                cloudformation.cancel_update(self._clients, edge.name)
            case ContinueUpdate():
                cloudformation.continue_rollback(self._clients, edge.name, step.skip)
            case _:
                raise TypeError(f"no way to {step}")

    def _swapped(self) -> dict[str, str]:
        return {"SwappedAt": clock.now().isoformat(timespec="seconds")}

    def _weigh(self, edge: EdgeStack, weights: Mapping[Colour, int], more: Mapping[str, str]) -> None:
        changed = {f"{colour.capitalize()}Weight": str(weight) for colour, weight in weights.items()}
        if all(edge.parameters.get(name) == value for name, value in changed.items()):
            # Parameters that say so already are no update of the listener, which somebody else has set.
            load_balancing.set_weights(self._clients, edge.listener, edge.by_group(weights))
        self._update(edge, {**changed, **more})

    def _update(self, edge: EdgeStack, changed: Mapping[str, str]) -> None:
        """Starts an update of the edge that changes these parameters and nothing else."""
        kept = sorted(edge.parameters.keys() - changed.keys())
        cloudformation.update_parameters(self._clients, edge.name, changed, kept)

    def _delete(self, colour: Colour) -> None:
        edge = read_edge_stack(self._clients, self._environment)
        rules = load_balancing.describe_rules(self._clients, edge.listener)
        weight = load_balancing.weights(rules).get(edge.target_group(colour), 0)
        if weight > 0:
            raise Refused(f"{self._environment.stack(colour)} was not deleted: it has traffic by now (weight {weight})")
        name = self._environment.stack(colour)
        if (stack := cloudformation.describe_stack(self._clients, name)) and (value := parameter_of(stack, MANIFEST)):
            # Before it goes: who is killed here begins with the deletion again, and knows the manifest still.
            labels.take_away(self._clients, name, value)
        cloudformation.delete_stack(self._clients, name)

    def _size(self, seen: Observed, step: HoldMinimum | RestoreMinimum | SuspendReplacing | ResumeReplacing) -> None:
        stack = seen.colours[step.colour]
        if stack is None or not stack.group:
            raise Refused(f"{self._environment.stack(step.colour)} has no Auto Scaling group by now")
        match step:
            case HoldMinimum():
                if stack.original_minimum is None:  # the tag first: what is raised can be restored, whatever happens
                    auto_scaling.tag_group(self._clients, stack.group, ORIGINAL_MINIMUM, str(stack.minimum))
                auto_scaling.set_minimum(self._clients, stack.group, step.minimum)
            case RestoreMinimum():
                if stack.minimum != step.minimum:
                    auto_scaling.set_minimum(self._clients, stack.group, step.minimum)
                auto_scaling.untag_group(self._clients, stack.group, ORIGINAL_MINIMUM)
            case SuspendReplacing():
                auto_scaling.suspend(self._clients, stack.group, REPLACING)
            case ResumeReplacing():
                auto_scaling.resume(self._clients, stack.group, REPLACING)


CLOSED: t.Final[Mapping[str, str]] = {"PreviewColour": NO_PREVIEW, "PreviewSecret": NO_PREVIEW}
