# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An event reaches a function only where the function's resource policy lets the rule call it, as on AWS.

Private to ministack 1.5.33: ``eventbridge._invoke_target``, ``lambda_svc.function_policy_for_arn``.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-lambda-permissions
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from ministack.services import eventbridge, lambda_svc

from lab.api.patching import replace

log = logging.getLogger(__name__)
_PRINCIPAL = "events.amazonaws.com"


def use_permissions() -> None:
    """Leave out calls that AWS would refuse; the log says which."""
    invoke = eventbridge._invoke_target

    def checked(target: Mapping[str, Any], event: object, rule: Mapping[str, Any], view: object = None) -> None:
        arn = str(target.get("Arn", ""))
        if ":function:" in arn and not _allowed(arn, str(rule["Arn"])):
            log.error("%s may not call %s: no AWS::Lambda::Permission of the function allows it", rule["Arn"], arn)
            return
        invoke(target, event, rule, view)

    replace(eventbridge, "_invoke_target", checked)


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
