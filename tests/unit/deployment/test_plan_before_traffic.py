# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts → the steps before a release has any traffic, as tables."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    GateState,
    Observed,
    StackPhase,
    Watch,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan import plan
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import Await, Result
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import (
    Deployed,
    GateRules,
)
from tests.unit.deployment.worlds import (
    BLUE,
    CANARY,
    DEADLINE,
    GREEN,
    NOW,
    PREVIEW,
    begun,
    deployed,
    edge,
    ledger,
    stack,
    steps,
    verdict,
    world,
)

OLD = stack(BLUE, "r1")
NEW = stack(GREEN, "r2", 1, replaces_unhealthy=False)
BEGUN = ledger(begun("r2"))
KEPT = "keep unhealthy servers of green"
HEALTHY = "wait until 2 servers of green are healthy"
PREVIEWED = ["open the preview of green", "wait until the preview of green answers"]
SWAP = "shift all traffic to green"

STEPS: dict[str, tuple[Observed, Deployed, list[str]]] = {
    "the first release goes to blue, all at once whatever the strategy, and is tried before": (
        world(edge()),
        deployed("r1", strategy=CANARY),
        [
            "create blue with 2 servers",
            KEPT.replace("green", "blue"),
            "wait until 2 servers of blue are healthy",
            "open the preview of blue",
            "wait until the preview of blue answers",
            "shift all traffic to blue",
        ],
    ),
    "the next goes to the idle colour": (
        world(edge(blue=100), OLD),
        deployed("r2"),
        ["create green with 2 servers", KEPT, HEALTHY, *PREVIEWED, SWAP],
    ),
    "promise 2: it starts with as many servers as the live colour wants now, which are held": (
        world(edge(blue=100), stack(BLUE, "r1", desired=3, healthy=3)),
        deployed("r2"),
        [
            "hold blue at 3 servers at least",
            "create green with 3 servers",
            KEPT,
            "wait until 3 servers of green are healthy",
            *PREVIEWED,
            SWAP,
        ],
    ),
    "but never with more than the env's maximum": (
        world(edge(blue=100), stack(BLUE, "r1", desired=9, minimum=4, healthy=9, maximum=9)),
        deployed("r2", maximum=4),
        ["create green with 4 servers", KEPT, "wait until 4 servers of green are healthy", *PREVIEWED, SWAP],
    ),
    "nor with less than its minimum": (
        world(edge(blue=100), stack(BLUE, "r1", desired=1, minimum=3, healthy=1)),
        deployed("r2", minimum=3),
        [
            "hold blue at 3 servers at least",
            "create green with 3 servers",
            KEPT,
            "wait until 3 servers of green are healthy",
            *PREVIEWED,
            SWAP,
        ],
    ),
    "an older release makes room first": (
        world(edge(blue=100), OLD, stack(GREEN, "r0")),
        deployed("r2"),
        [
            "delete green",
            "wait until green is deleted",
            "create green with 2 servers",
            KEPT,
            HEALTHY,
            *PREVIEWED,
            SWAP,
        ],
    ),
    "promise 1: not while its servers finish their requests": (
        world(edge(blue=100, drain=timedelta(minutes=6)), OLD, stack(GREEN, "r0")),
        deployed("r2"),
        [
            "wait until green has finished its requests",
            "delete green",
            "wait until green is deleted",
            "create green with 2 servers",
            KEPT,
            HEALTHY,
            *PREVIEWED,
            SWAP,
        ],
    ),
    "one that never had traffic is at none": (
        world(edge(blue=100, drain=timedelta(minutes=6)), OLD, stack(GREEN, "r0", 4), idle_requests=1),
        deployed("r2"),
        [
            "delete green",
            "wait until green is deleted",
            "create green with 2 servers",
            KEPT,
            HEALTHY,
            *PREVIEWED,
            SWAP,
        ],
    ),
    "a colour that is being deleted is waited for": (
        world(edge(blue=100), OLD, stack(GREEN, "r0", phase=StackPhase.DELETING)),
        deployed("r2"),
        ["wait until green is deleted", "create green with 2 servers", KEPT, HEALTHY, *PREVIEWED, SWAP],
    ),
    "promise 3: killed while the colour was made, the same command waits for it": (
        world(edge(blue=100), OLD, stack(GREEN, "r2", 1, phase=StackPhase.BUSY), ledger=BEGUN),
        deployed("r2"),
        ["wait until green is made", KEPT, HEALTHY, *PREVIEWED, SWAP],
    ),
    "a colour that never served keeps its unhealthy servers, also where an earlier run made it": (
        world(edge(blue=100), OLD, stack(GREEN, "r2", 1), ledger=BEGUN),
        deployed("r2"),
        [KEPT, HEALTHY, *PREVIEWED, SWAP],
    ),
    "promise 1: no preview and no traffic before every server is healthy": (
        world(edge(blue=100), OLD, stack(GREEN, "r2", 1, healthy=1, replaces_unhealthy=False), ledger=BEGUN),
        deployed("r2"),
        [HEALTHY, *PREVIEWED, SWAP],
    ),
    "promise 2: the live colour has grown meanwhile, and both are held": (
        world(edge(blue=100), stack(BLUE, "r1", desired=4, healthy=4), NEW, ledger=BEGUN),
        deployed("r2"),
        [
            "hold blue at 4 servers at least",
            "hold green at 4 servers at least",
            "wait until 4 servers of green are healthy",
            *PREVIEWED,
            SWAP,
        ],
    ),
    "promise 2: the live colour has shrunk again, and the highest counts": (
        world(edge(blue=100), OLD, NEW, ledger=ledger(begun("r2", baseline=4))),
        deployed("r2"),
        [
            "hold blue at 4 servers at least",
            "hold green at 4 servers at least",
            "wait until 4 servers of green are healthy",
            *PREVIEWED,
            SWAP,
        ],
    ),
    "a live colour below its minimum by hand is brought to it": (
        world(edge(blue=100), stack(BLUE, "r1", desired=2, minimum=1), NEW, ledger=BEGUN),
        deployed("r2"),
        ["hold blue at 2 servers at least", HEALTHY, *PREVIEWED, SWAP],
    ),
    "a failed attempt of an earlier run is removed and made again": (
        world(edge(blue=100), OLD, stack(GREEN, "r2", 1, phase=StackPhase.BROKEN, status="ROLLBACK_COMPLETE")),
        deployed("r2"),
        ["delete green", "wait until green is deleted", "create green with 2 servers", KEPT, HEALTHY, *PREVIEWED, SWAP],
    ),
    "so is a colour that a person must look at": (
        world(edge(blue=100), OLD, stack(GREEN, "r2", 1, phase=StackPhase.STUCK, status="UPDATE_FAILED")),
        deployed("r2"),
        ["delete green", "wait until green is deleted", "create green with 2 servers", KEPT, HEALTHY, *PREVIEWED, SWAP],
    ),
    "an attempt of an earlier run that never got healthy is made again": (
        world(edge(blue=100), OLD, stack(GREEN, "r2", 11, healthy=0), ledger=BEGUN),
        deployed("r2"),
        ["delete green", "wait until green is deleted", "create green with 2 servers", KEPT, HEALTHY, *PREVIEWED, SWAP],
    ),
    "a release that was turned back with unhealthy servers is made again, since nobody replaces those": (
        world(edge(blue=100), OLD, stack(GREEN, "r2", 8, healthy=1, ailing=1, replaces_unhealthy=False), ledger=BEGUN),
        deployed("r2"),
        ["delete green", "wait until green is deleted", "create green with 2 servers", KEPT, HEALTHY, *PREVIEWED, SWAP],
    ),
    "promise 3: servers that this deployment made get their time, also after it was killed": (
        world(edge(blue=100), OLD, stack(GREEN, "r2", 1, healthy=1, ailing=1, replaces_unhealthy=False), ledger=BEGUN),
        deployed("r2"),
        [HEALTHY, *PREVIEWED, SWAP],
    ),
    "a release that was turned back and is still warm is not made again": (
        world(edge(blue=100), OLD, stack(GREEN, "r2", 30, replaces_unhealthy=False)),
        deployed("r2"),
        [*PREVIEWED, SWAP],
    ),
    "the preview is open and has not answered yet": (
        world(edge(blue=100, preview=PREVIEW), OLD, NEW, ledger=BEGUN),
        deployed("r2", gates=GateRules("smoke")),
        ["wait until the preview of green answers", "run the command smoke", SWAP],
    ),
    "the preview of the other colour is none of ours": (
        world(edge(green=100, preview=PREVIEW), stack(BLUE, "r2", 1, replaces_unhealthy=False), stack(GREEN, "r1")),
        deployed("r2"),
        ["open the preview of blue", "wait until the preview of blue answers", "shift all traffic to blue"],
    ),
    "the command runs once the preview answers": (
        world(edge(blue=100, preview=PREVIEW), OLD, NEW, ledger=BEGUN, watch=Watch(preview_shown=True)),
        deployed("r2", gates=GateRules("smoke")),
        ["run the command smoke", SWAP],
    ),
    "promise 6: the command has passed": (
        world(
            edge(blue=100, preview=PREVIEW),
            OLD,
            NEW,
            ledger=BEGUN,
            watch=Watch(preview_shown=True, command=verdict(GateState.PASSED, "command", "smoke passed")),
        ),
        deployed("r2", gates=GateRules("smoke")),
        [SWAP],
    ),
    "with one shift a person is asked before any traffic, by the deployment's id": (
        world(edge(blue=100, preview=PREVIEW), OLD, NEW, ledger=BEGUN, watch=Watch(preview_shown=True)),
        deployed("r2", gates=GateRules(approval=True)),
        ["wait until a person says go", SWAP],
    ),
    "and said go": (
        world(
            edge(blue=100, preview=PREVIEW),
            OLD,
            NEW,
            ledger=ledger(begun("r2", approved_by="eve")),
            watch=Watch(preview_shown=True),
        ),
        deployed("r2", gates=GateRules(approval=True)),
        [SWAP],
    ),
    "with a canary a person is asked before the last shift": (
        world(edge(blue=100, preview=PREVIEW), OLD, NEW, ledger=BEGUN, watch=Watch(preview_shown=True)),
        deployed("r2", strategy=CANARY, gates=GateRules(approval=True)),
        [
            "shift 10 % of the traffic to green",
            "wait until 10 % was watched for 5m",
            "shift 50 % of the traffic to green",
            "wait until 50 % was watched for 5m",
            "wait until a person says go",
            SWAP,
        ],
    ),
    "promise 2: a colour that grows with the live one after its deadline is no failure": (
        world(
            edge(blue=100, preview=PREVIEW),
            stack(BLUE, "r1", desired=4, healthy=4, minimum=4),
            stack(GREEN, "r2", 30, desired=4, minimum=4, healthy=2, replaces_unhealthy=False),
            ledger=BEGUN,
            watch=Watch(preview_shown=True),
        ),
        deployed("r2"),
        ["wait until 4 servers of green are healthy", SWAP],
    ),
}


@pytest.mark.parametrize(("observed", "wanted", "expected"), STEPS.values(), ids=STEPS.keys())
def test_steps(observed: Observed, wanted: Deployed, expected: list[str]) -> None:
    assert steps(observed, wanted) == expected


@pytest.mark.parametrize(("observed", "wanted"), [case[:2] for case in STEPS.values()], ids=STEPS.keys())
def test_every_step_has_a_reason_on_one_line(observed: Observed, wanted: Deployed) -> None:
    for step in plan(observed, wanted, NOW).steps:
        assert step.reason and "\n" not in step.reason


def test_the_id_is_in_what_a_person_who_says_go_types() -> None:
    seen = world(edge(blue=100, preview=PREVIEW), OLD, NEW, ledger=BEGUN, watch=Watch(preview_shown=True))
    step = plan(seen, deployed("r2", gates=GateRules(approval=True)), NOW).steps[0]
    assert isinstance(step, Await)
    assert (step.reason, step.patience) == ("deploy.yml -e approve=20260102-115500-ab12", timedelta(hours=24))


def test_servers_are_waited_for_as_long_as_the_file_says() -> None:
    seen = world(edge(blue=100), OLD, stack(GREEN, "r2", 1, healthy=0, replaces_unhealthy=False), ledger=BEGUN)
    step = plan(seen, deployed("r2"), NOW).steps[0]
    assert isinstance(step, Await)
    assert (step.patience, step.colour) == (DEADLINE, GREEN)


def test_the_release_that_serves_is_nothing_to_do() -> None:
    end = plan(world(edge(blue=100), OLD, answers={"r1": 12}), deployed("r1"), NOW)
    assert (end.steps, end.result, end.proven) == ((), Result.NOTHING_TO_DO, True)


def test_promise_3_nothing_to_do_is_not_said_while_another_release_answers() -> None:
    seen = world(edge(blue=100), OLD, answers={"r1": 11, "r0": 1})
    assert steps(seen, deployed("r1")) == ["wait until every response names r1"]


def test_without_a_way_to_the_load_balancer_the_end_is_unproven() -> None:
    assert not plan(world(edge(blue=100), OLD), deployed("r1"), NOW).proven


def test_promise_3_what_a_lost_record_left_over_is_put_right() -> None:
    left = stack(BLUE, "r1", original_minimum=1, replaces_unhealthy=False)
    assert steps(world(edge(blue=100, preview=PREVIEW), left), deployed("r1")) == [
        "close the preview",
        "replace unhealthy servers of blue again",
        "restore the minimum of blue to 1 server",
    ]


def test_promise_6_a_colour_that_never_gets_healthy_gets_no_traffic() -> None:
    late = stack(
        GREEN, "r2", 11, healthy=0, original_minimum=1, unhealthy_because="i-1: codes 503", replaces_unhealthy=False
    )
    live = stack(BLUE, "r1", original_minimum=1)
    seen = world(edge(blue=100), live, late, ledger=BEGUN)
    end = plan(seen, deployed("r2"), NOW, created=frozenset({late.stack_id}))
    assert end.result is Result.ABORTED
    assert "0 of 2 servers of green healthy after 10 min 0 s (i-1: codes 503)" in end.reason
    assert end.turns_back == end.reason
    assert [str(step) for step in end.steps] == [
        "restore the minimum of blue to 1 server",
        "restore the minimum of green to 1 server",
    ]


@pytest.mark.parametrize(("age", "result"), [(10, Result.DEPLOYED), (10.1, Result.ABORTED)])
def test_the_deadline_counts_from_the_making_of_the_colour(age: float, result: Result) -> None:
    late = stack(GREEN, "r2", age, healthy=1, replaces_unhealthy=False)
    seen = world(edge(blue=100), OLD, late, ledger=BEGUN)
    assert plan(seen, deployed("r2"), NOW, created=frozenset({late.stack_id})).result is result


def test_a_colour_that_this_run_could_not_make_ends_it_with_the_cause() -> None:
    broken = stack(
        GREEN, "r2", 1, phase=StackPhase.BROKEN, status="ROLLBACK_COMPLETE", failed_because="Group: no quota"
    )
    end = plan(world(edge(blue=100), OLD, broken), deployed("r2"), NOW, created=frozenset({broken.stack_id}))
    assert (end.steps, end.result) == ((), Result.ABORTED)
    assert "no quota" in end.reason


@pytest.mark.parametrize("kind", ["deploy", "rollback"])
def test_promise_4_another_release_is_refused_until_the_first_has_ended(kind: str) -> None:
    seen = world(edge(blue=90, green=10), OLD, NEW, ledger=ledger(begun("r2", kind=kind)))
    end = plan(seen, deployed("r3"), NOW)
    assert (end.steps, end.result) == ((), Result.ABORTED)
    finish = "rollback.yml" if kind == "rollback" else "deploy.yml -e image=r2"
    assert f"finish it ({finish}) or end it (abort.yml)" in end.reason


def test_a_deployment_waits_for_a_rollback_to_the_same_release() -> None:
    seen = world(edge(blue=90, green=10), OLD, NEW, ledger=ledger(begun("r2", kind="rollback")))
    assert "has to wait: the rollback of r2" in plan(seen, deployed("r2"), NOW).reason


def test_a_release_that_is_deployed_anew_to_roll_back_ends_as_a_rollback() -> None:
    assert plan(world(edge(blue=100), OLD), deployed("r0", rolls_back=True), NOW).result is Result.ROLLED_BACK
