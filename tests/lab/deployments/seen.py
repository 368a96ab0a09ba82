# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the records of a load run, and the env itself, say of a deployment."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from lab.demo.run import Weights
from lab.load import Record
from tests.lab.deployments.controller import Ended
from tests.lab.deployments.env import Env

SETTLED_SECONDS = 1.0
"""A change of the weights is read half a second late at most."""


def failed(records: Iterable[Record]) -> list[Record]:
    return [record for record in records if record.failed]


def shares(records: list[Record], seen: list[Weights], release: str, colour: str) -> dict[int, tuple[float, int]]:
    """For each weight that a colour had for a while: the percentage of the requests that its release answered, and of
    how many requests.

    Args:
        records: of the load.
        seen: the listener's weights over time, in percent.
    """
    found = {}
    for now, then in pairwise(seen):
        begin, end = now.t + SETTLED_SECONDS, then.t - SETTLED_SECONDS
        during = [record for record in records if begin <= record.t <= end]
        if during:
            own = sum(record.release == release for record in during)
            found[now.weights[colour]] = (100 * own / len(during), len(during))
    return found


def is_as_before(env: Env, ended: Ended, live: str, bad: str) -> None:
    """Traffic is where it was, the bad colour stays, nothing is held, and the history says how it ended."""
    assert ended.code != 0
    status = env.status
    seen = status["environment"]
    assert {colour: facts["release"] for colour, facts in seen["colours"].items()} == {
        seen["live"]: live,
        "green" if seen["live"] == "blue" else "blue": bad,
    }
    assert env.weights == env.asked
    assert [facts["min"] for facts in seen["colours"].values()] == [1, 1]
    assert (seen["deployment"], seen["lock"]) == (None, None)
    last = status["history"][0]
    assert (last["release"], last["result"]) == (bad, ended.result)
    # The result has the server's console besides.
    assert last["reason"] == ended.reason.splitlines()[0]
