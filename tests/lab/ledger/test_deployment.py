# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The unfinished deployment: what its holder and others write into it, and how it ends."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.history import record
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.ledger import Ledger
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import LedgerSeen
from tests.lab.ledger.support import ORDER, R2, R3, Table, Time


@pytest.fixture
def ann(table: Table, time: Time) -> Ledger:
    """A controller that has begun to deploy r2."""
    ledger = table.controller("ann")
    ledger.acquire("deploys r2", R2)
    return ledger


def test_the_baseline_only_grows(ann: Ledger) -> None:
    assert ann.renew(baseline=5).deployment == replace(R2, baseline=5)
    assert ann.renew(baseline=4).deployment == replace(R2, baseline=5)
    assert ann.renew().deployment == replace(R2, baseline=5)


def test_the_first_reason_to_turn_back_stays(ann: Ledger) -> None:
    ann.turn_back("p95 was 0.6 s")
    assert ann.turn_back("aborted").deployment == replace(R2, turned_back="p95 was 0.6 s")


def test_turning_back_renews_the_lease(ann: Ledger, time: Time) -> None:
    time.pass_by(50)
    ann.turn_back("p95")
    assert not ann.due()


def test_an_approval_reaches_the_holder_with_its_next_renewal(table: Table, ann: Ledger) -> None:
    table.controller("eve").approve(R2.id, "eve@laptop")
    assert ann.renew().deployment == replace(R2, approved_by="eve@laptop")


def test_the_first_approval_stays(table: Table, ann: Ledger) -> None:
    table.controller("eve").approve(R2.id, "eve")
    assert table.controller("bob").approve(R2.id, "bob") == replace(R2, approved_by="eve")


def test_a_wish_to_abort_reaches_the_holder(table: Table, ann: Ledger) -> None:
    table.controller("bob").request_abort(R2.id, "bob")
    assert ann.renew().deployment == replace(R2, abort_by="bob")


def test_what_others_say_and_the_holders_renewals_do_not_undo_each_other(table: Table, ann: Ledger) -> None:
    voices = [table.controller(f"voice {number}") for number in range(6)]
    with ThreadPoolExecutor(7) as threads:
        renewals = threads.submit(lambda: [ann.renew(baseline=baseline) for baseline in range(4, 34)])
        approvals = [threads.submit(voice.approve, R2.id, "eve") for voice in voices]
        for approval in approvals:
            approval.result()
        threads.submit(voices[0].request_abort, R2.id, "bob").result()
        renewals.result()
    assert ann.read().deployment == replace(R2, baseline=33, approved_by="eve", abort_by="bob")


def test_nothing_can_be_said_of_a_deployment_that_is_not_under_way(table: Table, ann: Ledger) -> None:
    bob = table.controller("bob")
    with pytest.raises(Refused, match=rf"{R3.id} can't be approved: the one under way is {R2.id} \(release r2, begun"):
        bob.approve(R3.id, "bob")
    with pytest.raises(Refused, match=f"{R3.id} can't be aborted: the one under way is {R2.id}"):
        bob.request_abort(R3.id, "bob")
    ann.finish("deployed", "")
    before = table.everything()
    with pytest.raises(Refused, match=f"{R2.id} can't be aborted: no deployment is under way; status.yml shows"):
        bob.request_abort(R2.id, "bob")
    assert table.everything() == before


def test_what_is_turned_back_can_not_be_approved(table: Table, ann: Ledger) -> None:
    ann.turn_back("p95 was 0.6 s")
    with pytest.raises(Refused, match=r"can't be approved: it is on its way back: p95 was 0\.6 s"):
        table.controller("eve").approve(R2.id, "eve")


def test_what_is_to_be_aborted_can_not_be_approved(table: Table, ann: Ledger) -> None:
    table.controller("bob").request_abort(R2.id, "bob")
    with pytest.raises(Refused, match="it is on its way back: bob asked for its end"):
        table.controller("eve").approve(R2.id, "eve")


def test_an_end_frees_the_lock_and_is_history(table: Table, ann: Ledger) -> None:
    ann.arm(ORDER)
    ended = ann.finish("deployed", "all traffic on green")
    assert ann.read() == LedgerSeen()
    assert ann.history(5) == [ended] == [record(R2, "deployed", "all traffic on green", clock.now())]
    assert table.item("env", "lock") == {"pk": {"S": "env"}, "sk": {"S": "lock"}, "fence": {"N": "1"}}
    assert ann.held is None


def test_history_is_newest_first(table: Table, time: Time) -> None:
    ann = table.controller("ann")
    for number in range(5):
        ended = replace(R2, id=f"20260501-12000{number}-0a1b", release=f"r{number}", previous_release=f"r{number - 1}")
        ann.acquire("deploys", ended)
        ann.finish("deployed", "")
    assert [each.release for each in ann.history(3)] == ["r4", "r3", "r2"]
    before = ann.last_deployed("r4")
    assert before
    assert (before.release, before.image) == ("r3", R2.image)


def test_the_release_that_was_left_is_known_until_it_is_deployed_again(table: Table) -> None:
    ann = table.controller("ann")
    ends = [("r1", "r2", "rolled_back"), ("r2", "r1", "deployed"), ("r1", "r2", "deployed")]
    known = []
    for number, (release, previous, result) in enumerate(ends):
        deployment = replace(R2, id=f"20260501-12000{number}-0a1b", release=release, previous_release=previous)
        ann.acquire("deploys", deployment)
        ann.finish(result, "")
        known.append(ann.left_behind(release))
    assert known == ["r2", "", ""]


def test_a_new_env_has_no_history(table: Table) -> None:
    ann = table.controller("ann")
    assert (ann.history(5), ann.last_deployed("r1")) == ([], None)


def test_only_what_was_begun_can_end(table: Table) -> None:
    ann = table.controller("ann")
    ann.acquire("retires blue", None)
    with pytest.raises(ValueError, match="no deployment was begun"):
        ann.finish("retired", "")


def test_no_table(table: Table) -> None:
    table.dynamodb.delete_table(TableName=table.name)
    for call in (table.controller("ann").read, lambda: table.controller("ann").acquire("deploys r2", R2)):
        with pytest.raises(AwsError, match=r"ResourceNotFoundException.*make that with environment\.yml") as failure:
            call()
        assert table.name in str(failure.value)
        assert "\n" not in str(failure.value)


def test_a_lock_that_was_spoilt_by_hand_is_said_to_be_so(table: Table, time: Time) -> None:
    table.put(pk={"S": "env"}, sk={"S": "lock"}, fence={"N": "1"}, holder={"S": "me"}, until={"S": "soon"})
    for call in (table.controller("ann").read, lambda: table.controller("ann").acquire("deploys r2", R2)):
        with pytest.raises(Refused, match="`until` is 'soon'; correct or delete it"):
            call()
