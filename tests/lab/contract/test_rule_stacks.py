# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A listener rule of a stack: made, changed in place, moved to another listener, removed."""

from __future__ import annotations

from typing import Any

from tests.lab.contract.balancer import Balancer
from tests.lab.contract.support import body, wait_for

NAME = "rule-stack"


def template(listener: str, group: str, secret: str, priority: int = 1) -> dict[str, Any]:
    return {
        "Rule": {
            "Type": "AWS::ElasticLoadBalancingV2::ListenerRule",
            "Properties": {
                "ListenerArn": listener,
                "Priority": priority,
                "Conditions": [
                    {
                        "Field": "http-header",
                        "HttpHeaderConfig": {"HttpHeaderName": "X-Preview", "Values": [secret]},
                    }
                ],
                "Actions": [
                    {"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": group, "Weight": 1}]}}
                ],
            },
        },
        "Topic": {"Type": "AWS::SNS::Topic"},
    }


def update(balancer: Balancer, resources: dict[str, Any]) -> str:
    balancer.api.stacks.update_stack(StackName=NAME, TemplateBody=body(resources))
    return str(balancer.api.settled(NAME)["StackStatus"])


def rule(balancer: Balancer) -> str:
    found = balancer.api.stacks.describe_stack_resource(StackName=NAME, LogicalResourceId="Rule")
    return str(found["StackResourceDetail"]["PhysicalResourceId"])


def priorities(balancer: Balancer, listener: str) -> dict[str, str]:
    found = balancer.api.elb.describe_rules(ListenerArn=listener)["Rules"]
    return {each["RuleArn"]: each["Priority"] for each in found if not each["IsDefault"]}


def reaches_green(balancer: Balancer, secret: str) -> bool:
    return balancer.answers({"green"}, headers={"X-Preview": secret})


def test_a_rule_lives_with_its_stack(balancer: Balancer) -> None:
    api, listener, group = balancer.api, balancer.listener, balancer.green_group
    assert api.create_stack(NAME, template(listener, group, "one"))["StackStatus"] == "CREATE_COMPLETE"
    made = rule(balancer)
    wait_for(lambda: reaches_green(balancer, "one"), "the rule's traffic")

    assert update(balancer, template(listener, group, "two", priority=7)) == "UPDATE_COMPLETE"
    assert priorities(balancer, listener) == {made: "7"}, "the same rule"
    wait_for(lambda: reaches_green(balancer, "two"), "the changed rule's traffic")
    assert balancer.ask(10, headers={"X-Preview": "one"}) == {"blue": 10}

    other, _url = api.listener("rule-stack", {group: 1})
    assert update(balancer, template(other, group, "two")) == "UPDATE_COMPLETE"
    assert priorities(balancer, listener) == {}
    assert list(priorities(balancer, other)) == [rule(balancer)]

    assert update(balancer, {"Topic": template(other, group, "two")["Topic"]}) == "UPDATE_COMPLETE"
    assert priorities(balancer, other) == {}
    api.delete_stack(NAME)


def test_a_refused_rule_fails_the_stack_and_the_rule_before_stays(balancer: Balancer) -> None:
    api, listener, group = balancer.api, balancer.listener, balancer.green_group
    api.create_stack(NAME, template(listener, group, "one"))
    assert update(balancer, template(listener, group, "two", priority=0)) == "UPDATE_ROLLBACK_COMPLETE"
    assert any("Priority" in reason for reason in api.reasons(NAME))
    wait_for(lambda: reaches_green(balancer, "one"), "the rule as it was")
    assert list(priorities(balancer, listener).values()) == ["1"]
    api.delete_stack(NAME)
