# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may call a function, and that it is called without anybody waiting for it: as AWS does it for events and topics.

Private to ministack 1.5.33: ``lambda_svc.function_policy_for_arn``, ``_get_func_record_for_ref``,
``_execution_record_for_config`` and ``invoke_async_with_retry``.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from ministack.services import lambda_svc

log = logging.getLogger(__name__)


def call(arn: str, event: object) -> None:
    """Call a function; a call that fails is made again."""
    function, config, name = lambda_svc._get_func_record_for_ref(arn)
    if not function or not config:
        log.error("an event names a function that does not exist: %s", name)
        return
    lambda_svc.invoke_async_with_retry(lambda_svc._execution_record_for_config(function, config), event)


def may_call(function: str, service: str, source: str) -> bool:
    """Whether a permission of the function lets the service call it for the source; the log says where none does."""
    found = lambda_svc.function_policy_for_arn(function)
    if found is not None and any(_allows(statement, service, source) for statement in found[0]["Statement"]):
        return True
    log.error("%s may not call %s: no AWS::Lambda::Permission of the function allows it", source, function)
    return False


def _allows(statement: Mapping[str, Any], service: str, source: str) -> bool:
    principal = statement["Principal"]
    conditions = statement.get("Condition", {})
    sources = [conditions[kind].get("AWS:SourceArn") for kind in ("ArnLike", "StringEquals") if kind in conditions]
    return (
        statement["Effect"] == "Allow"
        and statement["Action"] in ("lambda:InvokeFunction", "lambda:*")
        and (principal == "*" or principal.get("Service") == service)
        and all(wanted is None or fnmatchcase(source, wanted) for wanted in sources)
    )
