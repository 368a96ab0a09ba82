# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stack like an edge, small and quick, and what tests of its states look at."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.lab.contract.faulty import Fault, arm
from tests.lab.contract.support import Api, given, outputs, wait_for


def template(api: Api, **more: object) -> str:
    """Load balancer, two target groups, a listener with weights, and a note that depends on it."""
    parts: dict[str, Any] = {
        "Balancer": {"Type": "AWS::ElasticLoadBalancingV2::LoadBalancer", "Properties": {"Subnets": api.subnets}},
        "Blue": target_group(api),
        "Green": target_group(api),
        "Listener": {
            "Type": "AWS::ElasticLoadBalancingV2::Listener",
            "Properties": {
                "LoadBalancerArn": {"Ref": "Balancer"},
                "Port": 80,
                "Protocol": "HTTP",
                "DefaultActions": [
                    {"Type": "forward", "ForwardConfig": {"TargetGroups": [weighted("Blue"), weighted("Green")]}}
                ],
            },
        },
        "Note": {
            "Type": "AWS::SSM::Parameter",
            "DependsOn": "Listener",
            "Properties": {"Name": {"Fn::Sub": "/${AWS::StackName}/note"}, "Type": "String", "Value": {"Ref": "Note1"}},
        },
        **more,
    }
    parameters = {"BlueWeight": "100", "GreenWeight": "0", "Note1": "first"}
    return json.dumps(
        {
            "Parameters": {name: {"Type": "String", "Default": value} for name, value in parameters.items()},
            "Resources": parts,
            "Outputs": {"Listener": {"Value": {"Ref": "Listener"}}},
        }
    )


def target_group(api: Api) -> dict[str, Any]:
    properties = {"Port": 80, "Protocol": "HTTP", "VpcId": api.vpc}
    return {"Type": "AWS::ElasticLoadBalancingV2::TargetGroup", "Properties": properties}


def weighted(group: str) -> dict[str, Any]:
    return {"TargetGroupArn": {"Ref": group}, "Weight": {"Ref": f"{group}Weight"}}


@dataclass(frozen=True)
class Stack:
    """A stack of this template."""

    api: Api
    name: str

    def create(self, **parameters: object) -> str:
        """Create it; returns the state it comes to."""
        self.api.stacks.create_stack(StackName=self.name, TemplateBody=template(self.api), Parameters=given(parameters))
        return self.settled()

    def update(self, token: str | None = None, **parameters: object) -> None:
        """Begin an update; what is not given keeps its value."""
        kept = {"BlueWeight": None, "GreenWeight": None, "Note1": None}
        self.api.stacks.update_stack(
            StackName=self.name,
            UsePreviousTemplate=True,
            Parameters=given({**kept, **parameters}),
            **({"ClientRequestToken": token} if token else {}),
        )

    def cancel(self) -> None:
        self.api.stacks.cancel_update_stack(StackName=self.name)

    def status(self) -> str:
        return str(self.described()["StackStatus"])

    def described(self) -> dict[str, Any]:
        found: dict[str, Any] = self.api.stacks.describe_stacks(StackName=self.name)["Stacks"][0]
        return found

    def parameters(self) -> dict[str, str]:
        return {each["ParameterKey"]: each["ParameterValue"] for each in self.described()["Parameters"]}

    def settled(self) -> str:
        return str(self.api.settled(self.name)["StackStatus"])

    def weights(self) -> list[int]:
        return self.api.weights(outputs(self.described())["Listener"])

    def note(self) -> str:
        found = self.api.client("ssm").get_parameter(Name=f"/{self.name}/note")
        return str(found["Parameter"]["Value"])

    def slow(self, resource: str, action: str, **options: object) -> Fault:
        """Hold a resource until the fault is released, or as long as ``seconds`` says."""
        return self.armed("slow_resource", resource, action, **options)

    def failing(self, resource: str, action: str, error: str, **options: object) -> Fault:
        return self.armed("fail_resource", resource, action, error=error, **options)

    def armed(self, effect: str, resource: str, action: str, **options: object) -> Fault:
        return arm(self.api, effect, {"stack": self.name, "resource": resource, "action": action}, **options)

    def events(self, name: str = "") -> list[tuple[str, str, str]]:
        """Resource, status and reason of every event since the last operation began, oldest first."""
        found = self.api.stacks.describe_stack_events(StackName=name or self.name)["StackEvents"]
        all_of_them = [
            (each["LogicalResourceId"], each["ResourceStatus"], each.get("ResourceStatusReason", ""))
            for each in reversed(found)
        ]
        begun = [
            number for number, each in enumerate(all_of_them) if each[2] == "User Initiated" and each[0] == self.name
        ]
        return all_of_them[begun[-1] :] if begun and not name else all_of_them

    def failed(self) -> tuple[str, str]:
        """Resource and reason of the first failure of the last operation."""
        return next((each[0], each[2]) for each in self.events() if each[1].endswith("_FAILED"))

    def reach(self, status: str) -> None:
        wait_for(lambda: self.status() == status, f"{self.name} {status}")
