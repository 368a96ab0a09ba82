# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An edge in the middle of a deployment, and what a test does to it and sees of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import connect
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.ledger import Ledger
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import Colour, Deployment, GuardOrder
from tests.lab.contract.events import Queue
from tests.lab.contract.support import Api, forward, given, outputs, wait_for

ID = "20260102-030405-00ff"
SAFE = [100, 0]
SPLIT = [50, 50]
#: How soon all traffic has to be back, in seconds (the design's promise).
SOON = 5


@dataclass(frozen=True)
class World:
    """An env whose deployment to green has half of the traffic.

    Attributes:
        env: the env's name.
        edge: the edge's outputs.
        ledger: that of a controller that holds the lock and has armed the guard.
        alarm: the alarm of the order.
        news: what is published to the edge's topic.
    """

    api: Api
    env: str
    edge: dict[str, str]
    ledger: Ledger
    alarm: str
    news: Queue

    @classmethod
    def begin(cls, api: Api, template: Path, env: str, **parameters: object) -> World:
        name = stack_of(env)
        network = {"VpcId": api.vpc, "Subnets": ",".join(api.subnets)}
        weights = {"BlueWeight": SPLIT[0], "GreenWeight": SPLIT[1]}
        stack = api.create_stack(name, template, App="shop", Env=env, **network, **weights, **parameters)
        assert stack["StackStatus"] == "CREATE_COMPLETE", api.reasons(name)
        edge = outputs(stack)
        account = {"region": "eu-west-1", "endpoint_url": api.url, "access_key": "lab", "secret_key": "lab"}
        ledger = Ledger(connect(account), edge["LedgerTableName"], "ann@desk (1)")
        deployment = Deployment(
            id=ID,
            release="r2",
            image="ami-2",
            identity="i2",
            colour=Colour.GREEN,
            previous=Colour.BLUE,
            previous_release="r1",
            started_at=datetime.now(UTC),
            by="ann",
        )
        ledger.acquire("deploy r2", deployment)
        alarm = edge["AlarmNames"].split(",")[0]
        safe = dict(zip((Colour.BLUE, Colour.GREEN), SAFE, strict=True))
        ledger.arm(GuardOrder(ID, safe, (alarm,), armed=True))
        news = Queue(api, f"news-{name}")
        api.client("sns").subscribe(TopicArn=edge["TopicArn"], Protocol="sqs", Endpoint=news.arn)
        return cls(api, env, edge, ledger, alarm, news)

    @property
    def name(self) -> str:
        """The edge's stack."""
        return stack_of(self.env)

    # --- what happens

    def ring(self, alarm: str = "") -> None:
        """Let an alarm go to ALARM."""
        for state in ("OK", "ALARM"):
            self.api.client("cloudwatch").set_alarm_state(
                AlarmName=alarm or self.alarm, StateValue=state, StateReason="by hand"
            )

    def shift(self, weights: list[int]) -> None:
        """Set the listener as a controller does."""
        arns = self.edge["BlueTargetGroupArn"], self.edge["GreenTargetGroupArn"]
        actions = forward(dict(zip(arns, weights, strict=True)))
        self.api.elb.modify_listener(ListenerArn=self.edge["ListenerArn"], DefaultActions=actions)

    def update(self, **changed: object) -> None:
        """Start an update of the edge; all other parameters stay."""
        kept = dict.fromkeys(self.parameters)
        self.api.stacks.update_stack(
            StackName=self.name,
            UsePreviousTemplate=True,
            Parameters=given({**kept, **changed}),
            Capabilities=["CAPABILITY_IAM"],
        )

    # --- what is seen

    @property
    def parameters(self) -> dict[str, str]:
        """The edge's parameters."""
        stack = self.api.stacks.describe_stacks(StackName=self.name)["Stacks"][0]
        return {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}

    @property
    def weights(self) -> list[int]:
        return self.api.weights(self.edge["ListenerArn"])

    @property
    def order(self) -> GuardOrder:
        found = self.ledger.read().guard
        assert found
        return found

    @property
    def log(self) -> list[str]:
        """What the guard's function printed, and how its runs began and ended, without times."""
        name = self.edge["GuardFunctionName"]
        lines = (self.api.run_dir / "log" / "functions.log").read_text().splitlines()
        return [line.split(f" {name}: ", 1)[1] for line in lines if f" {name}: " in line]

    @property
    def settings(self) -> dict[str, str]:
        """The function's environment variables."""
        name = self.edge["GuardFunctionName"]
        found = self.api.client("lambda").get_function_configuration(FunctionName=name)
        return dict(found["Environment"]["Variables"])

    def turned_back(self) -> None:
        """Wait until all traffic is where the order wants it."""
        wait_for(lambda: self.weights == SAFE, "all traffic on blue", SOON)

    def says(self, words: str, times: int = 1) -> None:
        """Wait until so many lines of the log have the words."""
        wait_for(lambda: sum(words in line for line in self.log) >= times, f"{words!r} in the guard's log")

    def ended(self, runs: int = 1) -> None:
        """Wait until so many runs of the function have ended well."""
        wait_for(lambda: sum(line.startswith("END") for line in self.log) >= runs, f"{runs} runs ended", 40)

    def rests(self) -> None:
        """Wait until no run of the function is under way."""

        def runs(*words: str) -> int:
            return sum(line.startswith(words) for line in self.log)

        wait_for(lambda: runs("START") == runs("END", "FAILED"), "the guard's runs have ended", 40)

    def event(self) -> dict[str, Any]:
        """The guard's event."""
        return self.told(lambda message: message.get("event") == "guard_fired")

    def told(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The next such message to the topic, which the alarms tell too."""
        while not wanted(message := json.loads(self.news.next()["Message"])):
            pass
        return dict(message)


def stack_of(env: str) -> str:
    """The name of an env's edge."""
    return f"shop-{env}-edge"
