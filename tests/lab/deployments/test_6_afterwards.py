# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After a swap: rolled back in steps, at once, or anew; and retired when nothing needs the old colour any more."""

from __future__ import annotations

import pytest

from tests.lab.deployments.env import Env, until
from tests.lab.shop import Shop

IN_STEPS = {"strategy": "canary", "canary": [50], "bake_time": "1s", "rollback": "in_steps"}


@pytest.fixture
def env(shop: Shop, envs: dict[str, Env]) -> Env:
    """The second release has taken over from the first."""
    pair = envs["pairs"]
    pair.write()
    pair.serves(shop.second)
    pair.write(**IN_STEPS)
    return pair


def test_a_rollback_goes_in_steps_where_the_file_says_so(shop: Shop, env: Env) -> None:
    back = env.run("rollback")
    assert (back.result, back.code, back.facts["release"]) == ("rolled_back", 0, shop.first), back.said
    assert [step for step in back.steps if step.startswith("shift")] == [
        "shift 50 % of the traffic to blue",
        "shift all traffic to blue",
    ]


def test_a_rollback_is_made_at_once_where_a_person_says_so(shop: Shop, env: Env) -> None:
    back = env.run("rollback", immediate=True)
    assert (back.result, back.code, back.facts["release"]) == ("rolled_back", 0, shop.first), back.said
    assert [step for step in back.steps if step.startswith("shift")] == ["shift all traffic to blue"]


def test_a_colour_is_not_retired_while_its_window_is_open(shop: Shop, env: Env) -> None:
    kept = env.run("retire")
    assert (kept.result, kept.code) == ("nothing_to_do", 0), kept.said
    assert f"blue with {shop.first} stays warm for another" in kept.reason
    assert set(env.colours) == {"blue", "green"}


def test_a_colour_that_still_answers_is_not_retired(shop: Shop, env: Env) -> None:
    """Somebody has made a rule that gives it requests; it goes when they are over."""
    balancers, edge = env.shop.cloud.balancers, env.edge
    rule = balancers.create_rule(
        ListenerArn=edge["ListenerArn"],
        Priority=50,
        Conditions=[{"Field": "path-pattern", "Values": ["/up"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": edge["BlueTargetGroupArn"]}],
    )["Rules"][0]["RuleArn"]
    until(lambda: env.answering() == {shop.first}, "the rule works")
    controller = env.start("retire", immediate=True).says(f"{shop.first} still answered one")
    assert set(env.colours) == {"blue", "green"}
    balancers.delete_rule(RuleArn=rule)
    ended = controller.end()
    assert ended.result == "retired", ended.said
    assert set(env.colours) == {"green"}


def test_after_the_old_colour_was_retired_a_rollback_deploys_the_release_before_anew(shop: Shop, env: Env) -> None:
    if "blue" in env.colours:
        assert env.run("retire", immediate=True).result == "retired"
    back = env.run("rollback")
    assert (back.result, back.code, back.facts["release"]) == ("rolled_back", 0, shop.first), back.said
    assert f"the release before, {shop.first}, is deployed anew from its image" in back.said
    assert "create blue with 1 server" in back.steps
