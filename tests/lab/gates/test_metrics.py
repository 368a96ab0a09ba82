# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real requests through the lab's load balancer, as the analysis sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.aws.cloudwatch import colour_metrics
from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.analysis import judge
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.model import Metrics
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.settings import AnalysisSettings
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import GateState
from tests.lab.contract.balancer import Balancer, serving
from tests.lab.contract.support import Api, wait_for

SETTINGS = AnalysisSettings(min_requests=30)
Read = Callable[[], dict[str, Metrics]]


@pytest.fixture
def balancer(api: Api) -> Iterator[Balancer]:
    """One with both colours at work."""
    with serving(api) as made:
        made.weigh(50, 50)
        wait_for(lambda: made.answers({"blue", "green"}), "both colours")
        yield made


@pytest.fixture
def read(clients: Clients, balancer: Balancer) -> Read:
    """Reads what both colours did until now."""
    full_name = balancer.listener.split(":listener/")[1].rsplit("/", 1)[0]
    groups = {"live": balancer.blue_group, "new": balancer.green_group}
    start = datetime.now(UTC) - timedelta(minutes=1)

    def look() -> dict[str, Metrics]:
        names = {colour: arn.rsplit(":", 1)[1] for colour, arn in groups.items()}
        return colour_metrics(clients, full_name, names, start, datetime.now(UTC) + timedelta(seconds=1))

    return look


def until(read: Read, seen: Callable[[Metrics], bool]) -> dict[str, Metrics]:
    """The metrics, once they are in: they come when their minute is over."""
    return wait_for(lambda: metrics if seen((metrics := read())["new"]) else None, "the metrics of these requests")


def state(metrics: dict[str, Metrics]) -> GateState:
    return judge(metrics["new"], metrics["live"], SETTINGS, datetime.now(UTC)).state


def test_requests_are_counted_for_the_colour_that_served_them(balancer: Balancer, read: Read) -> None:
    balancer.ask(150)
    metrics = until(read, lambda new: new.requests == len(balancer.green.requests))
    assert 0 < metrics["live"].requests <= len(balancer.blue.requests)
    assert all(each.errors == 0 and each.p95 is not None and each.p95 < 1 for each in metrics.values())
    assert state(metrics) is GateState.PASSED


def test_a_colour_that_answers_500_fails(balancer: Balancer, read: Read) -> None:
    balancer.green.status = 500
    balancer.ask(150)
    metrics = until(read, lambda new: new.target_5xx >= SETTINGS.min_requests)
    assert metrics["live"].errors == 0
    assert state(metrics) is GateState.FAILED


def test_a_colour_that_refuses_connections_fails(balancer: Balancer, read: Read) -> None:
    balancer.green.breaks = True  # no connection is kept
    balancer.green.__exit__(None, None, None)
    balancer.ask(150)
    metrics = until(read, lambda new: new.connection_errors >= SETTINGS.min_requests)
    assert metrics["live"].errors == 0
    assert state(metrics) is GateState.FAILED


def test_a_colour_that_closes_3_percent_of_its_connections_unanswered_fails(balancer: Balancer, read: Read) -> None:
    """As an app does that crashes. The load balancer answers 502 itself, and counts that for no colour."""
    balancer.green.breaks_each = 33
    said = balancer.ask(1200)
    metrics = until(read, lambda new: new.requests == len(balancer.green.requests))
    assert metrics["new"].errors == metrics["new"].unanswered == said["502"] >= 15
    assert (metrics["new"].target_5xx, metrics["new"].connection_errors, metrics["live"].errors) == (0, 0, 0)
    assert state(metrics) is GateState.FAILED


def test_a_colour_without_requests_has_no_metrics(clients: Clients, balancer: Balancer) -> None:
    start = datetime.now(UTC) - timedelta(minutes=1)
    names = {"live": "targetgroup/none/1", "new": "targetgroup/none/2"}
    metrics = colour_metrics(clients, "app/none/1", names, start, start + timedelta(minutes=1))
    assert metrics == dict.fromkeys(names, Metrics(0, 0, 0, None))
    assert state(metrics) is GateState.UNDECIDED
