# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SNS, one function a call."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import aws_call

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients


@aws_call("publish to the topic {}")
def publish_message(clients: Clients, topic: str, subject: str, message: str, attributes: Mapping[str, str]) -> None:
    """Sends a message to a topic's subscribers.

    Args:
        clients: the way to AWS.
        topic: the topic's ARN.
        subject: the subject of mails: ASCII, at most 100 characters, one line.
        message: the text.
        attributes: what subscriptions can filter by; no value may be empty.

    https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
    """
    clients.sns.publish(
        TopicArn=topic,
        Subject=subject,
        Message=message,
        MessageAttributes={name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()},
    )
