# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Listener rules as AWS has them: in the order of their priorities, with its refusals.

Private to moto 5.2.5: ``ELBv2Backend.describe_rules``, ``delete_rule``, ``set_rule_priorities`` and
``_validate_conditions``, ``FakeListenerRule``.
"""

from __future__ import annotations

from typing import Any

from moto.elbv2.exceptions import (
    DuplicatePriorityError,
    ELBClientError,
    InvalidConditionValueError,
    PriorityInUseError,
)
from moto.elbv2.models import ELBv2Backend

from lab.api.elbv2.actions import forward
from lab.api.patching import replace
from lab.api.settings import Settings
from lab.loadbalancer.model import Condition, Rule

#: Where a condition's values are; the lab's load balancer knows no other fields.
_CONFIGURATIONS = {
    "http-header": "HttpHeaderConfig",
    "host-header": "HostHeaderConfig",
    "path-pattern": "PathPatternConfig",
}
MAX_PRIORITY = 50000


def use_rules() -> None:
    """Let moto's rules keep AWS's order, limits and errors, and refuse what the lab's load balancer can't do."""

    def describe_rules(elbv2: Any, listener_arn: str | None, rule_arns: list[str] | None) -> list[Any]:
        found = original_describe(elbv2, listener_arn, rule_arns)
        return sorted(found, key=lambda rule: (rule.is_default, 0 if rule.is_default else int(rule.priority)))

    def create_rule(
        elbv2: Any, listener_arn: str, conditions: Any, priority: Any, actions: Any, tags: Any = None
    ) -> Any:
        _check_priority(int(priority))
        _check_present(conditions)
        return original_create(elbv2, listener_arn, conditions, int(priority), actions, tags)

    def delete_rule(elbv2: Any, arn: str) -> None:
        if elbv2.describe_rules(None, [arn])[0].is_default:
            raise ELBClientError("OperationNotPermitted", f"Default rule '{arn}' cannot be deleted")
        original_delete(elbv2, arn)

    def modify_rule(elbv2: Any, rule_arn: str, conditions: Any, actions: Any) -> Any:
        if elbv2.describe_rules(None, [rule_arn])[0].is_default:
            raise ELBClientError("OperationNotPermitted", f"Default rule '{rule_arn}' cannot be modified")
        return original_modify(elbv2, rule_arn, conditions, actions)

    def set_rule_priorities(elbv2: Any, wanted: list[dict[str, Any]]) -> list[Any]:
        given = {each["RuleArn"]: int(each["Priority"]) for each in wanted}
        rules: list[Any] = elbv2.describe_rules(None, list(given))
        for rule in rules:
            _check_new_priority(elbv2, rule, given)
        for rule in rules:
            rule.priority = given[rule.arn]
        return rules

    def validate_conditions(elbv2: Any, conditions: list[dict[str, Any]]) -> None:
        original_validate(elbv2, conditions)
        _check_conditions(conditions)

    original_describe = replace(ELBv2Backend, "describe_rules", describe_rules)
    original_create = replace(ELBv2Backend, "create_rule", create_rule)
    original_modify = replace(ELBv2Backend, "modify_rule", modify_rule)
    original_delete = replace(ELBv2Backend, "delete_rule", delete_rule)
    original_validate = replace(ELBv2Backend, "_validate_conditions", validate_conditions)
    replace(ELBv2Backend, "set_rule_priorities", set_rule_priorities)


def rules(listener: Any, settings: Settings) -> tuple[Rule, ...]:
    """A listener's rules but the default one, in the order in which they are tried."""
    ordered = sorted(listener._non_default_rules.values(), key=lambda rule: int(rule.priority))
    return tuple(
        Rule(rule.arn, tuple(_condition(each) for each in rule.conditions), forward(rule.actions, settings))
        for rule in ordered
    )


def _condition(data: dict[str, Any]) -> Condition:
    configuration = _configuration(data)
    return Condition(data["Field"], tuple(configuration["Values"]), configuration.get("HttpHeaderName", ""))


def _configuration(data: dict[str, Any]) -> dict[str, Any]:
    """A condition's values under the name of its own field, or in the older place."""
    found: dict[str, Any] = data.get(_CONFIGURATIONS[data["Field"]]) or {"Values": data.get("Values", [])}
    return found


def _check_present(conditions: list[dict[str, Any]]) -> None:
    if not conditions:
        raise InvalidConditionValueError("A rule must have at least one condition")


def _check_conditions(conditions: list[dict[str, Any]]) -> None:
    for condition in conditions:
        if condition["Field"] not in _CONFIGURATIONS:
            raise ELBClientError("ValidationError", f"The lab has no condition on '{condition['Field']}'")
        if not all(_configuration(condition).get("Values") or [""]):
            raise InvalidConditionValueError("A condition value must be specified")


def _check_priority(priority: int) -> None:
    if not 1 <= priority <= MAX_PRIORITY:
        raise ELBClientError("ValidationError", f"Priority must be between 1 and {MAX_PRIORITY}")


def _check_new_priority(elbv2: Any, rule: Any, given: dict[str, int]) -> None:
    """Refuse a priority that is given twice or that another rule keeps."""
    if rule.is_default:
        raise ELBClientError("OperationNotPermitted", f"Default rule '{rule.arn}' has no priority")
    priority = given[rule.arn]
    _check_priority(priority)
    if list(given.values()).count(priority) > 1:
        raise DuplicatePriorityError(str(priority))
    kept = (other for other in elbv2.describe_rules(rule.listener_arn, None) if other.arn not in given)
    if any(str(other.priority) == str(priority) for other in kept):
        raise PriorityInUseError()
