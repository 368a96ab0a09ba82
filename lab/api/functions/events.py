# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events call functions as on AWS: only where a permission lets the rule do so, and again when a call fails.

How often and how long after is said by AWS::Lambda::EventInvokeConfig: unless set, twice, after a minute and after
two more (of the lab).
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-lambda-permissions
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html

Private to ministack 1.5.33: ``eventbridge._invoke_target`` and ``_dispatch_to_lambda`` (which knows no second try);
``lambda_svc.function_policy_for_arn``, ``_get_func_record_for_ref``, ``_execution_record_for_config``,
``invoke_async_with_retry`` and its waits.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from ministack.services import eventbridge, lambda_svc

from lab.api.patching import replace
from lab.api.settings import Settings

log = logging.getLogger(__name__)
_PRINCIPAL = "events.amazonaws.com"


def use_events(settings: Settings) -> None:
    """Leave out calls that AWS would refuse (the log says which), and try again those that fail."""
    replace(lambda_svc, "_LAMBDA_ASYNC_RETRY_BASE_SECONDS", settings.seconds(60))
    replace(lambda_svc, "_LAMBDA_ASYNC_RETRY_MAX_SECONDS", settings.seconds(300))
    replace(eventbridge, "_dispatch_to_lambda", _call)
    invoke = eventbridge._invoke_target

    def checked(target: Mapping[str, Any], event: object, rule: Mapping[str, Any], view: object = None) -> None:
        arn = str(target.get("Arn", ""))
        if ":function:" in arn and not _allowed(arn, str(rule["Arn"])):
            log.error("%s may not call %s: no AWS::Lambda::Permission of the function allows it", rule["Arn"], arn)
            return
        invoke(target, event, rule, view)

    replace(eventbridge, "_invoke_target", checked)


def _call(arn: str, payload: str) -> None:
    function, config, name = lambda_svc._get_func_record_for_ref(arn)
    if not function or not config:
        log.error("an event names a function that does not exist: %s", name)
        return
    lambda_svc.invoke_async_with_retry(lambda_svc._execution_record_for_config(function, config), json.loads(payload))


def _allowed(function: str, rule: str) -> bool:
    found = lambda_svc.function_policy_for_arn(function)
    return found is not None and any(_allows(statement, rule) for statement in found[0]["Statement"])


def _allows(statement: Mapping[str, Any], rule: str) -> bool:
    principal = statement["Principal"]
    conditions = statement.get("Condition", {})
    sources = [conditions[kind].get("AWS:SourceArn") for kind in ("ArnLike", "StringEquals") if kind in conditions]
    return (
        statement["Effect"] == "Allow"
        and statement["Action"] in ("lambda:InvokeFunction", "lambda:*")
        and (principal == "*" or principal.get("Service") == _PRINCIPAL)
        and all(source is None or fnmatchcase(rule, source) for source in sources)
    )
