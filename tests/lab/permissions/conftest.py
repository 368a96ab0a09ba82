# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a team does with an environment, done once in an emulated lab, by three users whom the lab tells apart."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.cli.environment import variables
from lab.settings import Settings
from tests import octets
from tests.faults.emulated import APP, BREAKS, EDGE, GOOD, EmulatedLab
from tests.lab.contract.faulty import Client
from tests.lab.contract.support import outputs
from tests.lab.deployments.controller import Controller, Ended, clean_environment
from tests.lab.permissions.asked import REGION, asked
from tests.lab.permissions.policies import Policy

OCTET = octets.PERMISSIONS
ENV = "rights"
FILE: dict[str, Any] = {
    "strategy": "canary",
    "canary": [50],
    "bake_time": "1s",
    "capacity": {"min": 1, "max": 3},
    "gates": {"command": {"name": "smoke", "run": "true"}},
}

Asked = set[tuple[str, str | None]]


class Team:
    """People who run playbooks, each with an access key of their own."""

    def __init__(self, lab: EmulatedLab, folder: Path) -> None:
        self._lab = lab
        self._folder = folder
        self._runs = 0
        (folder / "environments").mkdir(parents=True)
        (folder / "environments" / "all.yml").write_text(yaml.safe_dump({"app": APP, "region": REGION}))
        self.write()

    def write(self, **more: Any) -> None:
        """The environment's file."""
        (self._folder / "environments" / f"{ENV}.yml").write_text(yaml.safe_dump(FILE | more))

    def start(self, who: str, playbook: str, *arguments: str, **extra: Any) -> Controller:
        self._runs += 1
        environment = clean_environment(variables(Settings(OCTET)), self._folder / "ansible")
        command = ["ansible-playbook", f"immutable.ec2.{playbook}", "-e", json.dumps({"env": ENV, **extra})]
        name = f"{self._runs:02}-{playbook}"
        return Controller(self._folder, environment | {"AWS_ACCESS_KEY_ID": who}, name, [*command, *arguments])

    def runs(self, who: str, playbook: str, *arguments: str, code: int = 0, **extra: Any) -> Ended:
        ended = self.start(who, playbook, *arguments, **extra).end()
        assert ended.code == code, ended.said
        return ended

    def reads_no_values(self, who: str) -> None:
        """The stores say no to them, as IAM would."""
        for operation in ("GetParametersByPath", "GetSecretValue"):
            Client(self._lab.api, who).fault("denied", times=9, operation=operation)

    def publish(self, release: str) -> None:
        """The channel names it, as it does once somebody else has published it."""
        name = f"/immutable/{APP}/channels/main"
        self._lab.api.client("ssm").put_parameter(Name=name, Value=release, Type="String")

    def grow(self) -> None:
        """The live colour is scaled out, as by its policy, so that a deployment has a capacity to hold."""
        stacks = self._lab.api.stacks.describe_stacks(StackName=f"{APP}-{ENV}-blue")["Stacks"]
        group = outputs(stacks[0])["AutoScalingGroupName"]
        self._lab.api.scaling.set_desired_capacity(AutoScalingGroupName=group, DesiredCapacity=2)

    def labels(self) -> set[str]:
        """Those of colours, on the versions of the app's secret."""
        found = self._lab.api.client("secretsmanager").describe_secret(SecretId=f"{APP}/common/app")
        return {label for labels in found["VersionIdsToStages"].values() for label in labels if APP in label}

    def remove_colours(self) -> None:
        """As a person does it in CloudFormation when nobody needs the environment any more."""
        for colour in ("blue", "green"):
            self._lab.api.stacks.delete_stack(StackName=f"{APP}-{ENV}-{colour}")
            waiter = self._lab.api.stacks.get_waiter("stack_delete_complete")
            waiter.wait(StackName=f"{APP}-{ENV}-{colour}", WaiterConfig={"Delay": 1})

    def asked_for(self, who: str) -> Asked:
        """What IAM would have been asked when they did it."""
        calls = Client(self._lab.api, who).calls()
        assert calls
        return {each for call in calls if call["fault"] != "denied" for each in asked(call)}


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """All of it has been done: made, deployed to, looked at, turned back, rolled back, aborted, retired, destroyed."""
    folder = tmp_path_factory.mktemp("permissions")
    lab = EmulatedLab(OCTET, folder / "lab")
    try:
        team = Team(lab, folder / "ops")
        _do_everything(team)
        yield team
    finally:
        lab.close()


def _do_everything(team: Team) -> None:
    team.runs("edge", "environment", environment_edge_parameters=EDGE)
    team.runs("edge", "environment", environment_edge_parameters=EDGE | {"ErrorsPerMinute": 50})
    team.runs("edge", "environment", "--check", environment_edge_parameters=EDGE)
    team.runs("deploy", "deploy", image=GOOD[0])
    team.grow()
    team.publish(GOOD[1])
    team.reads_no_values("read")
    looked = team.runs("read", "deploy", "--check", "--diff", image="channel:main")
    assert "needs leave for ssm:GetParametersByPath" in looked.said
    team.runs("deploy", "config_check", image=GOOD[1])
    team.runs("deploy", "deploy", image=GOOD[1])
    for playbook in ("status", "rollback --check", "retire --check"):
        name, *check = playbook.split()
        team.runs("read", name, *check)
    team.runs("deploy", "rollback")
    turned_back = team.runs("deploy", "deploy", code=2, image=BREAKS)
    assert turned_back.result == "rolled_back", turned_back.said
    team.write(gates={"approval": True})
    waiting = team.start("deploy", "deploy", image=GOOD[1]).says("a person says go")
    team.runs("read", "status")
    team.runs("deploy", "abort")
    assert waiting.end().result == "aborted"
    kept = team.labels()
    team.runs("deploy", "retire", immediate=True)
    assert (len(kept), len(team.labels())) == (2, 1), "the labels of a colour go with it"
    team.remove_colours()
    team.runs("edge", "environment", environment_state="absent")


@pytest.fixture(scope="module")
def policies() -> dict[str, Policy]:
    """The documents for the team's app and environment."""
    account = "123456789012"
    return {
        name: Policy.read(name, account=account, region=REGION, app=APP, env=ENV)
        for name in ("read", "deploy", "config", "edge")
    }
