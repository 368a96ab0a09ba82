# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to an env besides: it grows during a deployment, somebody changes it by hand, stacks get stuck."""

from __future__ import annotations

import pytest

from tests.lab.deployments.env import Env, until
from tests.lab.deployments.releases import Releases
from tests.lab.shop import Shop

MOST_READS = 12


@pytest.fixture
def env(shop: Shop, envs: dict[str, Env], releases: Releases) -> Env:
    """The second release serves."""
    steps = envs["steps"]
    steps.write()
    return steps.serves(shop.second)


def test_the_same_command_again_reads_little_and_writes_nothing(shop: Shop, env: Env) -> None:
    since = env.lab.last_call()
    again = env.deploy(shop.second, client="again")
    assert (again.result, again.facts["changed"], again.code) == ("nothing_to_do", False, 0)
    assert env.lab.writes("again", since) == []
    assert len(env.lab.calls("again", since)) <= MOST_READS


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(shop: Shop, env: Env) -> None:
    since, live = env.lab.last_call(), env.status["environment"]["live"]
    planned = env.run("deploy", "--check", "--diff", image=shop.first, client="planner")
    other = "green" if live == "blue" else "blue"
    assert (planned.result, planned.facts["changed"]) == ("deployed", True)
    assert planned.steps[-1] == f"shift all traffic to {other}"
    assert f"would shift all traffic to {other}" in planned.said
    assert f"-{live}: weight 100, {shop.second}, 1 server" in planned.said
    assert f"+{other}: weight 100, {shop.first}, 1 server" in planned.said
    assert env.lab.writes("planner", since) == []


def test_promise_2_a_colour_that_grows_during_a_deployment_keeps_its_size_and_the_new_one_follows(
    shop: Shop, env: Env
) -> None:
    env.write(strategy="canary", canary=[50], bake_time="10m")
    live = env.status["environment"]["live"]
    controller = env.start("deploy", image="r-good").says("wait until 50 % was watched")
    env.scale(live, 2)

    def both_hold() -> bool:
        colours = env.status["environment"]["colours"].values()
        return all((colour["min"], colour["desired"], colour["healthy"]) == (2, 2, 2) for colour in colours)

    until(both_hold, "two servers of both colours, and no fewer allowed", 120)
    assert env.run("abort").result == "aborted"
    assert controller.end().result == "aborted"
    assert [colour["min"] for colour in env.status["environment"]["colours"].values()] == [1, 1]


def test_weights_that_were_set_by_hand_are_refused_unless_they_are_accepted(shop: Shop, env: Env) -> None:
    live = env.status["environment"]["live"]
    env.set_weights(blue=90, green=10) if live == "blue" else env.set_weights(blue=10, green=90)
    refused = env.deploy("r-good")
    assert (refused.result, refused.code, refused.facts["changed"]) == ("aborted", 2, False)
    assert "was changed by hand (the listener has" in refused.message
    env.write(accept_drift=True)
    accepted = env.deploy(shop.second)
    assert accepted.result == "deployed", accepted.said
    assert sorted(env.weights) == [0, 100]
    assert env.weights == env.asked


def test_a_rule_that_was_added_by_hand_is_refused(env: Env) -> None:
    balancers, edge = env.shop.cloud.balancers, env.edge
    rule = balancers.create_rule(
        ListenerArn=edge["ListenerArn"],
        Priority=77,
        Conditions=[{"Field": "path-pattern", "Values": ["/by-hand"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": edge["BlueTargetGroupArn"]}],
    )["Rules"][0]["RuleArn"]
    refused = env.deploy("r-good")
    balancers.delete_rule(RuleArn=rule)
    assert (refused.result, refused.code, refused.facts["changed"]) == ("aborted", 2, False)
    assert "was changed by hand (rule 77 (path-pattern))" in refused.message


def test_a_colour_whose_stack_failed_is_made_again_by_the_next_run(shop: Shop, env: Env) -> None:
    other = "green" if env.status["environment"]["live"] == "blue" else "blue"
    # A further tag: another colour of the same release, so that one is made.
    env.write(tags={"try": "1"})
    env.lab.fault("fail_resource", {"stack": env.stack(other), "resource": "AutoScalingGroup", "action": "create"})
    failed = env.deploy("r-good")
    assert (failed.result, failed.code) == ("aborted", 2), failed.said
    assert "AutoScalingGroup" in failed.message
    stack = env.find_stack(env.stack(other))
    assert stack is not None
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    again = env.deploy("r-good")
    assert again.result == "deployed", again.said
    assert f"delete {other}" in again.steps


def test_an_edge_whose_update_could_not_be_undone_is_continued(shop: Shop, env: Env) -> None:
    match = {"stack": env.stack("edge"), "resource": "HttpListener"}
    env.lab.fault("fail_resource", {**match, "action": "update"})
    env.lab.fault("fail_resource", {**match, "action": "rollback"})
    ended = env.deploy("r-good")
    assert ended.result == "deployed", ended.said
    assert "continue the edge's update" in ended.steps
    assert env.weights == env.asked
