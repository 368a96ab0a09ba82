# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a wait has been going on, and when to look again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import Await
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wait import Wait
from tests.unit.deployment.memory import Time

SERVERS = Await("2 servers are healthy", "0 of 2 healthy", timedelta(minutes=10))


def test_looks_come_soon_at_first_and_less_often_then(time: Time) -> None:
    wait = Wait()
    for _look in range(9):
        wait.pause(SERVERS)
    assert time.slept[:4] == [0.5, 0.75, 1.125, 1.6875]
    assert time.slept[-2:] == [5.0, 5.0]


def test_news_bring_the_next_look_forward(time: Time) -> None:
    wait = Wait()
    for _look in range(9):
        wait.pause(SERVERS)
    wait.pause(replace(SERVERS, reason="1 of 2 healthy"))
    assert time.slept[-1] == 0.5


def test_promise_6_while_traffic_goes_back_every_look_comes_soon(time: Time) -> None:
    wait = Wait()
    for _look in range(9):
        wait.pause(SERVERS, hurry=True)
    assert set(time.slept) == {0.5}


@pytest.mark.parametrize(("left", "slept"), [(0.2, 0.2), (0.0, 0.05), (-3, 0.05), (60, 0.5)])
def test_the_end_of_a_known_time_is_not_slept_over(time: Time, left: float, slept: float) -> None:
    Wait().pause(replace(SERVERS, left=timedelta(seconds=left)))
    assert time.slept == [slept]


@pytest.mark.parametrize(("seconds", "too_long"), [(599, False), (600, False), (601, True)])
def test_patience_ends_when_the_step_says(time: Time, seconds: float, too_long: bool) -> None:
    wait = Wait()
    assert not wait.too_long(SERVERS)
    time.passes(seconds)
    assert wait.too_long(SERVERS) is too_long


def test_patience_begins_anew_with_another_thing_to_wait_for(time: Time) -> None:
    wait = Wait()
    wait.too_long(SERVERS)
    time.passes(601)
    assert not wait.too_long(replace(SERVERS, what="the preview answers"))


def test_but_not_with_other_figures_of_the_same(time: Time) -> None:
    wait = Wait()
    wait.too_long(SERVERS)
    time.passes(601)
    assert wait.too_long(replace(SERVERS, reason="1 of 2 healthy"))
