# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events call functions as on AWS: only where a permission lets the rule do so, and again when a call fails.

How often and how long after is said by AWS::Lambda::EventInvokeConfig: unless set, twice, after a minute and after
two more (of the lab).
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-lambda-permissions
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html

Private to ministack 1.5.33: ``eventbridge._invoke_target`` and ``_dispatch_to_lambda`` (which knows no second try);
the waits of ``lambda_svc``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ministack.services import eventbridge, lambda_svc

from lab.api.functions import asked
from lab.api.patching import replace
from lab.api.settings import Settings


def use_events(settings: Settings) -> None:
    """Leave out calls that AWS would refuse (the log says which), and try again those that fail."""
    replace(lambda_svc, "_LAMBDA_ASYNC_RETRY_BASE_SECONDS", settings.seconds(60))
    replace(lambda_svc, "_LAMBDA_ASYNC_RETRY_MAX_SECONDS", settings.seconds(300))
    replace(eventbridge, "_dispatch_to_lambda", lambda arn, payload: asked.call(arn, json.loads(payload)))
    invoke = eventbridge._invoke_target

    def checked(target: Mapping[str, Any], event: object, rule: Mapping[str, Any], view: object = None) -> None:
        arn = str(target.get("Arn", ""))
        if ":function:" not in arn or asked.may_call(arn, "events.amazonaws.com", str(rule["Arn"])):
            invoke(target, event, rule, view)

    replace(eventbridge, "_invoke_target", checked)
