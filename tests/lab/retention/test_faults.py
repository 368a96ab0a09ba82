# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Promise 9 under faults: any call throttled, refused or cut off, and any kind of use that begins after the plan.

`build/retention_faults.json` says how many cases there were, and how many images in use went: none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from botocore.retries.standard import ExponentialBackoff

from tests.lab.retention.account import Account
from tests.lab.retention.conftest import Prune, Report, empty
from tests.lab.retention.emulator import CUT_OFF, Front
from tests.lab.retention.uses import USES

RESULTS = Path(__file__).parents[3] / "build" / "retention_faults.json"
STAGES = {"deprecate_after": "30d", "disable_after": "60d", "deregister_after": "90d"}
PAGE = 10
"""Items on a page here: with two, as elsewhere, most of the time would go into pages."""

READS = {
    "DescribeAutoScalingGroups": "Auto Scaling groups",
    "DescribeFleets": "EC2 fleets",
    "DescribeImageAttribute": "sharing",
    "DescribeImageReferences": "AWS's own image references",
    "DescribeImages": "",
    "DescribeInstances": "instances",
    "DescribeLaunchConfigurations": "launch configurations",
    "DescribeLaunchTemplateVersions": "launch templates",
    "DescribeRegions": "",
    "DescribeSnapshots": "snapshots",
    "DescribeSpotFleetRequests": "spot requests and spot fleets",
    "DescribeSpotInstanceRequests": "spot requests and spot fleets",
    "DescribeStacks": "CloudFormation stacks",
    "GetParameters": "launch templates",
    "GetParametersByPath": "SSM parameters",
    "GetTemplate": "CloudFormation templates",
    "ListContainerRecipes": "Image Builder recipes",
    "ListImageRecipes": "Image Builder recipes",
    "ListRules": "",
    "Query": "environments' ledgers",
}
"""Read → the place that it reads, as the report names it. Without images and regions there is nothing to decide about;
where the Recycle Bin's rules can't be read, snapshots stay."""
STILL_DUE = {"DescribeSnapshots": {0, 1, 2}, "ListRules": {0, 1, 2}, "DescribeImageAttribute": {2}}
"""Read → which of the due images are taken all the same: it is about snapshots only, or a disabled image is shared with
nobody."""
NEEDED = {"DescribeImages", "DescribeRegions"}
WRITES = ("CreateTags", "DeleteSnapshot", "DeregisterImage", "DisableImage", "EnableImageDeprecation")
REFUSES = dict.fromkeys(WRITES, 1) | {"CreateTags": 2, "DeleteSnapshot": 0}
"""Write → how many of the three due images it keeps from their step."""


class Score:
    """What came of all cases."""

    def __init__(self) -> None:
        self.cases = 0
        self.in_use_removed = 0

    def count(self, gone: set[str]) -> None:
        self.cases += 1
        self.in_use_removed += len(gone)


@pytest.fixture(scope="module")
def score() -> Iterator[Score]:
    score = Score()
    yield score
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"cases": score.cases, "in_use_removed": score.in_use_removed}) + "\n")


class World:
    """An account where one image is in use by each kind of reference.

    Args:
        account: an empty one.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._newest = account.aged(account.image(), 0)
        account.aged(account.image(), 0)  # the spare one: the newest is in use
        self._used = {account.image() for _ in USES}
        for use, image_id in zip(USES, self._used, strict=True):
            account.newest = self._newest
            use(account, image_id)
            account.deprecated(account.aged(image_id, 200), 100)

    def due(self) -> tuple[str, str, str]:
        """Images that a run deprecates, disables and deregisters."""
        account = self._account
        fresh, middle, old = account.aged(account.image(), 31), self.to_be_disabled(), account.image()
        account.disabled(account.aged(old, 91), 31)
        return fresh, middle, old

    def to_be_disabled(self) -> str:
        image_id = self._account.aged(self._account.image(), 61)
        self._account.deprecated(image_id, 31)
        return image_id

    def begins(self, use: Callable[[Account, str], object], image_id: str) -> None:
        """Something begins to use an image."""
        self._account.newest = self._newest
        use(self._account, image_id)
        self._used.add(image_id)

    def in_use_removed(self) -> set[str]:
        """Which of the images in use can't be launched any more."""
        return self._used - self._account.left(state="available")

    def forget(self, due: tuple[str, ...]) -> None:
        """Removes what a run left of what was due, so that no later one finds it."""
        for image_id in set(due) & self._account.left() - self._used:
            self._account.ec2.deregister_image(ImageId=image_id)


@pytest.fixture(scope="module")
def world(served: tuple[Front, str]) -> World:
    """Made once; what is due is made anew for each case."""
    empty(served[0])
    served[0].page_size = PAGE
    return World(Account(served[1]))


@dataclass(frozen=True)
class Case:
    """One case: its faults, what is due in it, and a run that may only take what is due."""

    front: Front
    world: World
    due: tuple[str, str, str]
    run: Callable[[], Report]


@pytest.fixture
def case(
    served: tuple[Front, str], world: World, prune: Prune, score: Score, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Case]:
    """Counts what the run did, and fails where it touched what is in use."""
    # Which answers are tried again is botocore's to say; how long it waits in between is not what is tested.
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *_arguments: 0)
    front, due = served[0], world.due()
    options = {"aws_config": {"retries": {"mode": "standard", "max_attempts": 3}}, "stages": STAGES}
    front.recover()
    yield Case(front, world, due, lambda: prune(references={"ssm_parameters": ["/shop/*"]}, **options))
    front.recover()
    gone = world.in_use_removed()
    score.count(gone)
    world.forget(due)
    assert gone == set()


def taken(report: Report) -> tuple[list[str], ...]:
    return tuple([one["id"] for one in report[step]] for step in ("deprecated", "disabled", "removed"))


@pytest.mark.parametrize("action", [*READS, *WRITES])
def test_a_throttled_call_changes_no_result(action: str, case: Case) -> None:
    case.front.fail("RequestLimitExceeded", action, times=1)
    report = case.run()
    assert case.front.calls[action] > 1, "no call met the fault"
    assert "failed" not in report and taken(report) == tuple([image_id] for image_id in case.due)


@pytest.mark.parametrize("action", READS)
def test_what_may_not_be_read_keeps_what_it_may_name(action: str, case: Case) -> None:
    case.front.fail("AccessDenied", action)
    report = case.run()
    assert case.front.calls[action], "no call met the fault"
    if action in NEEDED:
        assert report["failed"] and "AccessDenied" in report["msg"]
        return
    still = STILL_DUE.get(action, set())
    assert taken(report) == tuple([one] if step in still else [] for step, one in enumerate(case.due))
    if place := READS[action]:
        assert {(one["place"], one["region"]) for one in report["unread"]} == {(place, "eu-west-1")}
        assert any(f"{place} of eu-west-1 could not be read" in str(warning) for warning in report["warnings"])


@pytest.mark.parametrize("action", WRITES)
def test_a_refused_write_stops_no_other_image(action: str, case: Case) -> None:
    case.front.fail("AccessDenied", action)
    report = case.run()
    assert report["failed"] and report["failed_images"] and "AccessDenied" in report["msg"]
    assert len([image_id for step in taken(report) for image_id in step]) == len(case.due) - REFUSES[action]


@pytest.mark.long
@pytest.mark.parametrize("fault", ["RequestLimitExceeded", "InternalError", CUT_OFF])
@pytest.mark.parametrize("action", [*READS, *WRITES])
def test_a_call_that_fails_for_good(action: str, fault: str, case: Case) -> None:
    case.front.fail(fault, action)
    report = case.run()
    assert case.front.calls[action] > 1, "it was not tried again"
    if action in NEEDED or READS.get(action, action):
        assert report.get("failed") or report["unread"]
    else:
        assert taken(report) == tuple([one] for one in case.due)


@pytest.mark.long
@pytest.mark.parametrize("action", [*READS, *WRITES])
def test_a_connection_that_is_cut_off_changes_no_result(action: str, case: Case) -> None:
    case.front.fail(CUT_OFF, action, times=1)
    report = case.run()
    assert "failed" not in report and taken(report) == tuple([image_id] for image_id in case.due)


def test_what_comes_into_use_after_the_plan_survives(case: Case, score: Score) -> None:
    fresh, middle, old = case.due
    images = {use.__name__: case.world.to_be_disabled() for use in USES}

    def begin() -> None:
        for use in USES:
            case.world.begins(use, images[use.__name__])

    # Snapshots are read when the plan has been made.
    case.front.before("DescribeSnapshots", 1, begin)
    report = case.run()
    score.cases += len(USES) - 1
    rules = {one["id"]: one["rules"] for one in report["kept"]}
    went = {kind for kind, image_id in images.items() if rules.get(image_id) not in (["in_use"], ["per_env_previous"])}
    assert went == set() and taken(report) == ([fresh], [middle], [old])
