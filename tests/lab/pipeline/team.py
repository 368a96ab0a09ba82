# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A team with an ops repo: its playbook, its stack, and what the notifier did."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab.contract.support import CHECKOUT, Api, outputs

SECRET = "shop/slack-webhook"
REPOSITORY = "https://github.com/acme/shop"


@dataclass(frozen=True)
class Team:
    """Who has an app.

    Attributes:
        folder: the ops repo.
    """

    api: Api
    folder: Path
    app: str

    def plays(self, pipeline: Mapping[str, object], *arguments: str, ok: bool = True, **keys: object) -> str:
        """Writes environments/all.yml and runs pipeline.yml; returns what it said, on one line."""
        (self.folder / "environments").mkdir(exist_ok=True)
        file = {"app": self.app, "region": "eu-west-1", "pipeline": dict(pipeline), **keys}
        (self.folder / "environments" / "all.yml").write_text(json.dumps(file))
        return self.runs(*arguments, ok=ok)

    def runs(self, *arguments: str, ok: bool = True) -> str:
        """Runs pipeline.yml where the team stands; returns what it said, on one line."""
        done = subprocess.run(
            [Path(sys.executable).parent / "ansible-playbook", CHECKOUT / "playbooks" / "pipeline.yml", *arguments],
            cwd=self.folder,
            env={
                **os.environ,
                "AWS_ENDPOINT_URL": self.api.url,
                "AWS_ACCESS_KEY_ID": "lab",
                "AWS_SECRET_ACCESS_KEY": "any-key-opens-the-lab",
                "AWS_EC2_METADATA_DISABLED": "true",
                "ANSIBLE_LOCALHOST_WARNING": "false",
                "ANSIBLE_NOCOLOR": "1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert (done.returncode == 0) is ok, done.stdout
        return " ".join(done.stdout.split())

    @property
    def stack(self) -> dict[str, Any]:
        """The pipeline's stack; raises where there is none."""
        found: dict[str, Any] = self.api.stacks.describe_stacks(StackName=f"{self.app}-pipeline")["Stacks"][0]
        return found

    @property
    def outputs(self) -> dict[str, str]:
        return outputs(self.stack)

    @property
    def resources(self) -> dict[str, str]:
        """Physical ids by logical id."""
        found = self.api.stacks.describe_stack_resources(StackName=f"{self.app}-pipeline")["StackResources"]
        return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}

    def tells(self, message: object) -> str:
        """Publishes a message to the topic; returns its id."""
        text = message if isinstance(message, str) else json.dumps(message)
        return str(self.api.client("sns").publish(TopicArn=self.outputs["TopicArn"], Message=text)["MessageId"])

    def happens(self, detail: Mapping[str, object]) -> None:
        """CodeBuild says that a build has another state."""
        entry = {"Source": "aws.codebuild", "DetailType": "CodeBuild Build State Change", "Detail": json.dumps(detail)}
        with urllib.request.urlopen(f"{self.api.url}/_lab/event", json.dumps(entry).encode(), timeout=10) as answer:
            assert json.load(answer)["FailedEntryCount"] == 0

    @property
    def log(self) -> list[str]:
        """What the notifier printed, and how its runs began and ended, without times."""
        name = self.outputs["NotifierFunctionName"]
        lines = (self.api.run_dir / "log" / "functions.log").read_text().splitlines()
        return [line.split(f" {name}: ", 1)[1] for line in lines if f" {name}: " in line]

    def not_sent(self) -> list[dict[str, Any]]:
        """Messages in the dead-letter queue, which are taken out of it."""
        sqs, url = self.api.client("sqs"), self.outputs["NotSentQueueUrl"]
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for each in found:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
        return [json.loads(each["Body"]) for each in found]
