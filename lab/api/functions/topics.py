# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Topics call functions as on AWS: only where a permission lets the topic do so, and again when a call fails.

https://docs.aws.amazon.com/sns/latest/dg/sns-lambda-as-subscriber.html

Private to ministack 1.5.33: ``sns._deliver_to_lambda`` (which asks for no permission and knows no second try).
"""

from __future__ import annotations

import json

from ministack.services import sns

from lab.api.functions import asked
from lab.api.patching import replace


def use_topics() -> None:
    """Leave out calls that AWS would refuse (the log says which), and try again those that fail."""
    replace(sns, "_deliver_to_lambda", _deliver)


def _deliver(function: str, envelope: str, topic: str, subscription: str, *_more: object) -> None:
    if not asked.may_call(function, "sns.amazonaws.com", topic):
        return
    record = {
        "EventVersion": "1.0",
        "EventSubscriptionArn": subscription,
        "EventSource": "aws:sns",
        "Sns": json.loads(envelope),
    }
    asked.call(function, {"Records": [record]})
