# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each call of a publication meets a fault, and the same command again publishes: nothing is left, nothing is twice."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from tests.lab.contract.faulty import Client
from tests.lab.publishing.conftest import AWAY, HOME, Account

LANES = 3
KEYS = itertools.count(1)
#: Effects: refused; its answer is lost after it was done; the run is killed before it is done, or after.
EFFECTS = ("denied", "reset_after", "hold_before", "hold_after")
SHORT = 14
"""So many points in every run of the tests, others each time; all of them with ``-m long``."""


@dataclass(frozen=True, order=True)
class Point:
    """The nth call of an operation, and what happens to it."""

    service: str
    operation: str
    nth: int
    effect: str

    def __str__(self) -> str:
        return f"{self.effect} {self.service}.{self.operation} #{self.nth}"


def recorded(account: Account) -> list[dict[str, Any]]:
    """The calls of a publication without a fault."""
    app, key = account.app(), f"publish-{next(KEYS)}"
    account.bake(app, "r1")
    done = account.start(app, "r1", key).end()
    assert done["result"] == "published", done
    return Client(account.api, key).calls()


def points(calls: list[dict[str, Any]]) -> Iterator[Point]:
    """Every effect for the writes; a refusal for the reads, which nothing else can hurt."""
    counted: Counter[tuple[str, str]] = Counter()
    for call in calls:
        name = call["service"], call["operation"]
        counted[name] += 1
        if call["writes"]:
            yield from (Point(*name, counted[name], effect) for effect in EFFECTS)
        elif counted[name] <= 2:
            yield Point(*name, counted[name], "denied")


def meet(account: Account, point: Point) -> list[str]:
    """A publication that meets the fault, and again without; returns what is wrong afterwards."""
    app, key = account.app(), f"publish-{next(KEYS)}"
    account.bake(app, "r1")
    match: dict[str, Any] = {"service": point.service, "operation": point.operation, "nth": point.nth}
    fault = Client(account.api, key).fault(point.effect, **match)
    run = account.start(app, "r1", key)
    if point.effect.startswith("hold"):
        while run.alive and not fault.seen(wait=1)["hit"]:
            pass
        run.kill()
    first = run.end()
    reached = fault.seen()["hit"]
    fault.remove()
    wrong = [] if reached else ["the fault was not met"]
    early = account.named(app)
    image = account.image(app, "r1")
    if early and image and image["Tags"]["publication"] != "published":
        wrong.append("the channel names it before it is published")
    if point.effect == "denied" and "failed" in first and "Could not" not in first["failed"]:
        wrong.append(f"a refusal is not said as one: {first['failed']}")
    again = account.publish(app, "r1")
    if again.get("result") not in ("published", "nothing_to_do"):
        wrong.append(f"the second run did not publish it: {again}")
    for region in (HOME, AWAY):
        if account.named(app, region) != "r1":
            wrong.append(f"{region} is not pointed to it")
        if account.image(app, "r1", region) is None:
            wrong.append(f"{region} has no image")
    wrong += [f"left over: {left}" for left in account.left(app)]
    return [f"{point}: {each}" for each in wrong]


def campaign(account: Account, chosen: list[Point]) -> list[str]:
    with ThreadPoolExecutor(LANES) as lanes:
        return [wrong for each in lanes.map(lambda point: meet(account, point), chosen) for wrong in each]


def test_a_fault_of_a_call_is_overcome_by_running_it_again(account: Account) -> None:
    seed = random.randrange(10**6)
    every = sorted(points(recorded(account)))
    chosen = random.Random(seed).sample(every, SHORT)
    assert campaign(account, chosen) == [], f"seed {seed}"


@pytest.mark.long
def test_every_fault_of_every_call_is_overcome_by_running_it_again(account: Account) -> None:
    every = sorted(points(recorded(account)))
    assert len(every) > 60, every
    assert campaign(account, every) == []
