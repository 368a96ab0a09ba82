# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names that edge and colours are told apart by: outputs, parameters, tags."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import datetime, timedelta

from ansible_collections.immutable.ec2.plugins.module_utils.aws import cloudformation
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import Colour, StackPhase

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_cloudformation.type_defs import StackTypeDef

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.settings import Environment

PREVIEW_HEADER: t.Final = "X-Preview"
ORIGINAL_MINIMUM: t.Final = "original-minimum"
REPLACING: t.Final = "ReplaceUnhealthy"
NO_PREVIEW: t.Final = "none"

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
PHASES: Mapping[str, StackPhase] = {
    "CREATE_COMPLETE": StackPhase.READY,
    "UPDATE_COMPLETE": StackPhase.READY,
    "UPDATE_ROLLBACK_COMPLETE": StackPhase.READY,
    "IMPORT_COMPLETE": StackPhase.READY,
    "IMPORT_ROLLBACK_COMPLETE": StackPhase.READY,
    "CREATE_FAILED": StackPhase.BROKEN,
    "ROLLBACK_COMPLETE": StackPhase.BROKEN,
    "ROLLBACK_FAILED": StackPhase.BROKEN,
    "REVIEW_IN_PROGRESS": StackPhase.BROKEN,
    "DELETE_FAILED": StackPhase.BROKEN,
    "DELETE_IN_PROGRESS": StackPhase.DELETING,
    "UPDATE_FAILED": StackPhase.STUCK,
    "UPDATE_ROLLBACK_FAILED": StackPhase.STUCK,
    "IMPORT_ROLLBACK_FAILED": StackPhase.STUCK,
}


def phase(status: str) -> StackPhase:
    """What a stack's status means; one that isn't known yet counts as busy, so that nothing is done to it."""
    return PHASES.get(status, StackPhase.BUSY)


@dataclass(frozen=True)
class EdgeStack:
    """What the edge's stack says: its outputs are where everything else is found."""

    name: str
    stack_id: str
    status: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]

    @property
    def listener(self) -> str:
        return self.outputs["ListenerArn"]

    @property
    def ledger(self) -> str:
        return self.outputs["LedgerTableName"]

    @property
    def topic(self) -> str:
        return self.outputs["TopicArn"]

    @property
    def alarms(self) -> tuple[str, ...]:
        """The names of the alarms that the edge makes."""
        return tuple(filter(None, self.outputs["AlarmNames"].split(",")))

    @property
    def tls(self) -> bool:
        """Whether the listener that divides the traffic is the HTTPS one."""
        return bool(self.parameters.get("CertificateArn"))

    @property
    def asked(self) -> dict[Colour, int]:
        """The weights that its parameters say."""
        return {colour: int(self.parameters.get(f"{colour.capitalize()}Weight", 0)) for colour in Colour}

    @property
    def drain(self) -> timedelta:
        return timedelta(seconds=int(self.parameters.get("DeregistrationDelaySeconds", 0)))

    @property
    def swapped_at(self) -> datetime | None:
        try:
            return datetime.fromisoformat(self.parameters.get("SwappedAt", ""))
        except ValueError:
            return None  # "never": nothing was swapped yet

    def target_group(self, colour: Colour) -> str:
        return self.outputs[f"{colour.capitalize()}TargetGroupArn"]

    def by_group(self, weights: Mapping[Colour, int]) -> dict[str, int]:
        """Target group → weight for colour → weight."""
        return {self.target_group(colour): weights.get(colour, 0) for colour in Colour}


def read_edge_stack(clients: Clients, environment: Environment) -> EdgeStack:
    """The edge's stack, as CloudFormation describes it.

    Raises:
        Refused: there is none, or one that was never finished, or one of an earlier version of this collection.
    """
    stack = cloudformation.describe_stack(clients, environment.edge)
    make = f"environment.yml -e env={environment.env}"
    if stack is None:
        raise Refused(f"{environment.env} has no edge (there is no stack {environment.edge}); make it first: {make}")
    outputs = outputs_of(stack)
    if "ListenerArn" not in outputs:
        raise Refused(
            f"the edge {environment.edge} is {stack['StackStatus']} and can't be used; repair it first: {make}"
        )
    if "AlarmNames" not in outputs:
        raise Refused(f"the edge {environment.edge} was made by an earlier version; update it first: {make}")
    parameters = {one["ParameterKey"]: one.get("ParameterValue", "") for one in stack.get("Parameters", [])}
    return EdgeStack(stack["StackName"], stack["StackId"], stack["StackStatus"], outputs, parameters)


def outputs_of(stack: StackTypeDef) -> dict[str, str]:
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def parameter_of(stack: StackTypeDef, name: str) -> str:
    """The value of a stack's parameter; empty where it has none."""
    found = {one["ParameterKey"]: one.get("ParameterValue", "") for one in stack.get("Parameters", [])}
    return found.get(name, "")
