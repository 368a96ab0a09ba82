# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's loop: what is written in which order, whatever goes wrong on the way."""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError, LeaseLost
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import engine as rooms
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import proof
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.engine import MOST_REPEATS, Engine
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.settings import (
    CommandSettings,
    GateSettings,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    GateState,
    Observed,
    Preview,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.settings import Environment, Settings
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import (
    Align,
    CreateColour,
    DeleteColour,
    OpenPreview,
    Result,
    Shift,
    TurnBack,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import (
    Capacity,
    GateRules,
    Retired,
    Strategy,
    Wanted,
)
from tests.unit.deployment.memory import Env, Time
from tests.unit.deployment.worlds import BLUE, GREEN, NOW, begun, deployed, edge, ledger, order, shares, stack, world

SETTINGS = Settings(
    Environment("shop", "prod"),
    "newest",
    Capacity(2, 4),
    "t3.small",
    "template",
    {},
    {},
    "/up",
    timedelta(minutes=10),
    timedelta(hours=1),
    False,
    strategy="canary",
    steps=(10, 50, 100),
    bake_time=timedelta(minutes=1),
    gates=GateSettings(command=CommandSettings("smoke", "false")),
)
CANARY = Strategy("canary", (10, 50, 100), timedelta(minutes=1))
R2 = deployed("r2", strategy=CANARY)
LIVE = world(edge(blue=100), stack(BLUE, "r1"))
NEW = stack(GREEN, "r2", 1, replaces_unhealthy=False)
HALF = shares(50, 50, stack(BLUE, "r1"), NEW, ledger=ledger(begun("r2"), order(begun("r2"))))
GONE_WRONG = "gate alarms failed: shop-5xx"
BACK = ["turn all traffic back to blue", f"write down: {GONE_WRONG}"]
ALIGN = "bring the edge's stack into line: all traffic to blue"

Build = Callable[..., tuple[Engine, Env]]


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch, time: Time) -> Build:
    def build(seen: Observed, wanted: Wanted = R2) -> tuple[Engine, Env]:
        env = Env(seen, wanted, time)
        monkeypatch.setattr(rooms, "Actor", lambda _clients, _settings: env)
        monkeypatch.setattr(rooms, "Judge", lambda _clients, _settings: env)
        monkeypatch.setattr(rooms, "check_start", lambda *_asked: None)
        monkeypatch.setattr(proof, "ask", env.answers)
        nothing: t.Any = None
        return Engine(nothing, SETTINGS, t.cast(t.Any, env), wanted, env.told.append), env

    return build


def alarms(env: Env, least: int) -> None:
    """The alarms' gate fails from a share on."""
    env.says = lambda share: GateState.FAILED if share >= least else GateState.PASSED


# ---------------------------------------------------------------- forward


def test_a_canary_from_nothing_to_the_end(build: Build) -> None:
    engine, env = build(LIVE)
    outcome = engine.run()
    assert env.log == [
        "take the lock",
        "create green with 2 servers",
        "keep unhealthy servers of green",
        "open the preview of green",
        "arm the guard with shop-5xx",
        "shift 10 % of the traffic to green",
        "shift 50 % of the traffic to green",
        "shift all traffic to green",
        "replace unhealthy servers of green again",
        "finish: deployed",
    ]
    assert (outcome.plan.result, outcome.plan.proven, outcome.failed) == (Result.DEPLOYED, True, False)


def test_each_share_is_watched_for_its_bake_time(build: Build, time: Time) -> None:
    engine, _env = build(LIVE)
    engine.run()
    assert timedelta(minutes=3) <= time.now - NOW < timedelta(minutes=4)


def test_nothing_to_do_writes_nothing_and_takes_no_lock(build: Build) -> None:
    engine, env = build(LIVE, deployed("r1"))
    outcome = engine.run()
    assert (env.log, env.looks, outcome.done) == ([], 1, ())
    assert outcome.plan.result is Result.NOTHING_TO_DO


def test_a_preview_writes_nothing(build: Build) -> None:
    engine, env = build(LIVE)
    outcome = engine.preview()
    assert env.log == []
    assert outcome.after.edge.weights == {BLUE: 0, GREEN: 100}


def test_promise_3_an_unfinished_deployment_that_has_come_to_its_end_is_ended(build: Build) -> None:
    """The run before was killed right before it could say so."""
    seen = world(edge(blue=100), stack(BLUE, "r1"), NEW, ledger=ledger(begun("r2", turned_back="gate alarms failed")))
    engine, env = build(seen)
    engine.run()
    assert env.log == ["take the lock", "finish: aborted"]


def test_promise_4_another_release_is_refused_without_the_lock(build: Build) -> None:
    engine, env = build(HALF, deployed("r3"))
    assert engine.run().plan.result is Result.ABORTED
    assert env.log == []


def test_promise_4_where_another_had_the_lock_meanwhile_it_is_begun_from_what_is_there_now(build: Build) -> None:
    engine, env = build(LIVE)
    env.ledger.overtaken = True
    engine.run()
    assert env.log[:3] == ["take the lock", "take the lock", "create green with 2 servers"]
    assert env.log[-1] == "finish: deployed"


def test_a_retire_has_no_deployment_that_could_end(build: Build) -> None:
    idle = world(edge(green=100, swapped_at=None), stack(BLUE, "r1", 120), stack(GREEN, "r2", 100))
    engine, env = build(idle, Retired(timedelta(0)))
    assert engine.run().plan.result is Result.RETIRED
    assert env.log == ["take the lock", "delete blue", "give the lock back"]


# ---------------------------------------------------------------- back


def test_promise_6_what_for_is_written_down_after_the_listener_was_set_and_before_anything_else(build: Build) -> None:
    engine, env = build(HALF)
    alarms(env, 50)
    outcome = engine.run()
    assert env.log == ["take the lock", *BACK, ALIGN, "finish: rolled_back"]
    assert outcome.failed


def test_promise_6_what_was_turned_back_never_goes_forward_in_the_same_run(build: Build) -> None:
    """The gate passes again as soon as the bad release has no traffic."""
    engine, env = build(LIVE)
    alarms(env, 10)
    engine.run()
    assert env.log[-5:] == ["shift 10 % of the traffic to green", *BACK, ALIGN, "finish: rolled_back"]


def test_promise_6_where_the_listener_is_refused_the_stack_turns_traffic_back(build: Build) -> None:
    engine, env = build(HALF)
    alarms(env, 50)
    env.failing = {TurnBack: AwsError("set the weights", "AccessDenied")}
    engine.run()
    assert env.log == ["take the lock", ALIGN, f"write down: {GONE_WRONG}", "finish: rolled_back"]
    assert any("turning back by the edge's stack" in line for line in env.told)


def test_promise_6_an_abort_by_another_controller_turns_it_back(build: Build) -> None:
    engine, env = build(HALF)

    def abort(_share: int) -> GateState:
        assert env.ledger.deployment
        env.ledger.deployment = replace(env.ledger.deployment, abort_by="bob")
        return GateState.PASSED

    env.says = abort
    assert engine.run().plan.result is Result.ABORTED
    assert env.log == [
        "take the lock",
        "turn all traffic back to blue",
        "write down: bob asked for its end",
        ALIGN,
        "finish: aborted",
    ]


def test_a_command_that_fails_ends_it_before_any_traffic(build: Build) -> None:
    engine, env = build(LIVE, deployed("r2", strategy=CANARY, gates=GateRules("smoke")))
    outcome = engine.run()
    assert outcome.plan.result is Result.ABORTED
    assert not [step for step in outcome.done if isinstance(step, Shift)]
    assert env.log[-3].startswith("write down: gate command failed: smoke ended with exit status 1")
    assert env.log[-2:] == ["close the preview", "finish: aborted"]


def test_promise_6_a_guard_that_was_quicker_than_a_shift_is_obeyed(build: Build) -> None:
    engine, env = build(LIVE)
    env.ledger.guard_is_quicker = True
    assert engine.run().plan.result is Result.ROLLED_BACK
    assert not [line for line in env.log if line.startswith("shift")]
    assert env.log[-1] == "finish: rolled_back"


def test_promise_6_a_guard_that_was_quicker_than_the_end_sends_it_round_again(build: Build) -> None:
    done = shares(0, 100, stack(BLUE, "r1"), stack(GREEN, "r2", 1))
    engine, env = build(done)
    env.ledger.guard_is_quicker = True
    outcome = engine.run()
    assert outcome.plan.result is Result.ROLLED_BACK
    assert env.log[-4] == "turn all traffic back to blue"
    assert env.log[-3].startswith("write down: the guard turned traffic back")
    assert env.log[-2:] == [ALIGN, "finish: rolled_back"]


# ---------------------------------------------------------------- in vain


def test_a_wait_that_is_too_long_turns_back(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, env = build(HALF)
    monkeypatch.setattr(proof, "ask", lambda *_asked, **_more: {"r1": 12})
    outcome = engine.run()
    assert outcome.plan.result is Result.ROLLED_BACK
    reason = "waited 0:05:00 until requests show 50 % on green, in vain: seen:"
    assert env.log[1].startswith(f"write down: {reason}")
    assert env.log[2:] == ["turn all traffic back to blue", ALIGN, "finish: rolled_back"]


def test_promise_7_a_wait_that_is_too_long_with_nothing_to_turn_back_to_needs_a_person(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, env = build(world(edge()), deployed("r1"))
    monkeypatch.setattr(proof, "ask", lambda *_asked, **_more: {"": 3})
    outcome = engine.run()
    assert outcome.plan.result is Result.DIRTY
    assert "until the preview of blue answers, in vain" in outcome.plan.reason
    assert env.log[-2:] == ["open the preview of blue", "give the lock back"]


@pytest.mark.parametrize("kind", [OpenPreview, Shift, CreateColour])
def test_a_write_in_vain_is_not_made_for_ever(build: Build, kind: type) -> None:
    engine, env = build(LIVE)
    env.useless = (kind,)
    outcome = engine.run()
    repeated = [step for step in outcome.done if isinstance(step, kind)]
    assert len(repeated) == MOST_REPEATS
    assert f"{repeated[0]} was done 3 times, in vain" in outcome.plan.reason
    assert env.log[-1] == "finish: aborted" if kind is not Shift else "finish: rolled_back"


def test_promise_7_a_write_in_vain_on_the_way_back_needs_a_person(build: Build) -> None:
    engine, env = build(HALF)
    alarms(env, 50)
    env.useless = (Align,)
    outcome = engine.run()
    assert outcome.plan.result is Result.DIRTY
    assert env.log[-4:] == [ALIGN, ALIGN, ALIGN, "give the lock back"]


def test_a_lock_that_is_given_back_leaves_the_deployment_for_the_next_run(build: Build) -> None:
    engine, env = build(HALF)
    alarms(env, 50)
    env.useless = (Align,)
    engine.run()
    assert env.ledger.deployment
    assert env.ledger.deployment.turned_back == GONE_WRONG


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize("error", [AwsError("create it", "Throttling"), Refused("it has traffic by now")])
def test_an_error_gives_the_lock_back_and_leaves_the_rest_to_the_next_run(build: Build, error: Exception) -> None:
    engine, env = build(LIVE)
    env.failing = {CreateColour: t.cast(t.Any, error)}
    with pytest.raises(type(error)):
        engine.run()
    assert env.log == ["take the lock", "give the lock back"]


def test_promise_4_whoever_lost_the_process_that_started_it_writes_nothing_more(build: Build) -> None:
    engine, env = build(LIVE)
    env.ledger.fence.orphaned = True
    with pytest.raises(LeaseLost, match="the process that started this one is gone"):
        engine.run()
    assert not [line for line in env.log if line.startswith("create")]


def test_a_lease_that_is_not_renewed_once_is_a_note(build: Build) -> None:
    engine, env = build(LIVE)
    env.ledger.expired, env.ledger.unanswered = True, 1
    assert engine.run().plan.result is Result.DEPLOYED
    assert [line for line in env.told if "the lock was not renewed, and will be" in line]
    assert env.log[1].startswith(("create", "renew"))


def test_promise_2_a_higher_number_of_servers_is_written_down_at_once(build: Build) -> None:
    grown = stack(BLUE, "r1", desired=4, healthy=4, minimum=4)
    bigger = stack(GREEN, "r2", 1, desired=4, healthy=4, minimum=4, replaces_unhealthy=False)
    engine, env = build(shares(50, 50, grown, bigger))
    engine.run()
    assert env.log[:2] == ["take the lock", "renew, baseline 4"]


def test_promise_5_facts_behind_a_deletion_are_looked_at_right_before(build: Build, monkeypatch: t.Any) -> None:
    idle = world(edge(green=100, swapped_at=None), stack(BLUE, "r1", 120), stack(GREEN, "r2", 100))
    engine, env = build(idle, Retired(timedelta(0)))

    def fresh(seen: Observed, *_parts: object) -> Observed:
        env.seen = replace(env.seen, edge=edge(50, 50))
        return replace(env.seen, ledger=seen.ledger)

    monkeypatch.setattr(env, "fresh", fresh)
    outcome = engine.run()
    assert not [step for step in outcome.done if isinstance(step, DeleteColour)]


def test_the_secret_of_a_preview_is_in_nothing_that_is_told(build: Build) -> None:
    """promise 8"""
    engine, env = build(LIVE)
    engine.run()
    assert "c0ffee" not in repr(Preview(GREEN, "c0ffee"))
    assert not [line for line in env.told if "c0ffee" in line]
