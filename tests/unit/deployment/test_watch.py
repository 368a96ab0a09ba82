# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one run remembers: proof adds up until traffic moves, and gates are not read more often than they change."""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.aws import cloudwatch
from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import proof
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.model import AlarmState, Metrics
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.settings import (
    AnalysisSettings,
    GateSettings,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.judge import Judge
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    Colour,
    GateState,
    Observed,
    Watch,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.naming import EdgeStack
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan import plan
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.settings import Environment, Settings
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import (
    ContinueUpdate,
    OpenPreview,
    Shift,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import Capacity
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.watch import Watcher
from tests.unit.deployment.memory import Time
from tests.unit.deployment.worlds import (
    BLUE,
    CANARY,
    GREEN,
    NOW,
    PREVIEW,
    begun,
    deployed,
    edge,
    ledger,
    shares,
    stack,
    world,
)

ARN = "arn:aws:elasticloadbalancing:eu-central-1::"
EDGE = EdgeStack(
    "shop-prod-edge",
    "id",
    "UPDATE_COMPLETE",
    {
        "LoadBalancerArn": f"{ARN}loadbalancer/app/shop/1",
        "BlueTargetGroupArn": f"{ARN}targetgroup/blue/1",
        "GreenTargetGroupArn": f"{ARN}targetgroup/green/1",
        "AlarmNames": "shop-5xx",
    },
    {},
)
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
    bake_time=timedelta(minutes=5),
    gates=GateSettings(analysis=AnalysisSettings(), deadline=timedelta(minutes=10)),
)
R2 = deployed("r2", strategy=CANARY)
HALF = shares(50, 50, stack(BLUE, "r1"), stack(GREEN, "r2", 10))
SPLIT = {"r1": 6, "r2": 6}


class Aws:
    """CloudWatch and the load balancer, as far as a watcher asks them."""

    def __init__(self) -> None:
        self.answers: t.Any = SPLIT
        self.asked = 0
        self.alarm = "OK"
        self.alarms_read = 0
        self.denied = False
        self.requests = 1000
        self.metrics_read = 0

    def ask(self, *_asked: object, **_more: object) -> t.Any:
        self.asked += 1
        return self.answers

    def describe_alarms(self, _clients: object, names: t.Iterable[str]) -> dict[str, AlarmState]:
        self.alarms_read += 1
        if self.denied:
            raise AwsError("read the alarms", "AccessDenied")
        return {name: AlarmState(name, self.alarm, "why", "notBreaching", NOW) for name in names}

    def colour_metrics(self, _clients: object, _balancer: str, groups: dict[Colour, str], *_when: object) -> t.Any:
        self.metrics_read += 1
        return {colour: Metrics(self.requests, 0, 0, 0.1) for colour in groups}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, time: Time) -> Aws:
    made = Aws()
    monkeypatch.setattr(proof, "ask", made.ask)
    monkeypatch.setattr(cloudwatch, "describe_alarms", made.describe_alarms)
    monkeypatch.setattr(cloudwatch, "colour_metrics", made.colour_metrics)
    return made


@pytest.fixture
def watcher(aws: Aws) -> Watcher:
    return Watcher(SETTINGS, Judge(t.cast(t.Any, None), SETTINGS))


@pytest.fixture
def look(watcher: Watcher) -> Callable[..., Watch]:
    def look(seen: Observed = HALF) -> Watch:
        return watcher.add(EDGE, seen, R2).watch

    return look


Look = Callable[..., Watch]


# ---------------------------------------------------------------- proof


def test_promise_3_responses_that_show_the_weights_are_proof(look: Look) -> None:
    assert look().proven_at == NOW


def test_few_responses_add_up_to_proof(look: Look, watcher: Watcher, aws: Aws) -> None:
    aws.answers = {"r1": 6}
    assert look().proven_at is None
    aws.answers = {"r2": 6}
    assert look().proven_at == NOW
    assert watcher.add(EDGE, HALF, R2).answers == {"r1": 6, "r2": 6}


def test_what_is_proven_is_not_asked_for_again(look: Look, aws: Aws) -> None:
    look(), look()
    assert aws.asked == 1


def test_what_the_load_balancer_did_before_it_followed_is_no_evidence_for_ever(look: Look, aws: Aws) -> None:
    aws.answers = {"r1": 250}
    look()
    aws.answers = SPLIT
    assert look().proven_at == NOW


def test_with_all_traffic_only_the_newest_responses_count(look: Look, aws: Aws) -> None:
    whole = shares(0, 100, stack(BLUE, "r1"), stack(GREEN, "r2", 10))
    aws.answers = {"r1": 1}
    assert look(whole).proven_at is None
    aws.answers = {"r2": 12}
    assert look(whole).proven_at == NOW


def test_a_shift_needs_proof_of_its_own(look: Look, watcher: Watcher) -> None:
    look()
    watcher.did(Shift(GREEN, "it is healthy", 50))
    seen = watcher.add(EDGE, replace(HALF, ledger=ledger()), R2)
    assert (seen.watch.proven_at, seen.answers, seen.watch.shifted) == (None, None, True)


def test_so_do_weights_that_somebody_else_set(look: Look, aws: Aws) -> None:
    look()
    aws.answers = {"r1": 12}
    assert look(shares(40, 60, stack(BLUE, "r1"), stack(GREEN, "r2", 10))).proven_at is None


@pytest.mark.parametrize(("minutes", "proven"), [(1, False), (4, True)])
def test_without_a_way_to_the_load_balancer_its_counts_stand_in(
    look: Look, aws: Aws, time: Time, minutes: int, proven: bool
) -> None:
    aws.answers, aws.requests = None, 0
    first = look()
    assert (first.proven_at, first.unproven) == (None, True)
    time.passes(60 * minutes)
    assert bool(look().proven_at) is proven


def test_a_count_is_enough(look: Look, aws: Aws, time: Time) -> None:
    aws.answers = None
    look()
    time.passes(150)
    assert look().proven_at == time.now


# ---------------------------------------------------------------- the preview and the command

OPEN = world(edge(blue=100, preview=PREVIEW), stack(BLUE, "r1"), stack(GREEN, "r2", 1), ledger=ledger(begun("r2")))


def test_the_preview_is_shown_by_responses_of_the_new_release(look: Look, aws: Aws) -> None:
    aws.answers = {"r1": 3}
    assert not look(OPEN).preview_shown
    aws.answers = {"r2": 3}
    assert look(OPEN).preview_shown


def test_one_response_of_another_is_no_preview(look: Look, aws: Aws) -> None:
    aws.answers = {"r2": 2, "r1": 1}
    assert not look(OPEN).preview_shown


def test_where_the_load_balancer_can_not_be_reached_the_preview_holds_nothing_up(look: Look, aws: Aws) -> None:
    aws.answers = None
    watch = look(OPEN)
    assert (watch.preview_shown, watch.unproven) == (True, True)


def test_a_preview_that_is_opened_again_is_shown_again_and_its_command_run_again(
    look: Look, watcher: Watcher, aws: Aws
) -> None:
    aws.answers = {"r2": 3}
    look(OPEN)
    aws.answers = {"r1": 3}
    watcher.did(OpenPreview(GREEN, "why"))
    watch = look(OPEN)
    assert (watch.preview_shown, watch.command) == (False, None)


def test_each_continued_update_counts(watcher: Watcher, look: Look) -> None:
    watcher.did(ContinueUpdate((), "why"))
    watcher.did(ContinueUpdate((), "why"))
    assert look().continued == 2


# ---------------------------------------------------------------- gates


def states(watch: Watch) -> dict[str, GateState]:
    return {verdict.gate: verdict.state for verdict in watch.verdicts}


def test_promise_6_an_alarm_fails_within_seconds(look: Look, aws: Aws, time: Time) -> None:
    look()
    aws.alarm = "ALARM"
    time.passes(4)
    assert states(look())["alarms"] is GateState.FAILED


def test_alarms_are_not_read_at_every_look(look: Look, aws: Aws, time: Time) -> None:
    for _look in range(8):
        look()
        time.passes(1)
    assert aws.alarms_read == 2


def test_metrics_are_read_every_fifteen_seconds_at_most(look: Look, aws: Aws, time: Time) -> None:
    look()
    time.passes(150)
    read = aws.metrics_read
    for _look in range(30):
        look()
        time.passes(1)
    assert aws.metrics_read - read == 2


def test_promise_6_a_gate_that_can_not_be_read_holds_and_fails_after_its_deadline(
    look: Look, aws: Aws, time: Time
) -> None:
    aws.denied = True
    assert states(look())["alarms"] is GateState.UNREADABLE
    for _minute in range(10):
        assert states(look())["alarms"] is GateState.UNREADABLE
        time.passes(60)
    assert states(look())["alarms"] is GateState.FAILED


def test_its_time_begins_anew_with_each_answer(look: Look, aws: Aws, time: Time) -> None:
    for denied in (True, False, True):
        aws.denied = denied
        for _minute in range(6):
            watch = look()
            time.passes(60)
    assert states(watch)["alarms"] is GateState.UNREADABLE


def test_a_shift_begins_what_is_measured_anew(look: Look, watcher: Watcher, aws: Aws, time: Time) -> None:
    look()
    time.passes(150)
    assert states(look())["analysis"] is GateState.PASSED
    watcher.did(Shift(GREEN, "it is healthy", 50))
    assert states(look())["analysis"] is GateState.UNDECIDED


def test_what_goes_back_is_not_judged_any_more(look: Look, aws: Aws) -> None:
    look(replace(HALF, ledger=ledger(begun("r2", turned_back="an alarm"))))
    assert (aws.asked, aws.alarms_read) == (0, 0)


# ---------------------------------------------------------------- before an end


def test_promise_3_an_end_is_asked_for_once_more(watcher: Watcher, aws: Aws) -> None:
    aws.answers = {"r1": 12}
    seen = world(edge(blue=100), stack(BLUE, "r1"))
    asked = watcher.before_end(EDGE, seen, plan(seen, deployed("r1"), NOW))
    assert asked.answers == {"r1": 12}


def test_what_still_has_a_way_to_go_is_not(watcher: Watcher, aws: Aws) -> None:
    seen = world(edge(blue=100), stack(BLUE, "r1"))
    assert watcher.before_end(EDGE, seen, plan(seen, R2, NOW)) is seen
    assert aws.asked == 0


def test_promise_1_before_a_deletion_the_load_balancers_counts_are_read(watcher: Watcher, aws: Aws) -> None:
    seen = world(edge(blue=100), stack(BLUE, "r1"), stack(GREEN, "r0"))
    assert watcher.before_end(EDGE, seen, plan(seen, R2, NOW)).idle_requests == 1000
