# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Listener rules: the API as AWS has it, and requests that follow them."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from tests.lab.contract.balancer import Balancer, load
from tests.lab.contract.haproxy import pid
from tests.lab.contract.support import Api, forward, wait_for
from tests.lab.contract.target import Target

SECRET = "0123456789abcdef"


def header(value: str, name: str = "X-Preview") -> dict[str, Any]:
    return {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": name, "Values": [value]}}


def path(*values: str) -> dict[str, Any]:
    return {"Field": "path-pattern", "PathPatternConfig": {"Values": list(values)}}


def host(*values: str) -> dict[str, Any]:
    return {"Field": "host-header", "HostHeaderConfig": {"Values": list(values)}}


def create(
    balancer: Balancer, *conditions: dict[str, Any], priority: int = 1, weights: Mapping[str, int] | None = None
) -> str:
    """A rule to green, or to what the weights say; returns its ARN."""
    made = balancer.api.elb.create_rule(
        ListenerArn=balancer.listener,
        Priority=priority,
        Conditions=list(conditions),
        Actions=forward(weights or {balancer.green_group: 1}),
    )
    return str(made["Rules"][0]["RuleArn"])


def described(balancer: Balancer) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = balancer.api.elb.describe_rules(ListenerArn=balancer.listener)["Rules"]
    return found


# --- the API


def test_rules_are_shown_in_their_order_with_the_default_one_last(balancer: Balancer) -> None:
    second = create(balancer, header(SECRET), priority=20)
    first = create(balancer, path("/a*"), priority=3)
    shown = described(balancer)
    assert [(rule["Priority"], rule["IsDefault"]) for rule in shown] == [("3", False), ("20", False), ("default", True)]
    assert [rule["RuleArn"] for rule in shown[:2]] == [first, second]
    assert shown[1]["Conditions"][0]["HttpHeaderConfig"] == {"HttpHeaderName": "X-Preview", "Values": [SECRET]}


def test_the_default_rule_has_what_the_listener_was_told_last(balancer: Balancer) -> None:
    balancer.weigh(70, 30)
    groups = described(balancer)[-1]["Actions"][0]["ForwardConfig"]["TargetGroups"]
    assert {group["TargetGroupArn"]: group["Weight"] for group in groups} == {
        balancer.blue_group: 70,
        balancer.green_group: 30,
    }


def test_a_single_target_group_is_shown_in_both_of_its_places(balancer: Balancer) -> None:
    made = balancer.api.elb.create_rule(
        ListenerArn=balancer.listener,
        Priority=1,
        Conditions=[header(SECRET)],
        Actions=[{"Type": "forward", "TargetGroupArn": balancer.green_group}],
    )
    action = made["Rules"][0]["Actions"][0]
    assert action["TargetGroupArn"] == balancer.green_group
    assert action["ForwardConfig"]["TargetGroups"] == [{"TargetGroupArn": balancer.green_group, "Weight": 1}]
    assert action["ForwardConfig"]["TargetGroupStickinessConfig"] == {"Enabled": False}


def test_priorities_can_be_swapped_but_not_taken(balancer: Balancer) -> None:
    first, second, third = (create(balancer, header(str(number)), priority=number) for number in (1, 2, 3))
    wanted = [{"RuleArn": first, "Priority": 2}, {"RuleArn": second, "Priority": 1}]
    balancer.api.elb.set_rule_priorities(RulePriorities=wanted)
    assert [rule["RuleArn"] for rule in described(balancer)[:3]] == [second, first, third]
    with pytest.raises(balancer.api.elb.exceptions.PriorityInUseException):
        balancer.api.elb.set_rule_priorities(RulePriorities=[{"RuleArn": first, "Priority": 3}])
    with pytest.raises(balancer.api.elb.exceptions.PriorityInUseException):
        create(balancer, header("x"), priority=1)


def test_a_rule_that_is_not_there_is_not_found(balancer: Balancer) -> None:
    rule = create(balancer, header(SECRET))
    balancer.api.elb.delete_rule(RuleArn=rule)
    with pytest.raises(balancer.api.elb.exceptions.RuleNotFoundException):
        balancer.api.elb.delete_rule(RuleArn=rule)
    with pytest.raises(balancer.api.elb.exceptions.RuleNotFoundException):
        balancer.api.elb.modify_rule(RuleArn=rule, Conditions=[header("x")])


def test_the_default_rule_is_not_deleted(balancer: Balancer) -> None:
    default = described(balancer)[-1]["RuleArn"]
    with pytest.raises(balancer.api.elb.exceptions.OperationNotPermittedException):
        balancer.api.elb.delete_rule(RuleArn=default)


def test_what_the_load_balancer_cannot_do_is_refused(balancer: Balancer) -> None:
    with pytest.raises(ClientError, match="no condition on 'source-ip'"):
        create(balancer, {"Field": "source-ip", "SourceIpConfig": {"Values": ["192.0.2.0/24"]}})


# --- traffic


def test_only_requests_with_the_header_reach_the_preview(balancer: Balancer) -> None:
    before = pid(balancer.api)
    create(balancer, header(SECRET))
    wait_for(lambda: balancer.answers({"green"}, headers={"X-Preview": SECRET}), "the preview")
    assert balancer.ask(20, headers={"X-Preview": SECRET.upper()}) == {"green": 20}
    for headers in (
        {},
        {"X-Preview": ""},
        {"X-Preview": f"{SECRET}0"},
        {"X-Preview": f"0{SECRET}"},
        {"X-Other": SECRET},
    ):
        assert balancer.ask(20, headers=headers) == {"blue": 20}, headers
    assert pid(balancer.api) == before, "without a reload"


def test_a_changed_secret_takes_effect(balancer: Balancer) -> None:
    rule = create(balancer, header(SECRET))
    wait_for(lambda: balancer.answers({"green"}, headers={"X-Preview": SECRET}), "the preview")
    balancer.api.elb.modify_rule(RuleArn=rule, Conditions=[header("another")])
    wait_for(lambda: balancer.answers({"green"}, headers={"X-Preview": "another"}), "the preview with its new secret")
    assert balancer.ask(20, headers={"X-Preview": SECRET}) == {"blue": 20}
    balancer.api.elb.delete_rule(RuleArn=rule)
    wait_for(lambda: balancer.answers({"blue"}, headers={"X-Preview": "another"}), "no preview")


@pytest.mark.parametrize(
    ("condition", "fits", "others"),
    [
        (
            header("a?c*"),
            [{"X-Preview": "abc"}, {"X-Preview": "aXcde f"}],
            [{"X-Preview": "ac"}, {"X-Preview": "xabc"}],
        ),
        (header("a.c"), [{"X-Preview": "A.C"}], [{"X-Preview": "abc"}]),
        (
            host("*.Example.test"),
            [{"Host": "a.example.TEST"}, {"Host": "a.example.test:8000"}],
            [{"Host": "example.test"}],
        ),
    ],
    ids=["wildcards", "a dot is a dot", "host"],
)
def test_values_fit_without_case_and_with_wildcards(
    balancer: Balancer, condition: dict[str, Any], fits: list[dict[str, str]], others: list[dict[str, str]]
) -> None:
    create(balancer, condition)
    for headers in fits:
        wait_for(lambda headers=headers: balancer.answers({"green"}, headers=headers), str(headers))  # type: ignore[misc]
    for headers in others:
        assert balancer.ask(10, headers=headers) == {"blue": 10}, headers


def test_paths_fit_with_case_and_without_the_query(balancer: Balancer) -> None:
    create(balancer, path("/img/*", "/exact"))
    wait_for(lambda: balancer.answers({"green"}, path="/img/a.png?x=1"), "the path")
    assert balancer.ask(10, "/exact?y") == {"green": 10}
    for other in ("/IMG/a.png", "/exactly", "/?/img/a", "/x/img/a"):
        assert balancer.ask(10, other) == {"blue": 10}, other


def test_every_condition_must_fit(balancer: Balancer) -> None:
    create(balancer, header(SECRET), path("/a*"))
    wait_for(lambda: balancer.answers({"green"}, path="/abc", headers={"X-Preview": SECRET}), "both")
    assert balancer.ask(10, "/abc") == {"blue": 10}
    assert balancer.ask(10, "/b", headers={"X-Preview": SECRET}) == {"blue": 10}


def test_the_first_rule_that_fits_decides(balancer: Balancer) -> None:
    early = create(balancer, path("/*"), priority=2, weights={balancer.blue_group: 1})
    late = create(balancer, header(SECRET), priority=5)
    assert balancer.ask(20, headers={"X-Preview": SECRET}) == {"blue": 20}
    wanted = [{"RuleArn": early, "Priority": 5}, {"RuleArn": late, "Priority": 2}]
    balancer.api.elb.set_rule_priorities(RulePriorities=wanted)
    wait_for(lambda: balancer.answers({"green"}, headers={"X-Preview": SECRET}), "the other rule first")


def test_a_rules_weights_share_out_its_requests_alone(balancer: Balancer) -> None:
    create(balancer, header(SECRET), weights={balancer.blue_group: 50, balancer.green_group: 50})
    wait_for(lambda: balancer.answers({"blue", "green"}, 30, headers={"X-Preview": SECRET}), "both")
    assert 60 < balancer.ask(200, headers={"X-Preview": SECRET})["green"] < 140
    assert balancer.ask(50) == {"blue": 50}


def test_a_group_that_only_a_rule_uses_is_checked_and_serves(balancer: Balancer, api: Api) -> None:
    group = api.target_group("only-a-rule", TargetType="ip")
    with Target("third") as third:
        api.elb.register_targets(TargetGroupArn=group, Targets=[third.registration])
        assert list(api.health(group).values()) == ["unused"]
        rule = create(balancer, header(SECRET), weights={group: 1})
        wait_for(lambda: list(api.health(group).values()) == ["healthy"], "a healthy target")
        wait_for(lambda: balancer.answers({"third"}, headers={"X-Preview": SECRET}), "its answer")
        with pytest.raises(api.elb.exceptions.ResourceInUseException):
            api.elb.delete_target_group(TargetGroupArn=group)
        api.elb.delete_rule(RuleArn=rule)
        wait_for(lambda: list(api.health(group).values()) == ["unused"], "a group that is out of use")


def test_no_request_fails_while_rules_come_change_and_go(balancer: Balancer, api: Api) -> None:
    group = api.target_group("comes-and-goes", TargetType="ip")
    with load(balancer.url) as seen, Target("third") as third:
        api.elb.register_targets(TargetGroupArn=group, Targets=[third.registration])
        for turn in range(8):
            secret = f"{turn}{SECRET}"
            rule = create(balancer, header(secret))
            wait_for(lambda secret=secret: balancer.answers({"green"}, headers={"X-Preview": secret}), "the preview")  # type: ignore[misc]
            api.elb.modify_rule(RuleArn=rule, Conditions=[header("x")], Actions=forward({group: 1}))
            wait_for(lambda: balancer.answers({"third"}, headers={"X-Preview": "x"}), "the third group")
            api.elb.delete_rule(RuleArn=rule)
            wait_for(lambda: balancer.answers({"blue"}, headers={"X-Preview": "x"}), "no preview")
    assert set(seen()) == {"blue"}, seen()
    assert seen().total() > 300


# --- stickiness


def sticky(balancer: Balancer, blue: int, green: int, enabled: bool = True) -> None:
    actions = forward({balancer.blue_group: blue, balancer.green_group: green})
    actions[0]["ForwardConfig"]["TargetGroupStickinessConfig"] = {"Enabled": enabled, "DurationSeconds": 3600}
    balancer.api.elb.modify_listener(ListenerArn=balancer.listener, DefaultActions=actions)


def cookie(balancer: Balancer) -> str | None:
    """The cookie that a new client gets, as it sends it back."""
    address = urlsplit(balancer.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=10)
    connection.request("GET", "/")
    answer = connection.getresponse()
    answer.read()
    connection.close()
    given = answer.getheader("Set-Cookie")
    return given.split(";")[0] if given else None


def test_a_sticky_client_stays_even_where_the_weight_is_zero(balancer: Balancer) -> None:
    assert cookie(balancer) is None, "off is the default"
    sticky(balancer, 100, 0)
    blue = wait_for(lambda: cookie(balancer), "a cookie")
    assert blue.startswith("AWSALBTG=")
    sticky(balancer, 0, 100)
    wait_for(lambda: balancer.answers({"green"}), "new clients on green")
    assert balancer.ask(20, headers={"Cookie": blue}) == {"blue": 20}
    sticky(balancer, 0, 100, enabled=False)
    wait_for(lambda: balancer.answers({"green"}, headers={"Cookie": blue}), "stickiness off")


def test_stickiness_needs_a_duration(balancer: Balancer) -> None:
    actions = forward({balancer.blue_group: 1})
    actions[0]["ForwardConfig"]["TargetGroupStickinessConfig"] = {"Enabled": True}
    with pytest.raises(ClientError, match="DurationSeconds"):
        balancer.api.elb.modify_listener(ListenerArn=balancer.listener, DefaultActions=actions)
