# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who hears of an alarm: a queue behind a topic, and a queue behind a rule of the default event bus."""

from __future__ import annotations

import json
from typing import Any

from tests.lab.contract.support import Api, wait_for


class Queue:
    """A queue that anyone may send to.

    Attributes:
        arn: its ARN.
    """

    def __init__(self, api: Api, name: str) -> None:
        self._sqs = api.client("sqs")
        self._url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        self.arn = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        allow = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": self.arn}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        self._sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": policy})

    def next(self) -> dict[str, Any]:
        """The next message's body, once it is there."""
        found = wait_for(lambda: self._sqs.receive_message(QueueUrl=self._url).get("Messages"), "a message")
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=found[0]["ReceiptHandle"])
        body: dict[str, Any] = json.loads(found[0]["Body"])
        return body


def topic_with_queue(api: Api, name: str) -> tuple[str, Queue]:
    """A topic's ARN and a queue that gets what is published to it."""
    sns, queue = api.client("sns"), Queue(api, name)
    arn = sns.create_topic(Name=name)["TopicArn"]
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue.arn)
    return arn, queue


def events_of(api: Api, alarm: str) -> Queue:
    """A queue that gets an alarm's changes of state from the default event bus."""
    queue = Queue(api, f"events-{alarm}")
    pattern = {
        "source": ["aws.cloudwatch"],
        "detail-type": ["CloudWatch Alarm State Change"],
        "detail": {"alarmName": [alarm]},
    }
    events = api.client("events")
    events.put_rule(Name=alarm, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=alarm, Targets=[{"Id": "queue", "Arn": queue.arn}])
    return queue
